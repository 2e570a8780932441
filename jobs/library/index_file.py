# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's index on disk: one file, which is always read and written as a whole.

Anyone who can write to the library can write this file, so every value is checked before use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...providers._shared.untrusted_text import json_bytes, read_json
from ..disk.plain_files import read_plain, write_whole
from ..values import State
from .index_entry import Entry, Known

FILE = ".catalogue.json"
"""Named so in version 0.1.0; a new name would leave a second file in old libraries."""
VERSION = 3
MAX_BYTES = 16 << 20
"""Maximum size of the file, in bytes; 5,000 jobs take about two million."""
_NONE: set[type] = {type(None)}
_NUMBER: set[type] = {int, float}
_TEXT: set[type] = {str}
TYPES: Mapping[str, set[type]] = {
    **dict.fromkeys(("job", "provider", "name", "created", "settings", "failure", "order"), _TEXT),
    **dict.fromkeys(("title", "versions"), _TEXT),
    **dict.fromkeys(("format", "thumbnail", "imported"), _TEXT | _NONE),
    "state": {State},
    **{name: {bool} for name in ("taken", "starred", "own", "missing")},
    "size": {int},
    "seconds": _NUMBER,
    "credits": _NUMBER | _NONE,
    "faces": {int, type(None)},
}
"""The allowed types of each field of an entry."""
COUNTED, LARGEST = ("size", "seconds", "credits", "faces"), 1e20
"""The numeric fields, and the largest absolute value accepted for them."""


def read_index(path: Path) -> Known:
    """Return the jobs in the file; an empty dict if it is missing, damaged, or outdated."""
    states = {str(state): state for state in State}
    try:
        content = read_json(read_plain(path.parent.resolve() / path.name, MAX_BYTES))
        if content["version"] != VERSION:
            return {}
        jobs: dict[str, list[Any]] = content["jobs"]
        jobs["state"] = [states[state] for state in jobs["state"]]
        if not _is_typed(jobs, content["stamps"]):  # guard: types-of-the-list
            return {}
        rows = map(Entry._make, zip(*(jobs[name] for name in Entry._fields), strict=True))
        stamps = zip(*content["stamps"], strict=True)
        known: Known = {
            entry.job: (stamp, entry) for stamp, entry in zip(stamps, rows, strict=True)
        }
        known.update(
            {job: (tuple(stamp), str(text)) for job, (stamp, text) in content["problems"].items()}
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return known


def _is_typed(jobs: Mapping[str, list[Any]], stamps: list[Any]) -> bool:
    """Return whether all stamps are integers, and all columns have values of their types.

    Numbers must also be finite, and smaller than `LARGEST`.
    """
    # By columns, because checking every single value would take longer than reading the file.
    numbers = {kind for column in stamps for kind in set(map(type, column))}
    if not numbers <= {int} or any(
        not set(map(type, jobs[name])) <= kinds for name, kinds in TYPES.items()
    ):
        return False
    # JSON can hold NaN, and integers that no float can.
    return all(abs(value or 0) < LARGEST for name in COUNTED for value in jobs[name])


def write_index(root: Path, known: Known) -> None:
    """Write the index with one JSON array per field, which is the fastest form to read.

    Fails silently in a read-only library, which is then scanned in full in every session.
    """
    lines = [(stamp, entry) for stamp, entry in known.values() if isinstance(entry, Entry)]
    columns = list(zip(*(entry for _, entry in lines), strict=True))
    content = {
        "version": VERSION,
        "jobs": dict(
            zip(Entry._fields, columns if lines else [()] * len(Entry._fields), strict=True)
        ),
        "stamps": list(zip(*(stamp for stamp, _ in lines), strict=True)) or [(), (), ()],
        "problems": {job: line for job, line in known.items() if isinstance(line[1], str)},
    }
    with contextlib.suppress(OSError):
        write_whole(root.resolve() / FILE, json_bytes(content))
