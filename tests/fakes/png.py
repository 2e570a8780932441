# SPDX-License-Identifier: GPL-3.0-or-later
"""Gray PNG files of any size that are not blank, by the PNG specification."""

from __future__ import annotations

import random
import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png_of(width: int, height: int) -> bytes:
    """Return a gray PNG of this size, its last pixel white."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(((b"\0" + b"\x80" * width) * height)[:-1] + b"\xff")
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def noisy_png(width: int, height: int) -> bytes:
    """Return a gray PNG of noise, which cannot be compressed."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    noise = random.Random(1)
    rows = zlib.compress(b"".join(b"\0" + noise.randbytes(width) for _ in range(height)))
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
