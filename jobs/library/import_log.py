# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores when a job's mesh was imported into a scene, in `imported.json` in the job's folder.

If a library exceeds its size limit, only jobs that were imported are moved to the trash.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from ...providers._shared.untrusted_text import read_json
from ..disk.plain_files import read_plain, write_whole
from .file_names import IMPORTED
from .live_record import now

MOST = 1 << 16
"""Maximum size of `imported.json`, in bytes."""


def log_import(folder: Path) -> None:
    """Record that the job's mesh was imported now.

    Errors are ignored, since the library may be read-only.
    """
    before, moment = _load(folder), now()
    times = before.get("times", 0)
    content = {
        "first": before.get("first", moment),
        "last": moment,
        "times": times + 1 if isinstance(times, int) else 1,
    }
    with contextlib.suppress(OSError):
        write_whole(folder / IMPORTED, json.dumps(content, indent=2).encode())


def last_import(folder: Path) -> str | None:
    """Return the time of the last import, in UTC and ISO 8601; None if no import is recorded."""
    last = _load(folder).get("last")
    return last if isinstance(last, str) else None


def _load(folder: Path) -> dict[str, Any]:
    try:
        content = read_json(read_plain(folder / IMPORTED, MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
