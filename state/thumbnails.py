# SPDX-License-Identifier: GPL-3.0-or-later
"""Thumbnails of jobs and results: loaded outside of drawing, which looks up their icon numbers.

Blender reads the image files later, on its own threads.
"""

from __future__ import annotations

from typing import Any

import bpy.utils.previews

# Some 50 pages of results. When full, all are dropped; visible ones load again next tick.
KEPT = 300

_loaded: list[Any] = []
"""Blender's collection of previews; empty while the add-on is disabled."""
_numbers: dict[str, int] = {}


def number_of(key: str) -> int:
    """Return a thumbnail's icon number; 0 if it is not loaded."""
    return _numbers.get(key, 0)


def load(key: str, path: str) -> bool:
    """Load an image file as the thumbnail for a key; return whether it was loaded.

    It is not loaded if the key has a thumbnail already or the add-on is disabled.
    """
    if not _loaded or key in _numbers:
        return False
    if len(_numbers) >= KEPT:
        _loaded[0].clear()
        _numbers.clear()
    _numbers[key] = _loaded[0].load(key, path, "IMAGE").icon_id
    return True


def forget(key: str) -> None:
    """Drop a thumbnail, so that its file is read again next time."""
    if _numbers.pop(key, 0) and key in _loaded[0]:
        del _loaded[0][key]


def register() -> None:
    """Create the preview collection."""
    _loaded.append(bpy.utils.previews.new())


def unregister() -> None:
    """Remove the preview collection with all thumbnails."""
    _numbers.clear()
    while _loaded:
        bpy.utils.previews.remove(_loaded.pop())
