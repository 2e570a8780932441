# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a picture file, and what its readers share."""

from __future__ import annotations

import struct
from dataclasses import dataclass

USE = "Use a PNG, JPEG, WebP, BMP, TIFF, OpenEXR or HDR picture."
AGAIN = "Save or download the picture again."
DAMAGED = (struct.error, LookupError, ValueError, OverflowError)
"""What reading a file raises where a length, a place or a field in it is not true."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a picture's head says.

    `width` and `height` are pixels as stored; `orientation` is Exif's 1 to 8 (1 is upright).
    """

    format: str
    width: int
    height: int
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a provider takes: sides in pixels, size in bytes."""

    min_side: int = 1
    max_side: int = 65_535
    max_bytes: int = 256 * 1024 * 1024


class CannotClean(ValueError):
    """A file that may be a good picture, and that only its pixels can be taken from."""


def valid_orientation(value: int) -> int:
    """Return an orientation as Exif knows it; 1 for anything else."""
    return value if 1 <= value <= 8 else 1
