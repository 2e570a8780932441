# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the files in a job's folder. Old libraries have these names: never change one."""

from __future__ import annotations

import re

from ...providers import LibraryProblem, Message

RECORD = "job.json"
ORIGINAL = "model.blend"
"""The prepared model; its later versions are `model-v2.blend` and so on."""
CHUNKS_FOLDER = "model-parts"
"""A folder with a large original in chunks, until the model is in the scene."""
PREVIEW = "preview.png"
VERSIONS = "versions.json"
LABEL = "label.json"
"""The name and the star that the user gave to the result."""
IMPORTED = "imported.json"
"""Records when the job's mesh was imported into a scene."""
CANCEL = ".cancel"
"""A file of this name asks the process that works on the job to stop."""
ANSWER, ANSWER_SUFFIX = "answer", ".http"
"""The raw answer to the order, kept until its ticket is in the record."""
DOWNLOAD = "mesh.part"
"""The mesh file while it is downloaded; when complete, it is renamed to `mesh.` plus its format."""
VERSION = r"model-v(\d{1,4})\.blend"
"""The names of versions, with ASCII digits."""


def version_file(name: str) -> str:
    """Return the file of a version; an empty name is the original.

    Raises LibraryProblem for any other name, since a name stored in a .blend file must not lead out
    of the job's folder.
    """
    if name in ("", ORIGINAL):
        return ORIGINAL
    if not re.fullmatch(VERSION, name, re.ASCII):
        raise LibraryProblem(Message("There is no version {name}.", name=f"{name!r}"))
    return name
