# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture files: what their heads say, whether they are whole, and what of them is sent.

Nothing is decoded here and nothing encoded; layouts are those of the formats' specifications. One
file per format.
"""

from __future__ import annotations

from .blank import Blank, blank_png
from .formats import check_picture, clean_picture, copy_profile, read_picture_info
from .values import PictureInfo, PictureLimits

__all__ = [
    "Blank",
    "PictureInfo",
    "PictureLimits",
    "blank_png",
    "check_picture",
    "clean_picture",
    "copy_profile",
    "read_picture_info",
]
