# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the size of images in a mesh file from their headers: kilobytes may decode to many GB.

All images of a model share a budget of decoded bytes. An image counts once for each use, since
Blender creates an image data-block per use. No bpy.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..refusal import OTHER_FORMAT, Message, Refusal

MAX_DECODED = 1024**3
"""Bytes that a model's decoded images may take: four of 8192 × 8192 pixels. Rendering the preview
briefly takes up to three times as much."""
BYTE, FLOAT = 4, 16
"""Bytes per pixel: Blender stores four channels, of 8 bits or 32-bit float each."""

GLTF_KINDS = frozenset({"PNG", "JPEG", "WebP", "KTX2"})
"""Image formats of glTF. Blender cannot read KTX2, which is accompanied by another image."""
OTHER_KINDS = GLTF_KINDS | {"BMP", "TIFF", "TGA", "HDR", "EXR", "DDS", "unknown"}
_VARIABLE = frozenset({"BMP", "TIFF", "HDR", "EXR", "DDS"})
"""Formats with more ways to store a size than are implemented here."""

HEAD = 1024 * 1024
"""Bytes at the start of a file that are searched for fields of text headers."""

Bytes = bytes | mmap.mmap | NDArray[np.uint8]
Size = tuple[int, int, int]
"""Width and height in pixels, and bytes per pixel."""

_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers of frames (SOF), which hold the size."""
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}


class ImageBudget:
    """The memory budget of a model's images; only formats in `kinds` are accepted."""

    def __init__(self, kinds: frozenset[str] = OTHER_KINDS) -> None:
        self._kinds = kinds
        self._decoded = 0

    def add(self, data: Bytes) -> None:
        """Count one use of an image.

        Raise Refusal if its format is not supported, if the budget is exceeded, or if its size
        cannot be read in a format of _VARIABLE. A damaged image of another format does not count.
        """
        kind, size = read_image_header(data)
        if kind not in self._kinds:  # guard: texture-kinds
            raise Refusal("bad_mesh", _unread(kind), OTHER_FORMAT)
        if size is None:
            if kind in _VARIABLE:
                raise Refusal("bad_mesh", "A texture in the mesh file is damaged.", OTHER_FORMAT)
            return  # Too damaged for its decoder to allocate memory.
        width, height, depth = size
        if width * height * depth > MAX_DECODED:  # guard: one-texture-is-bounded
            message = Message(
                "A texture in the mesh file is too large: {width} × {height} pixels.",
                width=f"{width:,}",
                height=f"{height:,}",
            )
            raise Refusal("bad_mesh", message, OTHER_FORMAT)
        self._decoded += width * height * depth
        if self._decoded > MAX_DECODED:  # guard: textures-share-a-budget
            message = Message(
                "The textures in the mesh file would use more than {size} GB of memory.",
                size=f"{MAX_DECODED / 1e9:.1f}",
            )
            raise Refusal(
                "bad_mesh", message, "Generate or export it with fewer or smaller textures."
            )

    def add_file(self, path: Path) -> None:
        """Count one use of an image file as `add` does; an empty or unreadable file is ignored."""
        try:
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                self.add(data)
        except (OSError, ValueError):  # An empty file cannot be mapped.
            return


def _unread(kind: str) -> str:
    if kind == "unknown":
        return "A texture in the mesh file is not an image."
    return Message(
        "A texture in the mesh file is a {kind} image, which is not supported.", kind=kind
    )


def read_image_header(data: Bytes) -> tuple[str, Size | None]:
    """Return an image's format, judged by its content, and its size.

    The format is "unknown" if it is not recognized. The size is None if it cannot be read.
    """
    begin = bytes(data[:32])
    kind = next((name for mark, name in _SIGNATURES if mark.match(begin)), "")
    reader = _READERS.get(kind or "TGA")
    try:
        size = reader(data) if reader else None
    except (struct.error, IndexError, ValueError, LookupError):
        size = None
    if not kind:
        return ("TGA" if size else "unknown"), size
    return kind, size


_SIGNATURES = tuple(
    (re.compile(mark, re.DOTALL), name)
    for mark, name in (
        (rb"\x89PNG\r\n\x1a\n", "PNG"),
        (rb"\xff\xd8", "JPEG"),
        (rb"RIFF....WEBP", "WebP"),
        (rb"\xabKTX [12]", "KTX2"),
        (rb"BM", "BMP"),
        (rb"II[*+]\0|MM\0[*+]", "TIFF"),
        (rb"#\?", "HDR"),
        (rb"\x76\x2f\x31\x01", "EXR"),
        (rb"DDS ", "DDS"),
        (rb"8BPS", "Photoshop"),
        (rb"....jP  |\xff\x4f\xff\x51", "JP2"),
        (rb"....ftyp", "AVIF"),
        (rb"SDPX|XPDS", "DPX"),
        (rb"\x80\x2a\x5f\xd7|\xd7\x5f\x2a\x80", "Cineon"),
        (rb"\x01\xda", "SGI"),
        (rb"GIF8", "GIF"),
    )
)


