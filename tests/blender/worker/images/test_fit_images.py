# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that a service does not take are turned into ones that it takes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from blender.picture_files import read_picture, write_picture

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


@pytest.fixture
def package(addon: ModuleType) -> Any:
    """The module under test."""
    return importlib.import_module(f"{addon.__name__}.worker.images.fit")


def noise(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    """Return a picture that hardly compresses, with a red upper left corner."""
    pixels = np.random.default_rng(2).integers(0, 255, (height, width, channels), np.uint8)
    pixels[: height // 4, : width // 4] = (255, 0, 0, 255)[:channels]
    return pixels


def fitted(package: Any, source: Path, **limits: Any) -> tuple[Path, NDArray[np.uint8]]:
    """Fit the picture and return the file and its pixels."""
    request = {
        "picture": str(source),
        "orientation": 1,
        "output": str(source.with_name("sent.png")),
        "max_side": 8192,
        "max_bytes": 10**7,
        "formats": ["jpeg", "png"],
        **limits,
    }
    done = package.convert_image(request, lambda *_: None)
    file = source.with_name(done["file"])
    return file, read_picture(file)


def test_unknown_format_becomes_png_without_loss(package: Any, tmp_path: Path) -> None:
    pixels = noise(64, 40)
    file, found = fitted(package, write_picture(tmp_path / "a.tga", pixels))
    assert file.suffix == ".png"
    assert (found[..., :3] == pixels).all()


def test_orientation_is_applied(package: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(64, 40))
    _, found = fitted(package, source, orientation=6)
    assert found.shape[:2] == (64, 40)
    assert (found[2, -3, :3] == (255, 0, 0)).all()


def test_sides_are_scaled_down_in_proportion(package: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 200))
    _, found = fitted(package, source, max_side=100)
    assert found.shape[:2] == (50, 100)


def test_large_files_become_jpeg_and_then_smaller(package: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 400))
    file, found = fitted(package, source, max_bytes=300_000)
    assert file.suffix == ".jpg"
    assert found.shape[:2] == (400, 400)
    assert np.abs(found[10:60, 10:60, :3].astype(int) - (255, 0, 0)).max() < 30
    file, found = fitted(package, source, max_bytes=40_000)
    assert file.stat().st_size <= 40_000
    assert max(found.shape[:2]) < 400


def test_transparency_is_kept_where_png_is_taken(package: Any, tmp_path: Path) -> None:
    pixels = noise(200, 200, 4)
    pixels[50:, :, 3] = 0
    source = write_picture(tmp_path / "a.png", pixels)
    file, found = fitted(package, source, max_bytes=30_000)
    assert file.suffix == ".png"
    assert found[-1, -1, 3] == 0
    file, found = fitted(package, source, formats=["jpeg"])
    assert file.suffix == ".jpg"
    assert (found[-5, -5, :3] > 250).all()


def test_an_image_that_cannot_fit_the_limits_is_refused(package: Any, tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a.png", noise(400, 400))
    with pytest.raises(Exception, match="cannot be made to fit"):
        fitted(package, source, max_bytes=500)
    assert not source.with_name("sent.png").exists()
