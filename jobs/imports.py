# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job's mesh came into a scene: `imported.json`, a small file in the job's folder.

The clean-up of a full library asks it, so that nothing is taken that nobody has used.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from ..providers._texts import read_json
from .keeping import now
from .library import IMPORTED


def note_import(folder: Path) -> None:
    """Note that the mesh came into a scene just now; a library that is read-only stays as it is."""
    kept, moment = _load(folder), now()
    times = kept.get("times", 0)
    kept = {
        "first": kept.get("first", moment),
        "last": moment,
        "times": times + 1 if isinstance(times, int) else 1,
    }
    side = folder / f".{IMPORTED}.new"
    with contextlib.suppress(OSError):
        side.write_text(json.dumps(kept, indent=2), encoding="utf-8")
        side.replace(folder / IMPORTED)


def last_import(folder: Path) -> str | None:
    """Return when the mesh last came into a scene; None if it never did."""
    last = _load(folder).get("last")
    return last if isinstance(last, str) else None


def _load(folder: Path) -> dict[str, Any]:
    try:
        kept = read_json((folder / IMPORTED).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}
