# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG (W3C PNG, third edition): reads the header and removes metadata."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .exif import block_of, orientation_in
from .values import PictureInfo

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT"})
"""Chunks without which a PNG cannot be decoded; only their checksums matter."""
KEPT = NEEDED | {b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP"}
"""Chunks that pixels and colors need. Further frames of an animation are removed."""
LONGEST = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"sBIT": 4}
"""Maximum length of these chunks, in bytes; a longer one may contain text."""
# Real profiles have kilobytes; a larger one is a decompression bomb.
LARGEST_PROFILE = 16 * 1024 * 1024


def is_png(data: bytes) -> bool:
    """Return whether a file starts like a PNG."""
    return data.startswith(SIGNATURE)


def read_png(data: bytes) -> PictureInfo:
    """Read the header of a PNG. Raises an error in `DAMAGED` for a damaged or truncated file."""
    width, height = struct.unpack(">II", data[16:24])
    orientation = 1
    for kind, start, length in chunks(data):
        if kind == b"eXIf":
            orientation = orientation_in(data[start : start + length])
        if kind == b"IEND":
            return PictureInfo("png", width, height, orientation)
    raise ValueError("the IEND chunk is missing")


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, data offset and data length of each chunk, up to and including IEND.

    Raises an error in `DAMAGED` if a chunk is cut short, or one in `NEEDED` has a wrong checksum.
    """
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if at + 12 + length > len(data):
            raise ValueError("a chunk is truncated")
        if kind in NEEDED and zlib.crc32(
            memoryview(data)[at + 4 : at + 8 + length]
        ) != int.from_bytes(data[at + 8 + length : at + 12 + length]):
            raise ValueError("checksum")
        yield kind, at + 8, length
        if kind == b"IEND":
            return
        at += 12 + length


def has_alpha(data: bytes) -> bool:
    """Return whether a PNG may have transparent pixels. Errors as in `chunks`."""
    color_type = data[25]
    return color_type in (4, 6) or any(kind == b"tRNS" for kind, _, _ in chunks(data))


def clean_png(data: bytes, info: PictureInfo) -> bytes:
    """Return the file without metadata, except for profile and orientation.

    Further frames of an animation, and bytes after IEND, are removed as well.
    """
    whole = memoryview(data)
    pieces: list[bytes | memoryview] = [SIGNATURE]
    needs_orientation = info.orientation != 1
    for kind, start, length in chunks(data):
        if kind == b"IDAT" and needs_orientation:
            pieces.append(chunk(b"eXIf", block_of(info.orientation)))
            needs_orientation = False
        if kind == b"IEND":
            pieces.append(chunk(kind, b""))  # guard: png-ends-with-nothing
        elif length > LONGEST.get(kind, length):  # guard: png-chunks-by-length
            continue
        elif kind in KEPT:  # guard: png-chunks-by-name
            pieces.append(whole[start - 8 : start + length + 4])
    return b"".join(pieces)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a PNG chunk: its length, type, data, and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile_of_png(data: bytes) -> bytes:
    """Return the color profile, at most `LARGEST_PROFILE` bytes of it.

    Return empty bytes without a profile, or if it cannot be decompressed.
    """
    for kind, start, length in chunks(data):
        if kind == b"iCCP":
            # Preceded by its name and a byte for the compression method, which is always 0.
            packed = data[start : start + length].partition(b"\0")[2][1:]
            try:
                return zlib.decompressobj().decompress(packed, LARGEST_PROFILE)
            except zlib.error:
                return b""
    return b""


def png_with_profile(data: bytes, profile: bytes) -> bytes:
    """Return a PNG with this color profile instead of its own color chunks."""
    named = chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    # The profile goes right after IHDR: its type, 13 bytes of data and the checksum.
    head = data.index(b"IHDR") + 4 + 13 + 4
    # Other color chunks would contradict the profile.
    rest = b"".join(
        data[start - 8 : start + length + 4]
        for kind, start, length in chunks(data)
        if kind not in (b"IHDR", b"sRGB", b"iCCP", b"gAMA", b"cHRM")
    )
    return data[:head] + named + rest
