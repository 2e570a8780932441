# SPDX-License-Identifier: GPL-3.0-or-later
"""Blank pictures are noticed before they are sent, also where a decoder hides them."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from blender.addon_modules import addon_module
from fakes.noted import NOTED, sample_picture
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def check(addon: ModuleType, tmp_path: Path) -> Any:
    """Return a function that tells whether a picture's bytes show something."""
    module = addon_module("worker.images.blank")

    def result(data: bytes) -> str:
        file = tmp_path / "checked"
        file.write_bytes(data)
        return str(module.check_blank({"picture": str(file)}, lambda *_: None)["shows"])

    return result


def encode(picture: Image.Image, format_: str, **options: Any) -> bytes:
    """Return the bytes of a picture file as Pillow writes it."""
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp", "bmp", "tiff"])
def test_blank_and_non_blank_images_are_distinguished(check: Any, format_: str) -> None:
    assert check(encode(Image.new("RGB", (90, 60), (200, 180, 20)), format_)) == "one_color"
    assert check(encode(sample_picture(), format_)) == "no"


def test_an_empty_sheet_with_scanner_noise_counts_as_one_color(check: Any) -> None:
    sheet = Image.effect_noise((300, 200), 0.5).point(lambda value: value + 120)
    for format_ in ("png", "jpeg", "tiff"):
        assert check(encode(sheet.convert("RGB"), format_)) == "one_color"
    sheet.paste(90, (100, 80, 130, 110))
    assert check(encode(sheet, "png")) == "no"


@pytest.mark.parametrize("format_", ["png", "webp", "tiff"])
def test_a_fully_transparent_image_is_reported(check: Any, format_: str) -> None:
    options = {"lossless": True, "exact": True} if format_ == "webp" else {}
    for opacity, result in ((0, "transparent"), (60, "transparent"), (200, "no")):
        picture = sample_picture(mode="RGBA")
        picture.putalpha(opacity)
        assert check(encode(picture, format_, **options)) == result


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_an_undecodable_compression_is_reported_instead_of_a_black_image(
    check: Any, compression: str
) -> None:
    """Blender's TIFF reader returns black, or leftover memory, if it cannot unpack the data."""
    with pytest.raises(Exception, match="cannot decompress"):
        check(encode(sample_picture(), "tiff", compression=compression))


def test_an_image_that_cannot_be_read_is_refused(check: Any) -> None:
    with pytest.raises(Exception, match=r"cannot (read|be opened)|transparent"):
        assert check(b"\x89PNG\r\n\x1a\nbroken") == "transparent", "transparent"


def test_an_unset_alpha_byte_does_not_hide_a_bmp(
    check: Any, addon: ModuleType, tmp_path: Path
) -> None:
    picture = sample_picture((64, 48))
    data = bytearray(encode(picture.convert("RGBA"), "bmp"))
    start = int.from_bytes(data[10:14], "little")
    data[start + 3 :: 4] = bytes(len(data[start + 3 :: 4]))
    assert check(bytes(data)) == "no"
    read_image = addon_module("worker.images.read_image")
    file = tmp_path / "unused.bmp"
    file.write_bytes(data)
    pixels = read_image.read_image(str(file), 1, 4096)
    assert (pixels[..., 3] == 1.0).all()
    assert np.abs(pixels[..., :3] * 255 - np.asarray(picture)).max() <= 1
    assert read_image.read_image(str(file), 1, 32)[..., :3].max() > 0.5


@pytest.mark.parametrize("name", NOTED)
def test_blender_decodes_a_cleaned_picture_as_the_original(
    addon: ModuleType, tmp_path: Path, name: str
) -> None:
    read_image = addon_module("worker.images.read_image")
    providers = addon_module("providers")
    data = NOTED[name](6)
    cleaned = providers.clean_picture(data, providers.read_picture_info(data, "a"), "a")
    assert cleaned is not None
    (tmp_path / "before").write_bytes(data)
    (tmp_path / "after").write_bytes(cleaned)
    before, after = (
        read_image.read_image(str(tmp_path / item), 1, 4096) for item in ("before", "after")
    )
    assert (before == after).all()


@pytest.mark.parametrize("format_", ["jpeg", "png", "tiff", "webp"])
def test_blender_reads_the_same_values_with_and_without_a_color_profile(
    addon: ModuleType, tmp_path: Path, format_: str
) -> None:
    """So a converted picture can keep the profile of its source."""
    read_image = addon_module("worker.images.read_image")
    options = {"lossless": True} if format_ == "webp" else {}
    wide = bytearray(importlib.import_module("fakes.noted").profile())
    red = wide.index(b"rXYZ", 128)
    place = int.from_bytes(wide[red + 4 : red + 8], "big")
    wide[place + 8 : place + 12] = (60_000).to_bytes(4, "big")
    pixels = []
    for extra in ({}, {"icc_profile": bytes(wide)}):
        (tmp_path / "read").write_bytes(encode(gradient(), format_, **options, **extra))
        pixels.append(read_image.read_image(str(tmp_path / "read"), 1, 4096))
    assert (pixels[0] == pixels[1]).all()


def gradient() -> Image.Image:
    """Return a gradient from black to white."""
    return Image.linear_gradient("L").convert("RGB")
