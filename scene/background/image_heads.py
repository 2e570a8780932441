# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a picture in a mesh file is, told by its head: some kilobytes may decode to many GB.

Nothing here imports bpy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .refusal import OTHER_FORMAT, Refusal

MAX_PIXELS = 16384 * 16384
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def check_image(data: bytes | NDArray[np.uint8]) -> None:
    """Raise Refusal if a picture would decode to more pixels than any texture has."""
    size = picture_size(bytes(data[: 64 * 1024]))
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        what = f"A texture of the mesh file has {size[0]:,} × {size[1]:,} pixels, too many to open."
        raise Refusal("bad_mesh", what, OTHER_FORMAT)


def picture_size(head: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, JPEG or WebP picture, None where its head does not say."""
    try:
        if head.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", head, 16)
            return width, height
        if head.startswith(b"\xff\xd8"):
            return next(_jpeg_sizes(head), None)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp_size(head)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_sizes(head: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while at + 9 <= len(head):
        mark = head[at + 1]
        if head[at] != 0xFF or mark == 0xFF:
            at += 1
        elif mark in _FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            yield width, height
            return
        else:
            at += 2 if mark in _ALONE else 2 + struct.unpack_from(">H", head, at + 2)[0]


def _webp_size(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", head, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF
