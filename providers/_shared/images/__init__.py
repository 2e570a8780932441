# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture files: what their heads say, whether they are whole, and what of them is sent.

Nothing is decoded here and nothing encoded; layouts are those of the formats' specifications. One
file per format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names
from .values import PictureInfo, PictureLimits

if TYPE_CHECKING:
    from .blank import Blank, blank_png
    from .formats import check_picture, clean_picture, copy_profile, read_picture_info

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

_HOMES = {
    "blank": ("Blank", "blank_png"),
    "formats": ("check_picture", "clean_picture", "copy_profile", "read_picture_info"),
}

if not TYPE_CHECKING:  # it would allow any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
