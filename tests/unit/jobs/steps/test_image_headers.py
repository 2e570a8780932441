# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers of image files as Pillow writes them: every format, valid and damaged."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import pytest
from fakes.png import png_of
from PIL import Image

from image_to_mesh.jobs import PictureSource
from image_to_mesh.jobs.steps.check_images import needs_fitting
from image_to_mesh.jobs.steps.inputs import collect
from image_to_mesh.providers import (
    BadImage,
    PictureLimits,
    check_picture,
    clean_picture,
    get_provider,
    read_picture_info,
)

FORMATS = [
    ("png", {}),
    ("jpeg", {}),
    ("jpeg", {"progressive": True}),
    ("webp", {}),
    ("webp", {"lossless": True}),
    ("bmp", {}),
    ("tiff", {}),
    ("tiff", {"compression": "tiff_lzw"}),
]


def encode(format_: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **how: Any) -> bytes:
    """Return a picture file as Pillow writes it."""
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, format_, **how)
    return out.getvalue()


@pytest.mark.parametrize(("format_", "how"), FORMATS)
def test_reads_format_and_size(format_: str, how: dict[str, Any]) -> None:
    info = read_picture_info(encode(format_, **how), "photo")
    assert (info.format, info.width, info.height, info.orientation) == (format_, 40, 30, 1)


def test_reads_webp_with_alpha() -> None:
    info = read_picture_info(encode("webp", mode="RGBA"), "photo")
    assert (info.format, info.width, info.height) == ("webp", 40, 30)


@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_reads_exif_orientation(format_: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert read_picture_info(encode(format_, exif=exif), "photo").orientation == orientation


def test_a_thumbnails_end_does_not_make_a_cut_jpeg_whole() -> None:
    data, small = encode("jpeg", size=(400, 300)), encode("jpeg", size=(80, 60))
    segment = b"\xff\xe1" + (2 + 6 + len(small)).to_bytes(2, "big") + b"Thumb\0" + small
    with_thumbnail = data[:2] + segment + data[2:]
    assert read_picture_info(with_thumbnail, "photo").width == 400
    with pytest.raises(BadImage, match="incomplete"):
        read_picture_info(with_thumbnail[:-1000], "photo")


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp", "bmp"])
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.9])
def test_a_truncated_image_is_reported(format_: str, keep: float) -> None:
    data = encode(format_, size=(200, 150))
    with pytest.raises(BadImage, match=r"photo\.x is (damaged or incomplete|not an image)"):
        read_picture_info(data[: int(len(data) * keep)], "photo.x")


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_with_truncated_strips_is_reported(order: str, keep: float) -> None:
    """The directory comes first, as in cameras' files: behind the pixels it would be cut off."""
    pixels, rows = bytes(200 * 150), [100, 50]
    entries = [(256, 3, 1, 200), (257, 3, 1, 150), (273, 4, 2, 0), (279, 4, 2, 0), (278, 3, 1, 100)]
    head = 8 + 2 + 12 * len(entries) + 4
    places = struct.pack(order + "2I", head + 16, head + 16 + 200 * rows[0])
    sizes = struct.pack(order + "2I", *(200 * row for row in rows))
    body = struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        told = {273: head, 279: head + 8}.get(tag, value)
        wide = order + ("H2x" if kind == 3 else "I")
        body += struct.pack(order + "HHI", tag, kind, count) + struct.pack(wide, told)
    data = (b"II*\0" if order == "<" else b"MM\0*") + body + bytes(4) + places + sizes + pixels
    assert read_picture_info(data, "photo").width == 200
    with pytest.raises(BadImage, match="incomplete"):
        read_picture_info(data[: int(len(data) * keep)], "photo")


@pytest.mark.parametrize("chunk", [b"IHDR", b"IDAT"])
def test_a_png_that_was_damaged_on_its_way_is_not_sent_for_money(chunk: bytes) -> None:
    data = bytearray(encode("png", size=(200, 150)))
    data[data.index(chunk) + 7] ^= 0x55
    with pytest.raises(BadImage, match="damaged"):
        read_picture_info(bytes(data), "photo")


def test_a_wrong_checksum_beside_the_pixels_does_no_harm() -> None:
    data = bytearray(encode("png", dpi=(72, 72)))
    data[data.index(b"pHYs") + 6] ^= 0x55
    assert read_picture_info(bytes(data), "photo").format == "png"


