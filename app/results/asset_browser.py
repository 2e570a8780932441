# SPDX-License-Identifier: GPL-3.0-or-later
"""Have an Asset Browser that was just opened show the library.

A new editor has no parameters until it has been drawn, so its library can only be chosen later.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import heartbeat

INTERVAL = 0.5
ATTEMPTS = 20
"""Ticks before giving up, ten seconds in all: the window may have been closed."""
CHOICES = 3
"""How often the library is chosen: before a new window's first frame, a choice is not drawn."""

_wanted: dict[str, Any] = {}


def show_soon(name: str) -> None:
    """Have all Asset Browsers show the asset library with this name in Blender's preferences."""
    _wanted.update(name=name, attempts=ATTEMPTS, choices=CHOICES)
    heartbeat.wake()


def browsers(context: bpy.types.Context) -> list[bpy.types.Area]:
    """Return the Asset Browsers of all windows."""
    return [
        area
        for window in context.window_manager.windows
        for area in window.screen.areas
        if area.ui_type == "ASSETS"
    ]


def poll(context: bpy.types.Context, _now: float) -> None:
    """Choose the library in each Asset Browser that is ready; stop after CHOICES or ATTEMPTS."""
    _wanted["attempts"] -= 1
    ready = [area for area in browsers(context) if area.spaces.active.params is not None]
    for area in ready:
        area.spaces.active.params.asset_library_reference = _wanted["name"]
        area.tag_redraw()
    _wanted["choices"] -= bool(ready)
    if not (_wanted["choices"] and _wanted["attempts"]):
        _wanted.clear()


def is_needed(_context: bpy.types.Context) -> bool:
    """Return whether an Asset Browser is awaited."""
    return bool(_wanted)


STEP = heartbeat.Step("asset_browser", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step."""
    heartbeat.remove(STEP)
    _wanted.clear()
