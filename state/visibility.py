# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's tab, and the hook by which its drawing wakes what keeps it up to date.

Panels may not import the room that does the work; they only note that they were drawn.
"""

from __future__ import annotations

from collections.abc import Callable

TAB = "Image to Mesh"
"""The sidebar tab's name, by which Blender says which tab a region shows."""

_wakers: list[Callable[[], None]] = []


def call_when_drawn(waker: Callable[[], None] | None) -> None:
    """Set what is called at each draw of the tab, from within the draw: it has to be cheap."""
    _wakers[:] = [] if waker is None else [waker]


def note_drawn() -> None:
    """Note that the tab is being drawn, so that it is in sight."""
    for waker in _wakers:
        waker()
