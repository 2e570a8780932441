# SPDX-License-Identifier: GPL-3.0-or-later
"""Values and errors shared by the readers of all formats."""

from __future__ import annotations

import struct
from dataclasses import dataclass

USE = "Use a PNG, JPEG, WebP, BMP, TIFF, OpenEXR, or HDR image."
AGAIN = "Save or download the image again."
DAMAGED = (struct.error, LookupError, ValueError, OverflowError)
"""Exceptions that readers raise for damaged files, such as those with wrong offsets."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """The format, such as "png", the size, and the orientation of an image, from its header.

    `width` and `height` are in pixels, as stored; `orientation` is 1 to 8 as in Exif (1 is
    upright).
    """

    format: str
    width: int
    height: int
    orientation: int = 1


class CannotClean(ValueError):
    """The metadata cannot be removed unless the image is decoded and encoded again."""


def valid_orientation(value: int) -> int:
    """Return `value` if it is an Exif orientation, which is 1 to 8; else 1, which is upright."""
    return value if 1 <= value <= 8 else 1
