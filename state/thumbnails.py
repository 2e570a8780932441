# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of jobs and results: named off draw, looked up by number while drawing.

Blender reads the files itself, later and beside the interface.
"""

from __future__ import annotations

from typing import Any

import bpy.utils.previews

KEPT = 300

_loaded: list[Any] = []
"""Blender's collection of previews; empty while the add-on is disabled."""
_numbers: dict[str, int] = {}


def number_of(key: str) -> int:
    """Return the icon's number; 0 while there is none."""
    return _numbers.get(key, 0)


def load(key: str, path: str) -> bool:
    """Have a picture file shown under this key from now on; say whether that is new."""
    if not _loaded or key in _numbers:
        return False
    if len(_numbers) >= KEPT:
        _loaded[0].clear()
        _numbers.clear()
    _numbers[key] = _loaded[0].load(key, path, "IMAGE").icon_id
    return True


def forget(key: str) -> None:
    """Have the file read anew when it is asked for again."""
    if _numbers.pop(key, 0) and key in _loaded[0]:
        del _loaded[0][key]


def register() -> None:
    """Open the collection."""
    _loaded.append(bpy.utils.previews.new())


def unregister() -> None:
    """Free all pictures."""
    _numbers.clear()
    while _loaded:
        bpy.utils.previews.remove(_loaded.pop())
