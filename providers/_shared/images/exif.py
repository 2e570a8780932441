# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the orientation in an Exif block, and builds a block with nothing else."""

from __future__ import annotations

import struct

from .tiff_directory import read_directory
from .values import DAMAGED, valid_orientation

ORIENTATION = 274
PREFIX = b"Exif\0\0"


def orientation_in(block: bytes) -> int:
    """Return the orientation in an Exif block, 1 to 8; a damaged block counts as upright, 1."""
    try:
        found = read_directory(block.removeprefix(PREFIX)).first(ORIENTATION, 1)
    except DAMAGED:
        return 1
    return valid_orientation(found)


def block_of(orientation: int) -> bytes:
    """Return an Exif block, without its prefix, that contains only the orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
