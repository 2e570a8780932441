# SPDX-License-Identifier: GPL-3.0-or-later
"""The name and the star that the user gives to a result: `label.json`, in the job's folder.

They are not in the record, which says what was ordered; older versions of the add-on ignore the
file. In a shared library, everybody sees the same names and stars.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...providers import LibraryProblem, Message, os_reason
from ...providers._shared.untrusted_text import clean, json_bytes, read_json
from ..disk.plain_files import read_plain, write_whole
from .file_names import LABEL

MOST = 1 << 16
"""Maximum size of `label.json`, in bytes."""
LONGEST = 100
"""Maximum length of a name, in characters."""


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a result, empty for the image's name, and whether it has a star."""

    name: str = ""
    starred: bool = False


def read_label(folder: Path) -> Label:
    """Return the label of the job in a folder; an empty label if the file is missing or invalid."""
    try:
        content = read_json(read_plain(folder / LABEL, MOST))
    except (OSError, ValueError, RecursionError):
        return Label()
    if not isinstance(content, dict):
        return Label()
    name = content.get("name")
    # Others may have written the file, so the name is cleaned like those in records.
    return Label(
        clean(name, LONGEST) if isinstance(name, str) else "", content.get("starred") is True
    )


def write_label(folder: Path, label: Label) -> None:
    """Write the label of the job in a folder. Raises LibraryProblem if that fails."""
    name = clean(label.name.strip(), LONGEST)
    try:
        write_whole(folder / LABEL, json_bytes({"name": name, "starred": label.starred}, indent=1))
    except OSError as error:
        raise LibraryProblem(
            Message("The name or star could not be saved: {reason}.", reason=os_reason(error)),
            "Check whether you can write to the library folder.",
        ) from error
