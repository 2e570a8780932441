# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a job's model: the original, which stays as it is, and what was made of it.

They are files beside `model.blend`, listed in `versions.json` with how each was made and what is
known of it. A lost or broken list costs these remarks, no version.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..providers import LibraryProblem
from ..providers._texts import json_bytes, read_json

ORIGINAL = "model.blend"
PARTS = "model-parts"
"""A folder that a large original is in once more, until it has come into the scene."""
LIST = "versions.json"
DRAWING = "Drawing the preview"
"""The phase of the background Blender from which on the original is there and whole."""
FILE = re.compile(r"model-v(\d{1,4})\.blend")


@dataclass(frozen=True, slots=True)
class Version:
    """One version: its file, what it was made by and of, and its health card where one was made."""

    file: str
    made_by: str = ""
    source: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def version_file(name: str) -> str:
    """Return the file of a version, the original's for an empty name.

    Raises LibraryProblem for what can be none: a name out of a .blend must not leave the folder.
    """
    if name in ("", ORIGINAL):
        return ORIGINAL
    if not FILE.fullmatch(name):
        raise LibraryProblem(f"There is no version {name!r}.")
    return name


def versions(folder: Path) -> list[Version]:
    """Return the versions whose files are there, the original first, then by number."""
    known = {one.file: one for one in _listed(folder)}
    numbered = sorted((number(path.name), path.name) for path in folder.glob("model-v*.blend"))
    there = [name for found, name in numbered if found]
    if (folder / ORIGINAL).is_file():
        there.insert(0, ORIGINAL)
    return [known.get(name, Version(name)) for name in there]


def number(file: str) -> int:
    """Return which version a file is: 1 for the original, 0 for none."""
    found = FILE.fullmatch(file)
    return int(found[1]) if found else int(file == ORIGINAL)


def next_file(folder: Path) -> str:
    """Return the name of the next version."""
    last = max((number(path.name) for path in folder.glob("model-v*.blend")), default=1)
    return f"model-v{max(last, 1) + 1}.blend"


def remember(folder: Path, version: Version) -> None:
    """Put a version into the list, or what is newly known of it."""
    others = [one for one in _listed(folder) if one.file != version.file]
    listed = sorted((*others, version), key=lambda one: number(one.file))
    side = folder / f".{LIST}.part"
    side.write_bytes(json_bytes([asdict(one) for one in listed], indent=1))
    side.replace(folder / LIST)


def _listed(folder: Path) -> list[Version]:
    try:
        kept = read_json((folder / LIST).read_bytes())
        return [Version(**{**one, "notes": tuple(one.get("notes", ()))}) for one in kept]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
