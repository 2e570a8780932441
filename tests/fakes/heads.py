# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of any size, cut off soon after the header."""

from __future__ import annotations

import struct
import zlib

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}


def png(width: int, height: int, *, bits: int = 8, color: int = 2, whole: bool = False) -> bytes:
    """Return a PNG; a `whole` one can be decoded to a black picture of that size."""
    data = b""
    if whole:
        packer = zlib.compressobj(9)
        row = bytes(1 + (width * bits * _CHANNELS[color] + 7) // 8)
        rows, rest = divmod(height, 64)
        data = b"".join(packer.compress(row * 64) for _ in range(rows))
        data += packer.compress(row * rest) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def jpeg(width: int, height: int, before: int = 14) -> bytes:
    """Return the beginning of a JPEG with `before` bytes before its frame."""
    segments = b""
    while before > 0:
        size = min(before, 65_000)
        segments += b"\xff\xe1" + struct.pack(">H", size + 2) + bytes(size)
        before -= size
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + segments + frame


def webp(width: int, height: int) -> bytes:
    """Return the beginning of a WebP."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + sides


def tiff(width: int, height: int, order: str = "<", *, big: bool = False) -> bytes:
    """Return the head of a TIFF of one strip, without the strip."""
    tags = ((256, width), (257, height), (258, 8), (259, 1), (262, 2), (273, 8), (277, 3),
            (278, height), (279, 4))  # fmt: skip
    count, entry = ("Q", "HHQQ") if big else ("H", "HHII")
    first = struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8)
    entries = b"".join(struct.pack(order + entry, tag, 4, 1, value) for tag, value in tags)
    mark = b"II" if order == "<" else b"MM"
    return mark + first + struct.pack(order + count, len(tags)) + entries + bytes(8)


def bmp(width: int, height: int) -> bytes:
    """Return the head of a BMP."""
    return (
        b"BM" + struct.pack("<IHHIIiiHHI", 54, 0, 0, 54, 40, width, -height, 1, 24, 0) + bytes(20)
    )


def tga(width: int, height: int) -> bytes:
    """Return the head of a compressed TGA."""
    return struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, width, height, 24, 0) + bytes(40)


def hdr(width: int, height: int) -> bytes:
    """Return the head of a Radiance picture."""
    return f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode()


def exr(width: int, height: int) -> bytes:
    """Return the part of an OpenEXR head that says its size."""
    box = struct.pack("<iiii", 0, 0, width - 1, height - 1)
    return b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + box + b"\0"


def dds(width: int, height: int) -> bytes:
    """Return the head of a DDS."""
    return b"DDS " + struct.pack("<IIII", 124, 0x1007, height, width) + bytes(108)
