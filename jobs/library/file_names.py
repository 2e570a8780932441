# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the files in a job's folder. Old libraries have them: none may change."""

from __future__ import annotations

RECORD = "job.json"
ORIGINAL = "model.blend"
"""The prepared model; its later versions are `model-v2.blend` and so on."""
PARTS = "model-parts"
"""A folder with a large original in chunks, until the model is in the scene."""
PREVIEW = "preview.png"
VERSIONS = "versions.json"
IMPORTED = "imported.json"
"""Says when the job's mesh was imported into a scene."""
CANCEL = ".cancel"
"""A file of this name asks the process that works on the job to stop."""
ANSWER, ANSWER_SUFFIX = "answer", ".http"
"""The answer to the order as it came, kept until its ticket is in the record."""
DOWNLOAD = "mesh.part"
"""The mesh while it is being downloaded; a whole one is `mesh.` and its format."""
