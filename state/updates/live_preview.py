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
    """Return the scene's property that turns live preview on and off."""
    return {
        "live_preview": BoolProperty(
            name="Live Preview",
            description="Show changed settings on the active result at once, and update it when "
            "they stay",
            default=True,
            options=set(),
        )
    }


def listen(changed: Listener | None, drawn: Listener | None) -> None:
    """Set what is called when a setting changes, and when the switch is drawn; None removes it.

    Both must be cheap: the first is called for each step of a dragged slider.
    """
    _when_changed[:] = [changed] if changed else []
    _when_drawn[:] = [drawn] if drawn else []


def note_change(_group: Any, context: bpy.types.Context) -> None:
    """Report a changed setting: the `update` function of all settings of providers."""
    for listener in _when_changed:
        listener(context)


def note_drawn(context: bpy.types.Context) -> None:
    """Report that the switch is being drawn, so that a preview may be asked for soon."""
    for listener in _when_drawn:
        listener(context)
