# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job's mesh came into a scene: `imported.json`, a small file in the job's folder.

The clean-up of a full library asks it, so that nothing is taken that nobody has used.
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
"""Bytes of the file, at most."""


def log_import(folder: Path) -> None:
    """Note that the mesh came into a scene just now; a library that is read-only stays as it is."""
    kept, moment = _load(folder), now()
    times = kept.get("times", 0)
    kept = {
        "first": kept.get("first", moment),
        "last": moment,
        "times": times + 1 if isinstance(times, int) else 1,
    }
    with contextlib.suppress(OSError):
        write_whole(folder / IMPORTED, json.dumps(kept, indent=2).encode())


def last_import(folder: Path) -> str | None:
    """Return when the mesh last came into a scene; None if it never did."""
    last = _load(folder).get("last")
    return last if isinstance(last, str) else None


def _load(folder: Path) -> dict[str, Any]:
    try:
        kept = read_json(read_plain(folder / IMPORTED, MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}
