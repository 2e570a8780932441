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

from ...providers import LibraryProblem, Message, decode_message, encode_message
from ...providers._shared.untrusted_text import json_bytes, read_json
from ..disk.plain_files import is_plain, read_plain, write_whole
from .file_names import ORIGINAL, VERSIONS

DRAWING = "Drawing the preview"
"""The phase of the background Blender from which on the original is there and whole."""
FILE = re.compile(r"model-v(\d{1,4})\.blend", re.ASCII)
MOST = 1 << 20
"""Bytes of the list, at most."""


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
        raise LibraryProblem(Message("There is no version {name}.", name=f"{name!r}"))
    return name


def versions(folder: Path) -> list[Version]:
    """Return the versions whose files are there, the original first, then by number."""
    known = {one.file: one for one in _listed(folder)}
    found = (path for path in folder.glob("model-v*.blend") if is_plain(path))
    numbered = sorted((number(path.name), path.name) for path in found)
    there = [name for found, name in numbered if found]
    if is_plain(folder / ORIGINAL):
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
    write_whole(folder / VERSIONS, json_bytes([_encoded(version) for version in listed], indent=1))


def _encoded(version: Version) -> dict[str, Any]:
    return {**asdict(version), "notes": [encode_message(note) for note in version.notes]}


def _listed(folder: Path) -> list[Version]:
    try:
        kept = read_json(read_plain(folder / VERSIONS, MOST))
        return [_version(one) for one in kept if number(one["file"])]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _version(kept: dict[str, Any]) -> Version:
    """Return what the list says of a version; anybody who can write to the folder can say it."""
    made_by, source = kept.get("made_by"), kept.get("source")
    asked, card, notes = kept.get("asked"), kept.get("card"), kept.get("notes")
    return Version(
        kept["file"],
        made_by if isinstance(made_by, str) else "",
        source if isinstance(source, str) else "",
        asked if isinstance(asked, dict) else {},
        card if isinstance(card, dict) else {},
        tuple(map(decode_message, notes)) if isinstance(notes, list) else (),
    )