@pytest.mark.parametrize(("size", "fits"), [((12000, 40), True), ((12000, 39), False)])
def test_a_strip_that_would_be_too_narrow_once_it_fits_is_refused(
    size: tuple[int, int], fits: bool
) -> None:
    source = PictureSource("strip", "front", lambda: png_of(*size))
    tripo = get_provider("tripo")
    if fits:
        pictures, _ = collect((source,), tripo, lambda _: b"")
        assert needs_fitting(pictures[0], 100, tripo)
    else:
        with pytest.raises(BadImage, match="shorter side would be less than 20"):
            collect((source,), tripo, lambda _: b"")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"hello, this is a text", "not an image"),
        (b"GIF89a" + bytes(50), "a GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        (b"8BPS" + bytes(50), "Photoshop"),
        (b"<svg xmlns=''/>", "SVG"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x89PNG\r\n\x1a\n", "incomplete"),
        (b"\xff\xd8\xff", "incomplete"),
        (b"BM", "incomplete"),
        (b"II*\0\xff\xff\xff\xff", "incomplete"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "incomplete"),
    ],
)
def test_a_file_that_is_not_an_image_is_reported_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadImage, match=said) as caught:
        read_picture_info(data, "photo")
    assert caught.value.hint, "the error has no hint"


def test_random_bytes_after_a_signature_raise_only_bad_image() -> None:
    magics = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF....WEBP", b"BM", b"II*\0", b"MM\0*"]
    magics += [b"\x76\x2f\x31\x01", b"#?RADIANCE\n"]
    rng = random.Random(7)
    for _ in range(3000):
        data = rng.choice(magics) + rng.randbytes(rng.randrange(200))
        try:
            read_picture_info(data, "photo")
        except BadImage:
            continue


