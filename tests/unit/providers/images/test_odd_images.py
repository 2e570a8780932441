# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that deviate from their formats are still sent as every viewer shows them.

No metadata stays in them.
"""

from __future__ import annotations

import io
import struct

import pytest
from fakes.noted import NOTED, sample_picture
from PIL import Image, ImageOps

from image_to_mesh.providers import BadImage, clean_picture, read_picture_info
from image_to_mesh.providers._shared.images.exif import block_of
from image_to_mesh.providers._shared.images.png import chunk
from image_to_mesh.providers._shared.images.tiff_directory import read_directory

NOTE = b"48.2082 N"


def encode(format_: str) -> bytes:
    """Return a picture file without notes."""
    out = io.BytesIO()
    sample_picture().save(out, format_)
    return out.getvalue()


def clean(data: bytes) -> bytes:
    """Return what is sent of a picture."""
    done = clean_picture(data, read_picture_info(data, "photo"), "photo")
    assert done is not None
    return done


def view(data: bytes) -> tuple[tuple[int, int], bytes, bool]:
    """Return what a viewer shows, and whether a color profile is there."""
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
        return upright.size, upright.tobytes(), "icc_profile" in picture.info


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        (b"gAMA", struct.pack(">I", 45_455)),
        (b"cHRM", bytes(32)),
        (b"sRGB", b"\0"),
        (b"cICP", b"\x01\x0d\0\x01"),
        (b"sBIT", b"\x08\x08\x08\0"),
    ],
)
def test_metadata_in_a_color_chunk_is_removed(name: bytes, begin: bytes) -> None:
    plain = encode("png")
    data = plain[:33] + chunk(name, begin + NOTE) + plain[33:]
    assert clean(data) == plain
    with_colors = plain[:33] + chunk(name, begin) + plain[33:]
    assert clean(with_colors) == with_colors


def test_metadata_after_the_end_of_a_png_is_removed() -> None:
    plain = encode("png")
    assert clean(plain[:-12] + chunk(b"IEND", NOTE) + NOTE) == plain


@pytest.mark.parametrize("transform", [0, 1])
def test_a_longer_mark_of_adobe_still_says_what_the_channels_are(transform: int) -> None:
    """Without it the same numbers are other colors."""
    plain = encode("jpeg")
    mark = b"Adobe\0\x64\0\0\0\0" + bytes((transform,))
    begin = b"\xff\xd8\xff\xee" + struct.pack(">H", 2 + len(mark + NOTE)) + mark
    data = begin + NOTE + plain[20:]
    sent = clean(data)
    assert NOTE not in sent
    assert view(sent) == view(data)


def test_the_first_exif_block_gives_the_orientation() -> None:
    """Exif data that exceed a segment continue in others; segments behind a scan are not read."""

    def notes(block: bytes) -> bytes:
        return b"\xff\xe1" + struct.pack(">H", 8 + len(block)) + b"Exif\0\0" + block

    plain = encode("jpeg")
    three, six = notes(block_of(3)), notes(block_of(6))
    for data, orientation in (
        (plain[:20] + six + notes(NOTE) + plain[20:], 6),
        (plain[:20] + six + three + plain[20:], 6),
        (plain[:-2] + six + plain[-2:], 1),
    ):
        assert read_picture_info(data, "photo").orientation == orientation
        assert view(clean(data)) == view(data)
        assert NOTE not in clean(data)


@pytest.mark.parametrize("flags", [0, 8, 32, 40])
def test_a_webp_shows_only_what_its_header_declares(flags: int) -> None:
    """Decoders ignore a profile or an orientation that the header does not declare."""
    data = bytearray(NOTED["webp"](6))
    assert data[12:16] == b"VP8X"
    data[20] = flags
    sent = clean(bytes(data))
    assert view(sent) == view(bytes(data))
    assert view(sent)[2] is bool(flags & 32)


def rle_bmp(place: int, size: int) -> bytes:
    """Return a packed BMP of 8 × 8 pixels that declares this place and size for them."""
    pixels = b"".join(bytes((4, row, 4, 200 - row, 0, 0)) for row in range(8)) + b"\0\1"
    palette = bytes(part for value in range(256) for part in (value, 255 - value, value, 0))
    head = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, size, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, place) + head + palette + pixels


def test_a_packed_bmp_that_does_not_say_its_size_keeps_its_pixels() -> None:
    data = rle_bmp(1078, 0)
    assert view(clean(data)) == view(data) == view(rle_bmp(1078, len(data) - 1078))


def test_a_bmp_that_does_not_say_where_its_pixels_are_has_them_behind_its_palette() -> None:
    data = bytearray(encode("bmp"))
    usual = view(bytes(data))
    data[10:14] = bytes(4)
    sent = clean(bytes(data))
    assert view(sent) == view(bytes(data)) == usual
    assert struct.unpack_from("<I", sent, 10) == (54,), "not every reader knows that"


def test_a_tiff_that_does_not_say_the_size_of_its_blocks_is_converted() -> None:
    data = bytearray(encode("tiff"))
    usual = view(bytes(data))
    sizes = read_directory(bytes(data)).fields[279]
    data[sizes.start : sizes.start + sizes.size] = bytes(sizes.size)
    assert view(bytes(data)) == usual
    info = read_picture_info(bytes(data), "photo")
    assert clean_picture(bytes(data), info, "photo") is None


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_a_targa_without_a_footer_is_accepted(mode: str, compression: str | None) -> None:
    out = io.BytesIO()
    sample_picture(mode=mode).save(out, "tga", compression=compression)
    data = out.getvalue()
    assert data.endswith(b"TRUEVISION-XFILE.\0")
    assert read_picture_info(data[:-26], "photo") == read_picture_info(data, "photo")


@pytest.mark.parametrize(
    "data",
    [bytes(500), b"\0\0\2", b"hello" * 99, b"\0\0\2\0\1\0  \0\0\5\0\5\0" + bytes(900)],
    ids=["zeros", "short", "text", "cursor"],
)
def test_a_file_that_only_starts_like_a_targa_is_refused(data: bytes) -> None:
    with pytest.raises(BadImage, match="is not an image"):
        read_picture_info(data, "photo")


def test_an_uncompressed_targa_without_a_footer_must_be_complete() -> None:
    out = io.BytesIO()
    sample_picture().save(out, "tga")
    with pytest.raises(BadImage, match="is not an image"):
        read_picture_info(out.getvalue()[:-99], "photo")
