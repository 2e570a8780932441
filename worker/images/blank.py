# SPDX-License-Identifier: GPL-3.0-or-later
"""See whether a picture shows anything, before somebody pays for a mesh of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..fresh_file import empty_file
from .pixels import Pixels
from .read_image import read_photo

SIDE = 2048
"""Longest side in pixels of what is looked at."""
OPAQUE = 0.5
SPREAD = 6.5 / 255
"""Channels that differ by less are one color: an empty sheet has the scanner's noise."""


def check(request: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Decode `request["picture"]`; say what it `shows`: `transparent`, `one_color` or `no` blank.

    Raise Refusal if Blender cannot read it.
    """
    report(0.0, "Looking at the picture")
    empty_file()
    return {"shows": blank(read_photo(request["picture"], 1, SIDE))}


def blank(pixels: Pixels) -> str:
    """Return why there is nothing to be seen in (height, width, 4) pixels; `no` where there is."""
    if not (pixels[..., 3] >= OPAQUE).any():
        return "transparent"
    spread = pixels.max(axis=(0, 1)) - pixels.min(axis=(0, 1))
    return "one_color" if float(np.max(spread)) < SPREAD else "no"
