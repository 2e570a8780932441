# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's sidebar tab and popover, and the hook that drawing them calls.

Panels may not import `app`, which does the work, so they only report that they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TAB = "Image to Mesh"
"""The tab's name; Blender reports the visible tab of a region by this name."""

_popovers: list[Any] = []
"""The region of the popover that was drawn last; it may be gone."""
_wakers: list[Callable[[], None]] = []


def add_waker(waker: Callable[[], None]) -> None:
    """Register a function to be called at each draw of the tab; it must be cheap."""
    if waker not in _wakers:
        _wakers.append(waker)


def remove_waker(waker: Callable[[], None]) -> None:
    """Stop calling a function at each draw of the tab."""
    if waker in _wakers:
        _wakers.remove(waker)


def note_drawn() -> None:
    """Report that the tab is being drawn."""
    for waker in _wakers:
        waker()


def note_popover(region: Any) -> None:
    """Report that the popover is being drawn in a region, which `app` lays out again later."""
    _popovers[:] = [region] if region else []
    note_drawn()


def drawn_popovers() -> list[Any]:
    """Return the region of the popover that was drawn last, if any; it may be gone."""
    return _popovers
