# SPDX-License-Identifier: GPL-3.0-or-later
"""A box that the user has drawn around the subject: all outside of it is background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..array_types import Singles

_MARGIN = 0.06
"""Margin of background that is seen around the box, as a share of its longer side."""
_LEAST = 8
"""Minimum side, in pixels, of the box with its margin."""


class Box(NamedTuple):
    """A rectangle as shares of the image's sides, from its left and its top."""

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the rows and columns of the box in an image (h, w, …), at least _LEAST of each."""
        return _slices(self, shape, 0.0)

    def surroundings(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the rows and columns of the box with a margin around it, within the image."""
        height, width = shape[:2]
        sides = (self.right - self.left) * width, (self.bottom - self.top) * height
        return _slices(self, shape, _MARGIN * max(sides))


def box_of(settings: Mapping[str, Any]) -> Box | None:
    """Return the box that settings describe; None if it is the whole image, or empty.

    Parts outside of the image are cut off.
    """
    ends = (float(settings.get(f"box_{name}", whole)) for name, whole in WHOLE.items())
    left, top, right, bottom = (min(max(end, 0.0), 1.0) for end in ends)
    box = Box(left, top, right, bottom)
    is_whole = box == Box(*WHOLE.values())
    return None if is_whole or left >= right or top >= bottom else box


WHOLE = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}


def clear_outside(matte: Singles, box: Box) -> Singles:
    """Return a matte (h, w) that is empty outside of the box."""
    cleared = np.zeros_like(matte)
    inside = box.pixels(matte.shape)
    cleared[inside] = matte[inside]
    return cleared


def _slices(box: Box, shape: tuple[int, ...], margin: float) -> tuple[slice, slice]:
    height, width = shape[:2]
    rows = _interval(box.top * height - margin, box.bottom * height + margin, height)
    return rows, _interval(box.left * width - margin, box.right * width + margin, width)


def _interval(first: float, last: float, length: int) -> slice:
    """Return the pixels from `first` to `last`, limited to `length`.

    There are at least _LEAST of them, or all if `length` is smaller.
    """
    least = min(_LEAST, length)
    start = min(max(0, round(first)), length - least)
    return slice(start, min(length, max(round(last), start + least)))