def _png(data: Bytes) -> Size:
    width, height, bits = struct.unpack(">IIB", bytes(data[16:25]))
    # Blender reads 16-bit PNGs into float buffers.
    return width, height, FLOAT if bits == 16 else BYTE


def _jpeg(data: Bytes) -> Size | None:
    """Return the size in the first frame header, skipping garbage as libjpeg does.

    Return None if there is no frame header.
    """
    at, end = 2, len(data)
    while at + 9 <= end:
        mark = data[at + 1]
        if data[at] != 0xFF:
            # NumPy arrays have no `find`.
            data = data if isinstance(data, bytes | mmap.mmap) else bytes(data)
            at = data.find(b"\xff", at)
            if at < 0:
                return None
        elif mark == 0xFF:
            at += 1
        elif mark in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", bytes(data[at + 5 : at + 9]))
            return width, height, BYTE
        else:
            length = (
                0
                if mark in _WITHOUT_LENGTH
                else struct.unpack(">H", bytes(data[at + 2 : at + 4]))[0]
            )
            at += 2 + length
    return None


def _webp(data: Bytes) -> Size:
    head = bytes(data[:32])
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return width, height, BYTE
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", head, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), BYTE
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF, BYTE


def _bmp(data: Bytes) -> Size:
    head = bytes(data[:26])
    # A header of 12 bytes is OS/2's, with sides of 16 bits. In others, a negative height means that
    # the top row comes first.
    if struct.unpack_from("<I", head, 14)[0] == 12:
        width, height = struct.unpack_from("<HH", head, 18)
    else:
        width, height = struct.unpack_from("<ii", head, 18)
    return abs(width), abs(height), BYTE


def _tiff(data: Bytes) -> Size:
    """Return the size in the first directory of a TIFF or BigTIFF.

    Pixels count as float, since even 8-bit files may be decoded to float.
    """
    order = "<" if bytes(data[:2]) == b"II" else ">"
    is_big = bytes(data[2:4]).strip(b"\0") == b"+"
    place, entries, step, value = ("Q", "Q", 20, 12) if is_big else ("I", "H", 12, 8)
    where = 8 if is_big else 4
    at = struct.unpack(order + place, bytes(data[where : where + struct.calcsize(place)]))[0]
    begin = at + struct.calcsize(entries)
    count = struct.unpack(order + entries, bytes(data[at:begin]))[0]
    sides = {256: 0, 257: 0}
    # Real directories have a few dozen entries, the size among the first: they are sorted by tag.
    for number in range(min(count, 512)):
        start = begin + step * number
        entry = bytes(data[start : start + step])
        tag, kind = struct.unpack_from(f"{order}HH", entry)
        if tag in sides:
            value_read = struct.unpack_from(order + _TIFF_TYPES[kind], entry, value)[0]
            sides[tag] = max(sides[tag], value_read)
    return sides[256], sides[257], FLOAT


def _tga(data: Bytes) -> Size | None:
    """Return the size in the header, or None if the header is not plausible.

    TGA files have no signature by which to recognize them.
    """
    head = bytes(data[:18])
    map_kind, kind = head[1], head[2]
    width, height, depth = struct.unpack_from("<HHB", head, 12)
    is_one = map_kind in (0, 1) and kind in (1, 2, 3, 9, 10, 11) and depth in (8, 15, 16, 24, 32)
    return (width, height, BYTE) if is_one and width and height else None


def _hdr(data: Bytes) -> Size | None:
    """Return the largest size in any line of the header, or None if there is no size.

    Lines may state the number of rows or of columns first.
    """
    matches = re.findall(rb"\n[-+]([XY]) +(\d{1,9}) +[-+][XY] +(\d{1,9})", bytes(data[:HEAD]))
    sides = [(axis, int(first), int(second)) for axis, first, second in matches]
    sizes = [(a, b, FLOAT) if axis == b"X" else (b, a, FLOAT) for axis, a, b in sides]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _exr(data: Bytes) -> Size | None:
    """Return the size of the largest data window in the header, or None without a data window."""
    matches = re.findall(rb"dataWindow\0box2i\0\x10\0\0\0(.{16})", bytes(data[:HEAD]), re.DOTALL)
    boxes = (struct.unpack("<iiii", box) for box in matches)
    sizes = [(abs(box[2] - box[0]) + 1, abs(box[3] - box[1]) + 1, FLOAT) for box in boxes]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _dds(data: Bytes) -> Size:
    height, width = struct.unpack("<II", bytes(data[12:20]))
    return width, height, FLOAT


_READERS: dict[str, Callable[[Bytes], Size | None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WebP": _webp,
    "BMP": _bmp,
    "TIFF": _tiff,
    "TGA": _tga,
    "HDR": _hdr,
    "EXR": _exr,
    "DDS": _dds,
}
