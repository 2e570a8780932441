# SPDX-License-Identifier: GPL-3.0-or-later
"""WebP (RFC 9649): reads the header and removes metadata."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .exif import block_of, orientation_in
from .values import CannotClean, PictureInfo

ANIMATED, HAS_EXIF, HAS_ALPHA, HAS_PROFILE = 2, 8, 16, 32
PIXELS = (b"VP8 ", b"VP8L")
FRAME = 16
"""Size of a frame's own header, before its pixels, in bytes."""


def is_webp(data: bytes) -> bool:
    """Return whether a file starts like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_webp(data: bytes) -> PictureInfo:
    """Read the header of a WebP. Raises an error in `DAMAGED` for a damaged or truncated file."""
    (size,) = struct.unpack("<I", data[4:8])
    if len(data) < size + 8:
        raise ValueError("the file is truncated")
    kind = data[12:16]
    if kind == b"VP8 ":
        # 14 bits each; the upper two are a scale for displaying the image (RFC 6386).
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[26:30]))
        return PictureInfo("webp", width, height)
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return PictureInfo("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise ValueError("the image chunk is missing")
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    # Like in libwebp, a chunk is ignored unless a flag in the header announces it.
    exif = _first(data, b"EXIF") if data[20] & HAS_EXIF else b""
    return PictureInfo("webp", width, height, orientation_in(exif) if exif else 1)


def clean_webp(data: bytes, info: PictureInfo) -> bytes:
    """Return the image without metadata, except for profile and orientation.

    Of an animation, only the first frame is kept. Raises CannotClean if that frame does not fill
    the canvas, ValueError if a chunk is damaged.
    """
    if data[12:16] != b"VP8X":
        kind, start, length = next(chunks(data, 12, len(data)))
        return _riff(_chunk(kind, data[start : start + length]))
    flags = data[20]
    alpha, pixels = _pixels(data, 12, len(data))
    if flags & ANIMATED:
        alpha, pixels = _first_frame(data)
    profile = profile_of_webp(data)
    pieces = [_chunk(b"ICCP", profile)] if profile else []
    pieces += [alpha, pixels]
    if info.orientation != 1:
        pieces.append(_chunk(b"EXIF", block_of(info.orientation)))
    kept = flags & HAS_ALPHA
    kept |= (HAS_PROFILE if profile else 0) | (HAS_EXIF if info.orientation != 1 else 0)
    head = _chunk(b"VP8X", bytes((kept, 0, 0, 0)) + data[24:30])
    return _riff(head, *pieces)  # guard: webp-chunks-by-name


def chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, data offset and data length of each chunk between the offsets `at` and `end`.

    Raises ValueError if a chunk is cut short.
    """
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise ValueError("a chunk is truncated")
        yield kind, at + 8, length
        at += 8 + length + (length & 1)


def profile_of_webp(data: bytes) -> bytes:
    """Return the color profile; empty bytes if it is damaged, or the header announces none."""
    has_profile = data[12:16] == b"VP8X" and data[20] & HAS_PROFILE
    return _first(data, b"ICCP") if has_profile else b""


def _first(data: bytes, wanted: bytes) -> bytes:
    try:
        for kind, start, length in chunks(data, 12, len(data)):
            if kind == wanted:
                return data[start : start + length]
    except ValueError:  # damaged metadata does not make the image unusable
        return b""
    return b""


def _pixels(data: bytes, at: int, end: int) -> tuple[bytes, bytes]:
    """Return the alpha chunk and the first pixel chunk, each empty if it is missing.

    Lossless pixels contain their own alpha, so an alpha chunk before them is left out.
    """
    alpha = b""
    for kind, start, length in chunks(data, at, end):
        if kind == b"ALPH" and not alpha:
            alpha = _chunk(kind, data[start : start + length])
        elif kind in PIXELS:
            return (alpha if kind == b"VP8 " else b""), _chunk(kind, data[start : start + length])
    return b"", b""


def _first_frame(data: bytes) -> tuple[bytes, bytes]:
    for kind, start, length in chunks(data, 12, len(data)):
        if kind != b"ANMF":
            continue
        fills = data[start : start + 6] == bytes(6) and data[start + 6 : start + 12] == data[24:30]
        if not fills:
            break
        return _pixels(data, start + FRAME, start + length)
    raise CannotClean


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def _riff(*pieces: bytes) -> bytes:
    size = 4 + sum(map(len, pieces))
    return b"".join((b"RIFF", struct.pack("<I", size), b"WEBP", *pieces))
