# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads headers of formats that no service accepts, and names unsupported ones for messages.

The readers raise an error in `DAMAGED` for a damaged header.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from ..messages import Message
from .values import PictureInfo

TEXT = 512
"""Bytes at the start of a text file that are searched for its type."""
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
AVIF = (b"avif", b"avis")
"""Brands of ISO media files that hold a photo (ISO/IEC 23008-12)."""
TARGA = b"TRUEVISION-XFILE.\0"
TARGA_KINDS = {1: 1, 2: 0, 3: 0, 9: 1, 10: 0, 11: 0}
"""Whether an image type has a palette (1) or not (0); types from 9 on are run-length encoded."""


def read_exr(data: bytes) -> PictureInfo:
    """Read the header of an OpenEXR file. The size is that of its data window."""
    # Name and type take 17 bytes with their null characters, the attribute's size 4.
    at = data.index(b"dataWindow\0box2i\0") + 17 + 4
    left, bottom, right, top = struct.unpack("<iiii", data[at : at + 16])
    return PictureInfo("exr", right - left + 1, top - bottom + 1)


def read_hdr(data: bytes) -> PictureInfo:
    """Read the header of a Radiance HDR file."""
    head = data[:4096].split(b"\n\n", 1)
    words = head[1].split(b"\n", 1)[0].split()
    sides = dict(zip((word[-1:] for word in words[::2]), words[1::2], strict=True))
    return PictureInfo("hdr", int(sides[b"X"]), int(sides[b"Y"]))


def read_jp2(data: bytes) -> PictureInfo:
    """Read the header of a JPEG 2000 file or codestream."""
    at = data.index(b"\xff\x4f\xff\x51")
    # Two markers, the length of the segment and the capabilities take 2 bytes each.
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    return PictureInfo("jp2", right - left, bottom - top)


def read_targa(data: bytes) -> PictureInfo:
    """Read the header of a Targa file."""
    return PictureInfo("tga", *struct.unpack_from("<HH", data, 12))


def is_targa(data: bytes) -> bool:
    """Return whether a file is a Targa, by its footer or, in older files, by its header."""
    if data.endswith(TARGA):
        return True
    if len(data) < 18 or name_of(data):
        return False
    note, palette, kind = data[:3]
    width, height, depth, more = struct.unpack_from("<HHBB", data, 12)
    # Older files have no signature. The upper two bits of the descriptor, `more`, must be zero.
    is_valid = TARGA_KINDS.get(kind) == palette and depth in (8, 15, 16, 24, 32) and more < 64
    # The size of run-length encoded pixels is unknown.
    least = 0 if kind > 8 else width * height * ((depth + 7) // 8)
    return is_valid and bool(width and height) and len(data) >= 18 + note + least


def read_sgi(data: bytes) -> PictureInfo:
    """Read the header of an SGI image."""
    return PictureInfo("sgi", *struct.unpack_from(">HH", data, 6))


def is_jp2(data: bytes) -> bool:
    """Return whether a file starts like a JPEG 2000."""
    return data.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"))


def is_heif(data: bytes) -> bool:
    """Return whether a file starts like a HEIC or AVIF photo."""
    return data[4:8] == b"ftyp" and data[8:12] in HEIC + AVIF


def name_of(data: bytes) -> Message | None:
    """Return the name of an unsupported file's type, such as “a GIF”; None if it is unknown."""
    for matches, title in _KNOWN:
        if matches(data):
            return title
    text = data[:TEXT].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, title in _TEXTS:
        if text.startswith(start):
            return title
    return None


def _begins(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(magics)


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda data: data[4:8] == b"ftyp" and data[8:12] in brands


_KNOWN: tuple[tuple[Callable[[bytes], bool], Message], ...] = (
    (_begins(b"GIF8"), Message("a GIF")),
    (_begins(b"8BPS"), Message("a Photoshop file")),
    (_begins(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), Message("a JPEG XL image")),
    (
        _brand(*HEIC),
        Message("a HEIC photo"),
    ),
    (_brand(*AVIF), Message("an AVIF image")),
    (_brand(b"crx "), Message("a camera raw photo")),
    (lambda data: data[4:8] == b"ftyp", Message("a movie")),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"AVI ", Message("a movie")),
    (_begins(b"\x1a\x45\xdf\xa3"), Message("a movie")),
    (_begins(b"%PDF"), Message("a PDF")),
    (_begins(b"DDS "), Message("a DDS texture")),
    (_begins(b"PK\3\4"), Message("a ZIP archive")),
    (_begins(b"\0\0\1\0"), Message("an icon")),
    (_begins(b"BLENDER", b"\x28\xb5\x2f\xfd"), Message("a Blender file")),
    (_begins(b"qoif"), Message("a QOI image")),
)
_TEXTS: tuple[tuple[bytes, Message], ...] = (
    (b"<svg", Message("an SVG drawing")),
    (b"<!doctype svg", Message("an SVG drawing")),
    (b"<!doctype", Message("a web page")),
    (b"<html", Message("a web page")),
    (b"<head", Message("a web page")),
    (b"<?xml", Message("an SVG or XML file")),
    (b"<!--", Message("a web page")),
)
