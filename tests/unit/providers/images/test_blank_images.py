# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that show nothing, as PNG stores them: every kind of pixel, every filter, interlaced."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from fakes.noted import sample_picture
from PIL import Image

from image_to_mesh.providers import Blank, blank_png
from image_to_mesh.providers._shared.images.png import SIGNATURE, chunk
from image_to_mesh.providers._shared.images.png_unfilter import average, paeth, unfilter_row


def encode(picture: Image.Image, **how: object) -> bytes:
    """Return the picture as Pillow writes a PNG."""
    out = io.BytesIO()
    picture.save(out, "png", **how)
    return out.getvalue()


def filter_row(row: bytes, above: bytes, step: int, kind: int) -> bytes:
    """Return a row as a filter stores it: what `unfilter_row` undoes."""
    out = bytearray((kind,))
    for at, value in enumerate(row):
        prior, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
        guesses = (
            0,
            prior,
            above[at],
            average(prior, above[at]),
            paeth(prior, above[at], corner),
        )
        out.append((value - guesses[kind]) % 256)
    return bytes(out)


def encode_filtered(picture: Image.Image, kinds: list[int]) -> bytes:
    """Return a PNG whose rows use these filters in turn."""
    kind = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[picture.mode]
    step, width = len(picture.mode), picture.width
    raw, above, rows = picture.tobytes(), bytes(width * len(picture.mode)), b""
    for number in range(picture.height):
        row = raw[number * width * step : (number + 1) * width * step]
        rows += filter_row(row, above, step, kinds[number % len(kinds)])
        above = row
    head = struct.pack(">IIBBBBB", width, picture.height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(name, data) for name, data in chunks)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_blank_and_non_blank_images_are_distinguished(mode: str) -> None:
    plain = Image.new("RGB", (70, 50), (90, 90, 90)).convert("I" if mode == "I;16" else mode)
    picture = sample_picture((70, 50)).convert("L" if mode == "I;16" else mode)
    if mode in ("1", "P"):
        plain = Image.new(mode, (70, 50), 1)
    if mode == "I;16":
        plain, picture = plain.convert(mode), picture.convert("I").convert(mode)
    assert blank_png(encode(plain)) is Blank.ONE_COLOR
    assert blank_png(encode(picture)) is Blank.NO


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_fully_transparent_image_is_blank(mode: str) -> None:
    picture = sample_picture((70, 50)).convert(mode)
    picture.putalpha(0)
    assert blank_png(encode(picture)) is Blank.TRANSPARENT
    dot = picture.copy()
    dot.putpixel((69, 49), (1, 255) if mode == "LA" else (1, 2, 3, 255))
    assert blank_png(encode(dot)) is Blank.NO


def test_colors_are_read_from_the_palette() -> None:
    picture = sample_picture((70, 50)).convert("P")
    assert blank_png(encode(picture, transparency=bytes(256))) is Blank.TRANSPARENT
    assert blank_png(encode(picture, transparency=b"\xff")) is Blank.NO
    same = picture.copy()
    same.putpalette([10, 20, 30] * 256)
    assert blank_png(encode(same)) is Blank.ONE_COLOR


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA"])
def test_every_png_filter_is_decoded(mode: str, kind: int) -> None:
    rng = random.Random(kind)
    color = tuple(rng.randrange(1, 256) for _ in mode)
    plain = Image.new(mode, (23, 17), color)
    data = encode_filtered(plain, [kind, (kind + 2) % 5, kind])
    assert Image.open(io.BytesIO(data)).tobytes() == plain.tobytes()
    assert blank_png(data) is Blank.ONE_COLOR
    for place in ((0, 0), (22, 0), (0, 16), (22, 16), (11, 8)):
        dotted = plain.copy()
        dotted.putpixel(place, tuple((value + 100) % 256 for value in color))
        assert blank_png(encode_filtered(dotted, [kind, (kind + 2) % 5])) is Blank.NO


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_empty_scan_and_a_faint_gradient_may_be_blank(mode: str) -> None:
    """Only decoding, in the background Blender, can tell these apart."""
    scan = Image.effect_noise((90, 60), 1.0).point(lambda value: value + 120).convert(mode)
    assert 2 <= len(set(scan.convert("L").tobytes())) <= 10
    for kinds in ([0], [1], [2], [3], [4], [1, 2, 4]):
        assert blank_png(encode_filtered(scan, kinds)) is Blank.MAYBE
    ramp = Image.linear_gradient("L").convert(mode)
    assert blank_png(encode_filtered(ramp, [2])) is Blank.MAYBE


def encode_interlaced(gray: Image.Image) -> bytes:
    """Return an interlaced PNG: Pillow writes none."""
    rows = b""
    for prior, top, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                                    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):  # fmt: skip
        for y in range(top, gray.height, down):
            row = gray.tobytes()[y * gray.width : (y + 1) * gray.width][prior::across]
            rows += b"\0" + row if row else b""
    head = struct.pack(">IIBBBBB", gray.width, gray.height, 8, 0, 0, 0, 1)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(name, data) for name, data in chunks)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 5), (9, 4), (16, 16)])
def test_interlaced_images_are_decoded(size: tuple[int, int]) -> None:
    plain = Image.new("L", size, 77)
    data = encode_interlaced(plain)
    assert Image.open(io.BytesIO(data)).tobytes() == plain.tobytes()
    assert blank_png(data) is Blank.ONE_COLOR
    if size != (1, 1):
        plain.putpixel((size[0] - 1, size[1] - 1), 200)
        assert blank_png(encode_interlaced(plain)) is Blank.NO


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.8])
def test_incomplete_pixel_data_is_refused(keep: float) -> None:
    packed = zlib.compress(bytes((0, *range(50))) * 40)
    head = struct.pack(">IIBBBBB", 50, 40, 8, 0, 0, 0, 0)
    part = packed[: int(len(packed) * keep)]
    chunks = ((b"IHDR", head), (b"IDAT", part), (b"IEND", b""))
    data = SIGNATURE + b"".join(chunk(name, body) for name, body in chunks)
    with pytest.raises(ValueError, match="pixels"):
        blank_png(data)


def test_filtered_rows_round_trip() -> None:
    rng = random.Random(3)
    for _ in range(200):
        step = rng.choice((1, 2, 3, 4, 6, 8))
        row, above = rng.randbytes(24), rng.randbytes(24)
        for kind in range(5):
            assert unfilter_row(filter_row(row, above, step, kind), above, step) == row
