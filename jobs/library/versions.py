# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a job's model: the original, which never changes, and those made from it.

Each version is a file beside `model.blend`. `versions.json` lists how each was made, with its mesh
report; without that file these details are lost, but no version is.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...providers import decode_message, encode_message
from ...providers._shared.untrusted_text import json_bytes, read_json
from ..disk.plain_files import is_plain, read_plain, write_whole
from .file_names import ORIGINAL, VERSION, VERSIONS

MOST = 1 << 20
"""Maximum size of `versions.json`, in bytes."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a job's model. Except for `file`, fields are empty if they are unknown.

    `made_by` is the edit that made the version from the file `source`, with the options in `asked`.
    `card` is the mesh report, and `notes` are sentences for the user.
    """

    file: str
    made_by: str = ""
    source: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def versions(folder: Path) -> list[Version]:
    """Return the versions whose files exist, the original first, then by number."""
    known = {version.file: version for version in _read_list(folder)}
    paths = (path for path in folder.glob("model-v*.blend") if is_plain(path))
    numbered = sorted((number(path.name), path.name) for path in paths)
    files = [file for index, file in numbered if index]
    if is_plain(folder / ORIGINAL):
        files.insert(0, ORIGINAL)
    return [known.get(file, Version(file)) for file in files]


def number(file: str) -> int:
    """Return a file's version number: 1 for the original, 0 if it is not a version."""
    match = re.fullmatch(VERSION, file, re.ASCII)
    return int(match[1]) if match else int(file == ORIGINAL)


def next_file(folder: Path) -> str:
    """Return the file name for the next version, with a number above all existing ones."""
    last = max((number(path.name) for path in folder.glob("model-v*.blend")), default=1)
    # The original counts as version 1, so the first file with a number is `model-v2.blend`.
    return f"model-v{max(last, 1) + 1}.blend"


def remember(folder: Path, version: Version) -> None:
    """Add a version to the list, or replace its entry. Raises OSError if that fails."""
    others = [other for other in _read_list(folder) if other.file != version.file]
    entries = sorted((*others, version), key=lambda entry: number(entry.file))
    write_whole(folder / VERSIONS, json_bytes([_as_json(entry) for entry in entries], indent=1))


def _as_json(version: Version) -> dict[str, Any]:
    return {**asdict(version), "notes": [encode_message(note) for note in version.notes]}


def _read_list(folder: Path) -> list[Version]:
    try:
        entries = read_json(read_plain(folder / VERSIONS, MOST))
        # Others may have written the list: no name in it may lead to a file that is not a version.
        return [_version(entry) for entry in entries if number(entry["file"])]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _version(kept: dict[str, Any]) -> Version:
    """Build a version from an entry, checking every value: others may have written the list."""
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
