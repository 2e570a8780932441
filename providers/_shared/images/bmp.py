# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and cleans BMP files with any header, from OS/2's first to Windows' fifth version."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .values import PictureInfo

CORE = 12
HEADS = frozenset({CORE, 16, 40, 52, 56, 64, 108, 124})
PLAIN, FIELDS, ALPHA_FIELDS = 0, 3, 6
LINKED, EMBEDDED, SRGB = b"KNIL", b"DEBM", b"BGRs"
"""Color space types, in file order: a linked profile, an embedded profile, sRGB."""
COLORS, PROFILE = 14 + 56, 14 + 112
"""Offsets in a file with the fifth header: of the color space, and of the profile's position."""


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a BMP. `height` is negative if the rows are stored from the top.

    `size`, `masks` and `palette` are the sizes in bytes of the header itself, and of the color
    masks and palette that follow it. `bits` are those of a pixel, and `packing` is the compression.
    `pixels` are the offsets of the start and the end of the pixel data.
    """

    size: int
    width: int
    height: int
    bits: int
    packing: int
    masks: int
    palette: int
    pixels: tuple[int, int]


def is_bmp(data: bytes) -> bool:
    """Return whether a file starts like a BMP."""
    return data.startswith(b"BM")


def read_bmp(data: bytes) -> PictureInfo:
    """Read the header of a BMP.

    Raises an error in `DAMAGED` if the header is damaged or unknown, or pixels are missing.
    """
    head = _head(data)
    if head.pixels[1] > len(data):
        raise ValueError("the file is truncated")
    # A negative height means that the rows are stored from the top.
    return PictureInfo("bmp", head.width, abs(head.height))


def _head(data: bytes) -> Head:
    start, size = struct.unpack_from("<II", data, 10)
    if size not in HEADS:
        raise ValueError("unknown header")
    if size == CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packing, length, colors = PLAIN, 0, 0
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
        # Padded, because OS/2's header of 16 bytes ends before these fields, which are then zero.
        packing, length, _, _, colors = struct.unpack_from("<IIiiI", data.ljust(54, b"\0"), 30)
    if packing in (PLAIN, FIELDS, ALPHA_FIELDS):
        length = (width * bits + 31) // 32 * 4 * abs(height)
    entries = colors or (1 << bits if bits <= 8 else 0)
    palette = min(entries, 65_536) * (3 if size == CORE else 4)
    masks = 16 if size == 40 and packing in (FIELDS, ALPHA_FIELDS) else 0
    start = start or 14 + size + masks + palette  # guard: bmp-without-a-place
    # Some programs omit the size of compressed pixels: then these extend to the end of the file.
    length = length or max(0, len(data) - start)  # guard: bmp-without-a-size
    return Head(size, width, height, bits, packing, masks, palette, (start, start + length))


def clean_bmp(data: bytes) -> bytes:
    """Return the file without trailing data and profile paths, and with gaps filled with zeros.

    If all 32-bit pixels have an alpha of zero, viewers treat their fourth byte as unused. Not every
    reader does, so these pixels are made opaque.
    """
    head = _head(data)
    start, end = head.pixels
    header_end = min(14 + head.size + head.masks + head.palette, start)
    kept = bytearray(
        data[:header_end] + bytes(start - header_end) + data[start:end]
    )  # guard: bmp-ends-with-its-pixels
    # The reserved fields, which some programs use for notes, and the offset of the pixels.
    kept[6:14] = struct.pack("<II", 0, start)
    if head.bits == 32 and not any(data[start + 3 : end : 4]):
        kept[start + 3 : end : 4] = b"\xff" * len(kept[start + 3 : end : 4])
    if head.size >= 124:
        _keep_profile(kept, data)
    kept[2:6] = struct.pack("<I", len(kept))
    return bytes(kept)


def _keep_profile(kept: bytearray, data: bytes) -> None:
    """Append the embedded profile of `data` to `kept`, and set its position in the header.

    If there is only the path of a linked profile, remove that, and declare sRGB instead.
    """
    profile = profile_of_bmp(data)
    place = len(kept) - 14 if profile else 0
    kept[PROFILE : PROFILE + 8] = struct.pack("<II", place, len(profile))
    if not profile and data[COLORS : COLORS + 4] in (LINKED, EMBEDDED):
        kept[COLORS : COLORS + 4] = SRGB
    kept += profile


def profile_of_bmp(data: bytes) -> bytes:
    """Return the embedded color profile, or empty bytes without one."""
    (size,) = struct.unpack_from("<I", data, 14)
    if size < 124 or data[COLORS : COLORS + 4] != EMBEDDED:
        return b""
    start, length = struct.unpack_from("<II", data, PROFILE)
    return data[14 + start : 14 + start + length]
