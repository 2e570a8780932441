# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that a service does not accept are converted to ones that it accepts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import read_picture, write_picture

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


@pytest.fixture
def fit(addon: ModuleType) -> Any:
    """The worker's module that fits pictures to limits."""
    return addon_module("worker.images.fit")


def noise(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    """Return noise, which hardly compresses, with a red upper left corner."""
    pixels = np.random.default_rng(2).integers(0, 255, (height, width, channels), np.uint8)
    pixels[: height // 4, : width // 4] = (255, 0, 0, 255)[:channels]
    return pixels


def convert(fit: Any, source: Path, **limits: Any) -> tuple[Path, NDArray[np.uint8]]:
    """Convert the picture within the limits; return the file and its pixels."""
    request = {
        "picture": str(source),
        "orientation": 1,
        "output": str(source.with_name("sent.png")),
        "max_side": 8192,
        "max_bytes": 10**7,
        "formats": ["jpeg", "png"],
        **limits,
    }
    done = fit.convert_image(request, lambda *_: None)
    file = source.with_name(done["file"])
    return file, read_picture(file)


def test_an_unknown_format_becomes_png_without_loss(fit: Any, tmp_path: Path) -> None:
    pixels = noise(64, 40)
    file, found = convert(fit, write_picture(tmp_path / "a.tga", pixels))
    assert file.suffix == ".png"
    assert (found[..., :3] == pixels).all()


def test_orientation_is_applied(fit: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(64, 40))
    _, found = convert(fit, source, orientation=6)
    assert found.shape[:2] == (64, 40)
    assert (found[2, -3, :3] == (255, 0, 0)).all()


def test_sides_are_scaled_down_in_proportion(fit: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 200))
    _, found = convert(fit, source, max_side=100)
    assert found.shape[:2] == (50, 100)


def test_large_files_become_jpeg_and_then_smaller(fit: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 400))
    file, found = convert(fit, source, max_bytes=300_000)
    assert file.suffix == ".jpg"
    assert found.shape[:2] == (400, 400)
    assert np.abs(found[10:60, 10:60, :3].astype(int) - (255, 0, 0)).max() < 30
    file, found = convert(fit, source, max_bytes=40_000)
    assert file.stat().st_size <= 40_000
    assert max(found.shape[:2]) < 400


def test_transparency_is_kept_where_png_is_taken(fit: Any, tmp_path: Path) -> None:
    pixels = noise(200, 200, 4)
    pixels[50:, :, 3] = 0
    source = write_picture(tmp_path / "a.png", pixels)
    file, found = convert(fit, source, max_bytes=30_000)
    assert file.suffix == ".png"
    assert found[-1, -1, 3] == 0
    file, found = convert(fit, source, formats=["jpeg"])
    assert file.suffix == ".jpg"
    assert (found[-5, -5, :3] > 250).all()


def test_an_image_that_cannot_fit_the_limits_is_refused(fit: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 400))
    with pytest.raises(Exception, match="cannot be converted to fit"):
        convert(fit, source, max_bytes=500)
    assert not source.with_name("sent.png").exists()