def tiff_of(order: str, entries: list[tuple[int, int, int]]) -> bytes:
    """Return a TIFF head with these (tag, type, value) entries and nothing behind them."""
    magic = b"II*\0" if order == "<" else b"MM\0*"
    body = b"".join(
        struct.pack(order + "HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    return magic + struct.pack(order + "IH", 8, len(entries)) + body + bytes(4)


def test_mutated_headers_raise_only_bad_image() -> None:
    rng = random.Random(8)
    for _ in range(3000):
        tags = [rng.choice([256, 257, 274, 259, 34665]) for _ in range(rng.randrange(4))]
        entries = [(tag, rng.choice([1, 3, 4, 99]), rng.choice([0, 1, 40, 70000])) for tag in tags]
        words = [rng.choice(["-Y", "+X", "+Z", "", "x"]) for _ in range(rng.randrange(4))]
        line = " ".join(f"{word} {rng.choice(['9', '-9', 'y', '9' * 5000])}" for word in words)
        hdr = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe{rng.choice(['', chr(10)])}\n{line}\n".encode()
        for data in (tiff_of(rng.choice("<>"), entries), hdr):
            try:
                info = read_picture_info(data, "photo")
            except BadImage:
                continue
            assert min(info.width, info.height) >= 1


@pytest.mark.parametrize(
    "data", [tiff_of("<", [(274, 3, 1)]), b"#?RADIANCE\n\n-Y 10 +Z 20\n", b"#?RGBE\n\n-Y 10\n"]
)
def test_a_header_without_a_size_counts_as_damaged(data: bytes) -> None:
    with pytest.raises(BadImage, match="damaged"):
        read_picture_info(data, "photo")


def test_size_limits_are_reported_with_numbers() -> None:
    limits = PictureLimits(min_side=32, max_side=8192, max_bytes=1000)
    small = read_picture_info(encode("png", (10, 10)), "photo")
    with pytest.raises(BadImage, match=r"10 × 10 pixels.*at least 32 × 32"):
        check_picture(small, 100, limits, "photo")
    wide = read_picture_info(encode("png", (12000, 40)), "photo")
    with pytest.raises(BadImage, match=r"12000 × 40 pixels.*at most 8192"):
        check_picture(wide, 100, limits, "photo")
    good = read_picture_info(encode("png"), "photo")
    with pytest.raises(BadImage, match=r"too small|too much"):
        check_picture(good, 2000, limits, "photo")


def bmp_of(kind: str, bits: int = 24) -> tuple[bytes, Image.Image]:
    """Return a BMP with this kind of header, and its picture."""
    picture = Image.effect_noise((33, 20), 60).convert("RGB")
    stride = (33 * bits + 31) // 32 * 4
    rows = b""
    for y in reversed(range(20)):
        line = picture.tobytes()[y * 99 : (y + 1) * 99]
        row = b"".join(
            line[at : at + 3][::-1] + bytes(bits // 8 - 3) for at in range(0, len(line), 3)
        )
        rows += row.ljust(stride, b"\0")
    heads = {
        "core": struct.pack("<IHHHH", 12, 33, 20, 1, bits),
        "windows": struct.pack("<IiiHHIIiiII", 40, 33, 20, 1, bits, 0, 0, 0, 0, 0, 0),
        "os2": struct.pack("<IiiHHIIiiII", 64, 33, 20, 1, bits, 0, 0, 0, 0, 0, 0) + bytes(24),
        "v4": struct.pack("<IiiHHIIiiII", 108, 33, 20, 1, bits, 0, 0, 0, 0, 0, 0) + bytes(68),
        "v5": struct.pack("<IiiHHIIiiII", 124, 33, 20, 1, bits, 0, 0, 0, 0, 0, 0) + bytes(84),
    }
    head = heads[kind]
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + rows, picture


@pytest.mark.parametrize("kind", ["core", "windows", "os2", "v4", "v5"])
def test_every_kind_of_bmp_header_is_read(kind: str) -> None:
    data, picture = bmp_of(kind)
    info = read_picture_info(data, "photo")
    assert (info.width, info.height) == (33, 20)
    sent = clean_picture(data + b"Trailer-Note", info, "photo")
    assert sent is not None
    assert b"Trailer-Note" not in sent
    if kind != "os2":  # Pillow reads no such head
        assert Image.open(io.BytesIO(sent)).convert("RGB").tobytes() == picture.tobytes()
    with pytest.raises(BadImage, match="incomplete"):
        read_picture_info(data[:-30], "photo")


def test_a_wrong_file_size_in_the_header_does_no_harm() -> None:
    data = bytearray(bmp_of("windows")[0])
    data[2:6] = struct.pack("<I", len(data) + 7)
    assert read_picture_info(bytes(data), "photo").width == 33


@pytest.mark.parametrize("kind", ["windows", "v4", "v5"])
def test_an_unused_byte_of_a_bmp_is_no_transparency(kind: str) -> None:
    data, picture = bmp_of(kind, bits=32)
    sent = clean_picture(data, read_picture_info(data, "photo"), "photo")
    assert sent is not None
    start = int.from_bytes(sent[10:14], "little")
    assert set(sent[start + 3 :: 4]) == {255}
    assert Image.open(io.BytesIO(sent)).convert("RGB").tobytes() == picture.tobytes()


def test_the_path_of_a_profile_elsewhere_is_not_sent() -> None:
    data = bytearray(bmp_of("v5")[0])
    path = b"C:\\Users\\Maker-Note\\my.icc\0"
    data[14 + 56 : 14 + 60] = b"KNIL"
    data[14 + 112 : 14 + 120] = struct.pack("<II", len(data) - 14, len(path))
    sent = clean_picture(bytes(data) + path, read_picture_info(bytes(data), "photo"), "photo")
    assert sent is not None
    assert b"Maker-Note" not in sent
    assert sent[14 + 56 : 14 + 60] == b"BGRs"


@pytest.mark.parametrize("place", [2, 20])
def test_stray_bytes_between_jpeg_segments_are_skipped(place: int) -> None:
    data = encode("jpeg", size=(60, 40))
    stray = (
        data[:place] + b"abc" + data[place:] if place == 20 else data[:20] + bytes(9) + data[20:]
    )
    assert Image.open(io.BytesIO(stray)).size == (60, 40) or place == 2
    info = read_picture_info(stray, "photo")
    assert (info.width, info.height) == (60, 40)
    assert clean_picture(stray, info, "photo") == data


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_big_tiff_is_read_and_sent_as_a_classic_one(order: str) -> None:
    out = io.BytesIO()
    picture = Image.effect_noise((40, 30), 60).convert("RGB")
    picture.save(out, "tiff", big_tiff=True)
    data = out.getvalue()
    assert data[2] == 43
    info = read_picture_info(data, "photo")
    assert (info.format, info.width, info.height) == ("tiff", 40, 30)
    sent = clean_picture(data, info, "photo")
    assert sent is not None
    assert sent[:4] == b"II*\0"
    assert Image.open(io.BytesIO(sent)).tobytes() == picture.tobytes()
    if order == ">":
        with pytest.raises(BadImage, match="incomplete"):
            read_picture_info(data[:-2000], "photo")


@pytest.mark.parametrize(
    ("format_", "how", "name"),
    [
        ("jpeg2000", {}, "jp2"),
        ("jpeg2000", {"no_jp2": True}, "jp2"),
        ("sgi", {}, "sgi"),
        ("tga", {}, "tga"),
    ],
)
def test_other_formats_that_blender_opens_are_converted(
    format_: str, how: dict[str, Any], name: str
) -> None:
    data = encode(format_, **how)
    source = PictureSource("photo", "front", lambda: data)
    tripo = get_provider("tripo")
    pictures, files = collect((source,), tripo, lambda _: b"")
    assert files == {f"front.{name}": data}
    assert needs_fitting(pictures[0], len(data), tripo) == f"its format is {name.upper()}"
    info = read_picture_info(data, "photo")
    assert (info.width, info.height) == (40, 30)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!doctype html><html>", "a web page"),
        (b"\xef\xbb\xbf\n <HTML><body>", "a web page"),
        (b"\xff\x0a\xfa\x1f" + bytes(30), "a JPEG XL image"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30), "a JPEG XL image"),
        (b"\0\0\0\x1cftypavif" + bytes(30), "an AVIF image"),
        (b"\0\0\0\x1cftypmp42" + bytes(30), "a movie"),
        (b"PK\3\4" + bytes(30), "a ZIP archive"),
        (b"BLENDER-v400" + bytes(30), "a Blender file"),
        (b"<SVG xmlns=''/>", "an SVG drawing"),
    ],
)
def test_the_error_names_the_kind_of_file(data: bytes, said: str) -> None:
    with pytest.raises(BadImage, match=said):
        read_picture_info(data, "photo")
