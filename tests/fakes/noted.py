# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures with metadata as cameras and programs write it: who, where, with which device."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

NOTES = (b"Maker-Note", b"Camera-Note", b"Xmp-Note", b"Iptc-Note", b"Comment-Note", b"Text-Note",
         b"Trailer-Note", b"Thumb-Note", b"GPSLatitude-Note", b"Program-Note")  # fmt: skip
"""Metadata that no sent file may contain."""
LATITUDE = struct.pack(">II", 31_234_567, 1_000_000)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>Xmp-Note GPSLatitude-Note</x:xmpmeta>"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x12\x1c\x02\x50\0\x09Iptc-Note\0"


def sample_picture(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    """Return a picture of noise with a red rectangle."""
    picture = Image.effect_noise(size, 60).convert("RGB")
    picture.paste((200, 60, 40), (10, 10, size[0] // 2, size[1] // 2))
    return picture.convert(mode)


@functools.cache
def profile() -> bytes:
    """Return an RGB color profile, which holds the date of its creation."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int | None = 6) -> Image.Exif:
    """Return a camera's metadata: maker, program, location and orientation."""
    noted = Image.Exif()
    if orientation is not None:
        noted[0x0112] = orientation
    noted[0x010F], noted[0x0110] = "Maker-Note", "Camera-Note"
    noted[0x0131], noted[0x010E] = "Program-Note", "Text-Note"
    place = noted.get_ifd(0x8825)
    place[1], place[2] = "N", (31.234567, 0.0, 0.0)
    return noted


def noted_jpeg(orientation: int | None = 6, **how: Any) -> bytes:
    """Return a JPEG with all kinds of metadata that phones and programs write."""
    out = io.BytesIO()
    picture = how.pop("picture", None) or sample_picture()
    kept = {"icc_profile": profile()} if how.pop("with_profile", True) else {}
    picture.save(out, "jpeg", exif=exif(orientation), comment=b"Comment-Note",
                 quality=90, **kept, **how)  # fmt: skip
    data = out.getvalue()
    segments = b"".join(
        b"\xff" + bytes((marker,)) + struct.pack(">H", len(body) + 2) + body
        for marker, body in (
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            (0xED, IPTC),
            (0xE2, b"FPXR\0" + b"Thumb-Note"),
            (0xEC, b"Ducky Text-Note"),
            (0xE0, b"JFXX\0\x10Thumb-Note"),
        )
    )
    place = data.index(b"\xff\xdb")
    return data[:place] + segments + data[place:] + b"Trailer-Note ftypmp42"


def noted_png(orientation: int | None = 6, **how: Any) -> bytes:
    """Return a PNG with texts of every kind, Exif, and a trailer behind its end."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "Comment-Note")
    texts.add_text("Software", "Program-Note", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    out = io.BytesIO()
    picture = how.pop("picture", None) or sample_picture()
    picture.save(out, "png", pnginfo=texts, exif=exif(orientation), icc_profile=profile(),
                 dpi=(72, 72), **how)  # fmt: skip
    data = out.getvalue()
    late = _chunk(b"tIME", bytes(7)) + _chunk(b"zTXt", b"Text\0\0" + zlib.compress(b"Text-Note"))
    return data[:-12] + late + data[-12:] + b"Trailer-Note"


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def noted_webp(orientation: int | None = 6, **how: Any) -> bytes:
    """Return a WebP with Exif, XMP, an unknown chunk, and a trailer behind its end."""
    out = io.BytesIO()
    picture = how.pop("picture", None) or sample_picture()
    picture.save(out, "webp", exif=exif(orientation), xmp=XMP, icc_profile=profile(), **how)
    data = bytearray(out.getvalue() + b"NOTE\x0a\0\0\0Text-Note\0")
    data[4:8] = struct.pack("<I", len(data) - 8)
    return bytes(data) + b"Trailer-Note"


def noted_tiff(orientation: int | None = 6, **how: Any) -> bytes:
    """Return a TIFF with Exif, XMP, IPTC, Photoshop's block and texts."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270], tags[271], tags[272] = "Comment-Note", "Maker-Note", "Camera-Note"
    tags[305], tags[315] = "Program-Note", "Text-Note"
    tags[700], tags[33723], tags[34377] = XMP, IPTC, IPTC
    for tag, kind in ((700, 1), (33723, 7), (34377, 1)):
        tags.tagtype[tag] = kind
    if orientation is not None:
        tags[274] = orientation
    if "compression" not in how:  # libtiff, which packs for Pillow, writes no other directory
        tags[34853] = {1: "N", 2: (31.234567, 0.0, 0.0)}
    out = io.BytesIO()
    picture = how.pop("picture", None) or sample_picture()
    picture.save(out, "tiff", tiffinfo=tags, icc_profile=profile(), **how)
    return out.getvalue() + b"Trailer-Note"


NOTED = {"jpeg": noted_jpeg, "png": noted_png, "webp": noted_webp, "tiff": noted_tiff}


def notes_in(data: bytes) -> list[bytes]:
    """Return the metadata found in a file, including its compressed parts."""
    found = [note for note in NOTES if note in data]
    exif_of = Image.open(io.BytesIO(data)).getexif() if data else Image.Exif()
    allowed = {0x0112, *range(254, 533), 34675} - {270, 271, 272, 305, 306, 315, 316}
    strange = [tag for tag in exif_of if tag not in allowed]
    return [*found, *(str(tag).encode() for tag in strange)]
