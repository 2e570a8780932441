# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's sidebar tab, and the hook that its drawing calls.

Panels may not import `app`, which does the work, so they only report that they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable

TAB = "Image to Mesh"
"""The tab's name; Blender reports the visible tab of a region by this name."""

_wakers: list[Callable[[], None]] = []


def add_waker(waker: Callable[[], None]) -> None:
    """Call a function at each draw of the tab; it must be cheap."""
    if waker not in _wakers:
        _wakers.append(waker)


def remove_waker(waker: Callable[[], None]) -> None:
    """No longer call a function."""
    if waker in _wakers:
        _wakers.remove(waker)


def note_drawn() -> None:
    """Report that the tab is being drawn."""
    for waker in _wakers:
        waker()
