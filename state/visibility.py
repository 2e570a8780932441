# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's sidebar tab, and the hook that its drawing calls.

Panels may not import `app`, which does the work, so they only report that they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable

TAB = "Image to Mesh"
"""The tab's name; Blender reports the visible tab of a region by this name."""

_wakers: list[Callable[[], None]] = []


def call_when_drawn(waker: Callable[[], None] | None) -> None:
    """Set the function called at each draw of the tab; it must be cheap. None removes it."""
    _wakers[:] = [] if waker is None else [waker]


def note_drawn() -> None:
    """Report that the tab is being drawn."""
    for waker in _wakers:
        waker()
