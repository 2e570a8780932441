# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files: reads headers, detects truncation, and removes metadata before upload.

Pixels are not decoded, except to detect blank images. Pillow could do more, but is compiled code,
which would have to be bundled for every platform. Each format that a service accepts has a module,
which follows the format's specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names
from .limits import PictureLimits

if TYPE_CHECKING:
    from .blank import Blank, blank_png
    from .formats import check_picture, clean_picture, copy_profile, read_picture_info
    from .values import PictureInfo

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
    "values": ("PictureInfo",),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
