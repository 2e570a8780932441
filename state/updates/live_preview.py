# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch for live preview, and the hooks that a changed setting and its row call.

Neither `state` nor panels may import `app`, which does the work, so they only report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty

Listener = Callable[[bpy.types.Context], None]

_when_changed: list[Listener] = []
_when_drawn: list[Listener] = []


def switch() -> dict[str, Any]:
    """Return the scene's property that switches live preview on and off, by name."""
    return {
        "live_preview": BoolProperty(
            name="Live Preview",
            description="Preview changed settings on the active object, and update it once "
            "you stop changing them",
            default=True,
            options=set(),
        )
    }


def listen(changed: Listener | None, drawn: Listener | None) -> None:
    """Set the functions to call when a setting changes and when the switch is drawn.

    None removes a function. Both must be cheap: the first is called for each step of a dragged
    slider.
    """
    _when_changed[:] = [changed] if changed else []
    _when_drawn[:] = [drawn] if drawn else []


def note_change(_group: Any, context: bpy.types.Context) -> None:
    """Report a changed setting; this is the `update` callback of all provider settings."""
    for listener in _when_changed:
        listener(context)


def note_drawn(context: bpy.types.Context) -> None:
    """Report that the switch is being drawn, so that a preview may be requested soon."""
    for listener in _when_drawn:
        listener(context)
