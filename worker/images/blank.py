# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect blank images before a service charges for a mesh of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fresh_file import open_empty_file
from ..progress import Report
from .pixels import Pixels
from .read_image import read_image

SIDE = 2048
"""Longest side in pixels at which the image is examined."""
OPAQUE = 0.5
"""Alpha from which a pixel counts as visible."""
SPREAD = 6.5 / 255
"""An image whose channels vary by less has one color: the scan of an empty sheet has noise."""


def check_blank(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Check whether `request["picture"]` is blank.

    Return the result as `shows`: "transparent", "one_color", or "no" if it is not blank. Raise
    Refusal if Blender cannot read the image.
    """
    report(0.0, "Checking the image")
    open_empty_file()
    return {"shows": blank_reason(read_image(request["picture"], 1, SIDE))}


def blank_reason(pixels: Pixels) -> str:
    """Return "transparent" or "one_color" if pixels (h, w, 4) are blank, "no" if they are not."""
    if not (pixels[..., 3] >= OPAQUE).any():
        return "transparent"
    spread = pixels.max(axis=(0, 1)) - pixels.min(axis=(0, 1))
    return "one_color" if float(np.max(spread)) < SPREAD else "no"
