# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture files of all kinds are read into one layout; the PNG encoder writes valid files."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import read_picture, write_picture

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

RED, GREEN, BLUE, GRAY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)
# Two rows of three: no rotation or mirroring maps it to itself.
SIX = np.array([[RED, GREEN, BLUE], [GRAY, GRAY, GRAY]], np.uint8)

# Where the stored picture's red corner ends up, and its green neighbor (row, column).
UPRIGHT = {
    1: ((0, 0), (0, 1)),
    2: ((0, 2), (0, 1)),
    3: ((1, 2), (1, 1)),
    4: ((1, 0), (1, 1)),
    5: ((0, 0), (1, 0)),
    6: ((0, 1), (1, 1)),
    7: ((2, 1), (1, 1)),
    8: ((2, 0), (1, 0)),
}


@pytest.fixture
def reader(addon: ModuleType) -> Any:
    return addon_module("worker.images.read_image")


@pytest.fixture
def png(addon: ModuleType) -> Any:
    return addon_module("worker.images.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_rotates_the_picture_upright(
    orientation: int, reader: Any, tmp_path: Path
) -> None:
    path = write_picture(tmp_path / "six.png", SIX)
    pixels = reader.read_image(str(path), orientation, 4096)
    assert pixels.shape == ((2, 3, 4) if orientation < 5 else (3, 2, 4))
    assert pixels.dtype == np.float32
    assert pixels.flags["C_CONTIGUOUS"]
    red, green = UPRIGHT[orientation]
    np.testing.assert_allclose(pixels[red], (1, 0, 0, 1))
    np.testing.assert_allclose(pixels[green], (0, 1, 0, 1))


def test_byte_images_are_read_unchanged_with_straight_alpha(reader: Any, tmp_path: Path) -> None:
    stored = np.array([[(200, 100, 50, 128), (10, 20, 30, 0)]], np.uint8)
    path = write_picture(tmp_path / "half.png", stored)
    np.testing.assert_allclose(reader.read_image(str(path), 1, 64) * 255, stored, atol=0.01)


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """A file of several layers, as a render writes it."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    settings = scene.render.image_settings
    if bpy.app.version >= (5, 0):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.filepath = str(tmp_path / "layers.exr")
    bpy.ops.render.render(write_still=True)
    return tmp_path / "layers.exr"


def test_a_layered_file_is_reported_as_such(addon: ModuleType, reader: Any, layers: Path) -> None:
    with pytest.raises(addon_module("worker.refusal").Refusal, match="several layers"):
        reader.read_image(str(layers), 1, 64)
    image = bpy.data.images.load(str(layers))
    assert min(image.size) == 0  # reading the size is what makes Blender look into the file
    assert "several layers" in addon_module("state.preflight").picture_problem(image)
    with pytest.raises(addon_module("providers").BadImage, match="several layers"):
        addon_module("scene.image_source").picture_source(image)


def test_sixteen_bit_images_are_read_like_eight_bit_ones(reader: Any, tmp_path: Path) -> None:
    """Blender keeps them as linear floats with associated alpha."""
    stored = (50000, 25000, 0, 32768)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 6, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" + struct.pack(">4H", *stored)))
    path = tmp_path / "deep.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b""))
    pixels = reader.read_image(str(path), 1, 64)
    np.testing.assert_allclose(pixels[0, 0], np.array(stored) / 65535, atol=2e-4)


def test_linear_colors_are_encoded(reader: Any, tmp_path: Path) -> None:
    path = tmp_path / "light.hdr"
    half_and_nine = bytes((128, 64, 0, 128)) + bytes((144, 144, 144, 132))
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n" + half_and_nine)
    pixels = reader.read_image(str(path), 1, 64)
    np.testing.assert_allclose(pixels[0, 0], (0.7354, 0.5371, 0, 1), atol=5e-3)
    np.testing.assert_allclose(pixels[0, 1], (1, 1, 1, 1))


def test_a_large_picture_is_scaled_down(reader: Any, tmp_path: Path) -> None:
    wide = np.zeros((30, 90, 3), np.uint8)
    wide[:, 45:] = 255
    path = write_picture(tmp_path / "wide.png", wide)
    pixels = reader.read_image(str(path), 6, 45)
    assert pixels.shape == (45, 15, 4)
    np.testing.assert_allclose(pixels[[0, -1], 7, 0], (0, 1), atol=0.01)
    assert reader.read_image(str(path), 1, 90).shape == (30, 90, 4)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_an_image_that_blender_cannot_read_is_refused(
    content: bytes, addon: ModuleType, reader: Any, tmp_path: Path
) -> None:
    refusal = addon_module("worker.refusal").Refusal
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(refusal) as caught:
        reader.read_image(str(path), 1, 64)
    assert caught.value.kind == "bad_image"
    assert "photo.png" not in bpy.data.images


@pytest.mark.parametrize("channels", [3, 4])
def test_the_encoder_is_lossless(channels: int, png: Any, tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (7, 5, channels), np.uint8)
    path = tmp_path / "noise.png"
    path.write_bytes(png.encode_png(pixels))
    read = read_picture(path)
    np.testing.assert_array_equal(read[..., :channels], pixels)
    assert channels == 4 or (read[..., 3] == 255).all()


def test_the_encoder_writes_valid_chunks(png: Any) -> None:
    data = png.encode_png(np.zeros((2, 3, 3), np.uint8))
    at, names = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        assert zlib.crc32(body) == int.from_bytes(data[at + 8 + length : at + 12 + length])
        names.append(body[:4])
        at += 12 + length
    assert names == [b"IHDR", b"sRGB", b"IDAT", b"IEND"]
