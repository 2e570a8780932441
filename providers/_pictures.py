# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a picture file's head: format, size, orientation, and whether the file is whole.

Nothing is decoded here. Layouts are those of the PNG, JPEG/Exif, WebP, BMP, TIFF 6, OpenEXR and
Radiance HDR specifications.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ._errors import BadImage

USE = "Use a PNG, JPEG, WebP, BMP, TIFF, OpenEXR or HDR picture."
AGAIN = "Save or download the picture again."
DAMAGED = (struct.error, LookupError, ValueError)
"""What reading a head raises where a length, a place or a field in it is not true."""


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


def read_picture_info(data: bytes, name: str) -> PictureInfo:
    """Say what the picture file in `data` is.

    Raises BadImage if it is empty, no picture, of a kind that is not read here, or cut short.
    """
    if not data:
        raise BadImage(f"{name} is empty (0 bytes).", AGAIN)
    for matches, format_, read in _FORMATS:
        if matches(data):
            try:
                info = read(data)
            except DAMAGED as error:
                raise BadImage(f"{name} is damaged or cut short ({format_}).", AGAIN) from error
            if info.width < 1 or info.height < 1:
                raise BadImage(f"{name} has no pixels.", AGAIN)
            return info
    for magic, what in _KNOWN_BUT_NOT_READ:
        if magic in data[:16]:
            raise BadImage(f"{name} is {what}, which cannot be used.", USE)
    raise BadImage(f"{name} is not a picture, whatever its name says.", USE)


def check_picture(info: PictureInfo, size: int, limits: PictureLimits, name: str) -> None:
    """Raise BadImage if a picture of `size` bytes is outside of `limits`."""
    width, height = info.width, info.height
    if min(width, height) < limits.min_side:
        raise BadImage(
            f"{name} is {width} × {height} pixels, which is too small.",
            f"Use a picture of at least {limits.min_side} × {limits.min_side} pixels.",
        )
    if max(width, height) > limits.max_side:
        raise BadImage(
            f"{name} is {width} × {height} pixels, which is too large.",
            f"Scale it down to at most {limits.max_side} pixels on its longer side.",
        )
    if size > limits.max_bytes:
        raise BadImage(
            f"{name} has {size / 1e6:.0f} MB, which is too much.",
            f"Save it with at most {limits.max_bytes / 1e6:.0f} MB.",
        )


def _png(data: bytes) -> PictureInfo:
    width, height = struct.unpack(">II", data[16:24])
    orientation = 1
    for kind, start, length in _png_chunks(data):
        if kind == b"eXIf":
            orientation = _exif_orientation(data[start : start + length])
        if kind == b"IEND":
            return PictureInfo("png", width, height, orientation)
    raise ValueError("no IEND chunk")


_NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT"})
"""Chunks without which nobody decodes a PNG; a wrong checksum elsewhere does no harm."""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if at + 12 + length > len(data):
            raise ValueError("chunk cut short")
        if kind in _NEEDED and zlib.crc32(data[at + 4 : at + 8 + length]) != int.from_bytes(
            data[at + 8 + length : at + 12 + length]
        ):
            raise ValueError("checksum")
        yield kind, at + 8, length
        at += 12 + length


_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(data: bytes) -> PictureInfo:
    width = height = 0
    orientation = 1
    for marker, start, length in _jpeg_segments(data):
        if marker in _SIZE_MARKERS:
            height, width = struct.unpack(">HH", data[start + 1 : start + 5])
        elif marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            orientation = _exif_orientation(data[start + 6 : start + length])
        elif marker == 0xDA:
            # An Exif thumbnail has an end marker of its own, so look behind the scan's start.
            if data.rfind(b"\xff\xd9", start) < 0:
                raise ValueError("no end of image")
            return PictureInfo("jpeg", width, height, orientation)
    raise ValueError("no scan")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("marker expected")
        marker = data[at + 1]
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        yield marker, at + 4, length - 2
        at += 2 + length


