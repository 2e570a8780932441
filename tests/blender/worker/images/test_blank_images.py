# SPDX-License-Identifier: GPL-3.0-or-later
"""What the background Blender sees of a picture before it is sent, and what a decoder hides."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fakes.noted import NOTED, sample_picture
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def check(addon: ModuleType, tmp_path: Path) -> Any:
    """Return what is seen of a picture file's bytes."""
    module = importlib.import_module(f"{addon.__name__}.worker.images.blank")

    def seen(data: bytes) -> str:
        file = tmp_path / "seen"
        file.write_bytes(data)
        return str(module.check_blank({"picture": str(file)}, lambda *_: None)["shows"])

    return seen


def saved(picture: Image.Image, format_: str, **how: Any) -> bytes:
    """Return a picture file as Pillow writes it."""
    out = io.BytesIO()
    picture.save(out, format_, **how)
    return out.getvalue()


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp", "bmp", "tiff"])
def test_blank_and_non_blank_images_are_told_apart(check: Any, format_: str) -> None:
    assert check(saved(Image.new("RGB", (90, 60), (200, 180, 20)), format_)) == "one_color"
    assert check(saved(sample_picture(), format_)) == "no"


def test_the_noise_of_a_scanner_on_an_empty_sheet_is_one_color(check: Any) -> None:
    sheet = Image.effect_noise((300, 200), 0.5).point(lambda value: value + 120)
    for format_ in ("png", "jpeg", "tiff"):
        assert check(saved(sheet.convert("RGB"), format_)) == "one_color"
    sheet.paste(90, (100, 80, 130, 110))
    assert check(saved(sheet, "png")) == "no"


@pytest.mark.parametrize("format_", ["png", "webp", "tiff"])
def test_a_fully_transparent_image_is_reported(check: Any, format_: str) -> None:
    how = {"lossless": True, "exact": True} if format_ == "webp" else {}
    for opacity, seen in ((0, "transparent"), (60, "transparent"), (200, "no")):
        picture = sample_picture(mode="RGBA")
        picture.putalpha(opacity)
        assert check(saved(picture, format_, **how)) == seen


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_a_decoder_that_gives_nothing_is_noticed(check: Any, compression: str) -> None:
    """Blender's TIFF reader gives black, or what was in memory, where it cannot unpack."""
    with pytest.raises(Exception, match="cannot unpack"):
        check(saved(sample_picture(), "tiff", compression=compression))


def test_what_cannot_be_read_is_refused(check: Any) -> None:
    with pytest.raises(Exception, match=r"cannot (read|be opened)|transparent"):
        assert check(b"\x89PNG\r\n\x1a\nbroken") == "transparent", "transparent"


def test_an_unset_alpha_byte_does_not_hide_a_bmp(
    check: Any, addon: ModuleType, tmp_path: Path
) -> None:
    picture = sample_picture((64, 48))
    data = bytearray(saved(picture.convert("RGBA"), "bmp"))
    start = int.from_bytes(data[10:14], "little")
    data[start + 3 :: 4] = bytes(len(data[start + 3 :: 4]))
    assert check(bytes(data)) == "no"
    photo = importlib.import_module(f"{addon.__name__}.worker.images.read_image")
    file = tmp_path / "unused.bmp"
    file.write_bytes(data)
    pixels = photo.read_image(str(file), 1, 4096)
    assert (pixels[..., 3] == 1.0).all()
    assert np.abs(pixels[..., :3] * 255 - np.asarray(picture)).max() <= 1
    assert photo.read_image(str(file), 1, 32)[..., :3].max() > 0.5


@pytest.mark.parametrize("name", NOTED)
def test_blender_decodes_a_cleaned_picture_as_the_original(
    addon: ModuleType, tmp_path: Path, name: str
) -> None:
    photo = importlib.import_module(f"{addon.__name__}.worker.images.read_image")
    providers = importlib.import_module(f"{addon.__name__}.providers")
    data = NOTED[name](6)
    cleaned = providers.clean_picture(data, providers.read_picture_info(data, "a"), "a")
    assert cleaned is not None
    (tmp_path / "before").write_bytes(data)
    (tmp_path / "after").write_bytes(cleaned)
    before, after = (
        photo.read_image(str(tmp_path / item), 1, 4096) for item in ("before", "after")
    )
    assert (before == after).all()


@pytest.mark.parametrize("format_", ["jpeg", "png", "tiff", "webp"])
def test_a_profile_changes_no_number_that_blender_reads(
    addon: ModuleType, tmp_path: Path, format_: str
) -> None:
    """That is why a converted picture can carry the profile of what it was made of."""
    photo = importlib.import_module(f"{addon.__name__}.worker.images.read_image")
    how = {"lossless": True} if format_ == "webp" else {}
    wide = bytearray(importlib.import_module("fakes.noted").profile())
    red = wide.index(b"rXYZ", 128)
    place = int.from_bytes(wide[red + 4 : red + 8], "big")
    wide[place + 8 : place + 12] = (60_000).to_bytes(4, "big")
    pixels = []
    for more in ({}, {"icc_profile": bytes(wide)}):
        (tmp_path / "read").write_bytes(saved(drawn_once(), format_, **how, **more))
        pixels.append(photo.read_image(str(tmp_path / "read"), 1, 4096))
    assert (pixels[0] == pixels[1]).all()


def drawn_once() -> Image.Image:
    """Return a picture that is the same each time."""
    return Image.linear_gradient("L").convert("RGB")
