# SPDX-License-Identifier: GPL-3.0-or-later
"""TIFF 6 and BigTIFF: reads the header of the first image, and removes metadata.

The pixel blocks are copied without decoding, with the tags that are needed to decode them.
"""

from __future__ import annotations

import struct

from .tiff_directory import WHOLE, Directory, read_directory
from .values import CannotClean, PictureInfo, valid_orientation

WIDTH, HEIGHT, PACKING, ORIENTATION, PROFILE, RAW = 256, 257, 259, 274, 34675, 50706
STRIPS, TILES = (273, 279), (324, 325)
"""Tags of the offsets and of the sizes of the pixel blocks."""
KEPT = frozenset({
    WIDTH, HEIGHT, 258, PACKING, 262, 266, 277, 278, 284, 292, 293, 301, 317, 318, 319, 320,
    322, 323, 332, 334, 336, 338, 339, 340, 341, 529, 530, 531, 532, PROFILE,
})  # fmt: skip
"""Tags that pixels and colors need."""
SELF_CONTAINED = frozenset({1, 2, 3, 4, 5, 8, 32773, 32946})
"""Compressions that every reader supports and that cannot contain metadata.

LZMA and Zstandard are not among them: many readers silently produce black pixels, so such an image
is never sent unconverted.
"""
SHORT, LONG, QUAD = 3, 4, 16


def is_tiff(data: bytes) -> bool:
    """Return whether a file starts like a TIFF."""
    return data.startswith((b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"))


def read_tiff(data: bytes) -> PictureInfo:
    """Read the header of a TIFF's first image.

    Raises an error in `DAMAGED` if the file is damaged, or pixel data is missing.
    """
    found = read_directory(data)
    for starts, sizes in (STRIPS, TILES):
        for start, size in zip(found.numbers(starts), found.numbers(sizes), strict=False):
            if start + size > len(data):
                raise ValueError("the file is truncated")
    (width, *_), (height, *_) = found.numbers(WIDTH), found.numbers(HEIGHT)
    orientation = valid_orientation(found.first(ORIENTATION, 1))
    return PictureInfo("tiff", width, height, orientation)


def clean_tiff(data: bytes, info: PictureInfo) -> bytes:
    """Return a classic TIFF of the first image, with only the profile and orientation as metadata.

    Raises CannotClean if the pixel data may contain metadata or cannot be located, and for camera
    raw files and compressions other than `SELF_CONTAINED`.
    """
    found = read_directory(data)
    if RAW in found.fields or found.first(PACKING, 1) not in SELF_CONTAINED:
        raise CannotClean
    starts, sizes = STRIPS if STRIPS[0] in found.fields else TILES
    places = found.numbers(starts)
    lengths = found.numbers(sizes)
    if not places or len(places) != len(lengths):
        raise CannotClean
    if not all(lengths):  # guard: tiff-blocks-have-a-size
        raise CannotClean
    if sum(lengths) > len(data):  # guard: tiff-blocks-named-once
        raise CannotClean
    pieces, at, moved = list[bytes | memoryview](), 8, list[int]()
    whole = memoryview(data)
    # Padded, so that the directory after them has an even offset, as TIFF 6 requires.
    for start, length in zip(places, lengths, strict=True):
        moved.append(at)
        pieces += [whole[start : start + length], bytes(length & 1)]
        at += length + (length & 1)
    values = {
        tag: _value(found, tag) for tag in sorted(KEPT & found.fields.keys())
    }  # guard: tiff-tags-by-name
    values[starts] = LONG, len(moved), struct.pack(f"{found.order}{len(moved)}I", *moved)
    values[sizes] = LONG, len(lengths), struct.pack(f"{found.order}{len(lengths)}I", *lengths)
    if info.orientation != 1:
        values[ORIENTATION] = SHORT, 1, struct.pack(found.order + "H", info.orientation)
    magic = b"II*\0" if found.order == "<" else b"MM\0*"
    head = magic + struct.pack(found.order + "I", at)
    return b"".join((head, *pieces, _directory(values, at, found.order)))


def _value(found: Directory, tag: int) -> tuple[int, int, bytes]:
    """Return an entry's type, count and bytes for a classic TIFF, which has no 64-bit integers."""
    entry = found.fields[tag]
    if entry.kind in WHOLE and entry.kind >= QUAD:
        numbers = found.numbers(tag)
        return LONG, entry.count, struct.pack(f"{found.order}{entry.count}I", *numbers)
    return entry.kind, entry.count, found.raw(tag)


def _directory(values: dict[int, tuple[int, int, bytes]], at: int, order: str) -> bytes:
    """Return a directory for the offset `at`, followed by the values that do not fit its entries.

    `values` has the type, count and bytes of each entry, by tag.
    """
    behind = at + 2 + 12 * len(values) + 4
    entries, rest = [struct.pack(order + "H", len(values))], b""
    for tag, (kind, count, raw) in sorted(values.items()):
        stored = raw.ljust(4, b"\0")
        if len(raw) > 4:
            stored = struct.pack(order + "I", behind + len(rest))
            rest += raw + bytes(len(raw) & 1)
        entries.append(struct.pack(order + "HHI", tag, kind, count) + stored)
    return b"".join((*entries, bytes(4), rest))


def profile_of_tiff(data: bytes) -> bytes:
    """Return the color profile, or empty bytes without one."""
    found = read_directory(data)
    return found.raw(PROFILE) if PROFILE in found.fields else b""