def _webp(data: bytes) -> PictureInfo:
    (size,) = struct.unpack("<I", data[4:8])
    if len(data) < size + 8:
        raise ValueError("cut short")
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[26:30]))
        return PictureInfo("webp", width, height)
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return PictureInfo("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    exif = data.find(b"EXIF", 30)
    orientation = _exif_orientation(data[exif + 8 :]) if data[20] & 8 and exif > 0 else 1
    return PictureInfo("webp", width, height, orientation)


def _bmp(data: bytes) -> PictureInfo:
    (size,) = struct.unpack("<I", data[2:6])
    width, height = struct.unpack("<ii", data[18:26])
    if len(data) < size:
        raise ValueError("cut short")
    return PictureInfo("bmp", width, abs(height))


def _tiff(data: bytes) -> PictureInfo:
    tags = _tiff_tags(data)
    for starts, sizes in ((273, 279), (324, 325)):  # strips, tiles
        for start, size in zip(_tiff_list(data, starts), _tiff_list(data, sizes), strict=False):
            if start + size > len(data):
                raise ValueError("cut short")
    return PictureInfo("tiff", tags[256], tags[257], _valid_orientation(tags.get(274, 1)))


def _tiff_tags(data: bytes) -> dict[int, int]:
    """Return the first directory's single SHORT and LONG values by tag."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack(order + "I", data[4:8])
    (count,) = struct.unpack(order + "H", data[at : at + 2])
    tags: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack(order + "HH", data[entry : entry + 4])
        if kind in (3, 4):
            layout = order + ("H" if kind == 3 else "I")
            (tags[tag],) = struct.unpack_from(layout, data, entry + 8)
    if {256, 257} <= tags.keys() or 274 in tags:
        return tags
    raise ValueError("no size")


def _tiff_list(data: bytes, wanted: int) -> tuple[int, ...]:
    """Return the SHORT or LONG values of a tag of the first directory; nothing if it is not there.

    Where there are more than fit into the entry, it holds the place where they stand.
    """
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack(order + "I", data[4:8])
    (entries,) = struct.unpack(order + "H", data[at : at + 2])
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack(order + "HHI", data[entry : entry + 8])
        if tag == wanted and kind in (3, 4):
            width = 2 if kind == 3 else 4
            place = entry + 8
            if width * count > 4:
                (place,) = struct.unpack(order + "I", data[place : place + 4])
            layout = f"{order}{count}{'H' if kind == 3 else 'I'}"
            return struct.unpack(layout, data[place : place + width * count])
    return ()


def _exif_orientation(block: bytes) -> int:
    """Read orientation out of an Exif block; a broken block never spoils the picture."""
    block = block.removeprefix(b"Exif\0\0")
    try:
        return _valid_orientation(_tiff_tags(block).get(274, 1))
    except DAMAGED:
        return 1


def _valid_orientation(value: int) -> int:
    return value if 1 <= value <= 8 else 1


def _exr(data: bytes) -> PictureInfo:
    at = data.index(b"dataWindow\0box2i\0") + 17 + 4
    left, bottom, right, top = struct.unpack("<iiii", data[at : at + 16])
    return PictureInfo("exr", right - left + 1, top - bottom + 1)


def _hdr(data: bytes) -> PictureInfo:
    head = data[:4096].split(b"\n\n", 1)
    words = head[1].split(b"\n", 1)[0].split()
    sides = dict(zip((word[-1:] for word in words[::2]), words[1::2], strict=True))
    return PictureInfo("hdr", int(sides[b"X"]), int(sides[b"Y"]))


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


_FORMATS: tuple[
    tuple[Callable[[bytes], bool], str, Callable[[bytes], PictureInfo]],
    ...,
] = (
    (lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), "PNG", _png),
    (lambda data: data.startswith(b"\xff\xd8\xff"), "JPEG", _jpeg),
    (_is_webp, "WebP", _webp),
    (lambda data: data.startswith(b"BM"), "BMP", _bmp),
    (lambda data: data.startswith((b"II*\0", b"MM\0*")), "TIFF", _tiff),
    (lambda data: data.startswith(b"\x76\x2f\x31\x01"), "OpenEXR", _exr),
    (lambda data: data.startswith((b"#?RADIANCE", b"#?RGBE")), "HDR", _hdr),
)

_KNOWN_BUT_NOT_READ: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
    (b"8BPS", "a Photoshop file"),
    (b"ftypheic", "a HEIC photo"),
    (b"ftypheix", "a HEIC photo"),
    (b"ftypmif1", "a HEIC photo"),
    (b"ftypavif", "an AVIF picture"),
    (b"jP  ", "a JPEG 2000 picture"),
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an SVG or XML file"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
)
