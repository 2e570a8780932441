# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the files in a job's folder. Old libraries have these names: never change one."""

from __future__ import annotations

RECORD = "job.json"
ORIGINAL = "model.blend"
"""The prepared model; its later versions are `model-v2.blend` and so on."""
CHUNKS_FOLDER = "model-parts"
"""A folder with a large original in chunks, until the model is in the scene."""
PREVIEW = "preview.png"
VERSIONS = "versions.json"
IMPORTED = "imported.json"
"""Records when the job's mesh was imported into a scene."""
CANCEL = ".cancel"
"""A file of this name asks the process that works on the job to stop."""
ANSWER, ANSWER_SUFFIX = "answer", ".http"
"""The raw answer to the order, kept until its ticket is in the record."""
DOWNLOAD = "mesh.part"
"""The mesh file during its download; a complete one is `mesh.` and its format."""
