# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the files in a job's folder. Old libraries have these names: never change one."""

from __future__ import annotations

import re

from ...providers import LibraryProblem, Message

RECORD = "job.json"
ORIGINAL = "model.blend"
"""The prepared model; its later versions are `model-v2.blend` and so on."""
CHUNKS_FOLDER = "model-parts"
"""A folder with the chunks of a large original, kept until the model is in the scene."""
PREVIEW = "preview.png"
VERSIONS = "versions.json"
LABEL = "label.json"
"""The name and the star that the user gave to the result."""
IMPORTED = "imported.json"
"""Records when the job's mesh was imported into a scene."""
CANCEL = ".cancel"
"""A file whose existence asks the process that works on the job to cancel it."""
ANSWER, ANSWER_SUFFIX = "answer", ".http"
"""The raw answer to the order, kept until its ticket is in the record."""
DOWNLOAD = "mesh.part"
"""The mesh file while it is being downloaded; then it is renamed to `mesh.` plus its format."""
VERSION = r"model-v(\d{1,4})\.blend"
"""Pattern of the file names of later versions; match it with `re.ASCII`."""


def version_file(name: str) -> str:
    """Return the file name of a version; an empty name is the original.

    Raises LibraryProblem for any other name: names come from .blend files, and must not lead out of
    the job's folder.
    """
    if name in ("", ORIGINAL):
        return ORIGINAL
    if not re.fullmatch(VERSION, name, re.ASCII):
        raise LibraryProblem(
            Message("There is no version “{name}”.", name=name), "Choose another version."
        )
    return name
