# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of what the provider gets: checkerboard, outline, and what settings change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from unit.local_shapes import disc, paint
from unit.worker_package import load

if TYPE_CHECKING:
    from pathlib import Path

preview = load("images.subject_preview")
foreground = load("local.subject.foreground")

LINE = np.rint(np.array(preview.LINE_COLOR) * 255)
GRAYS = np.rint(np.array(preview.CHECKER) * 255)


def photo(inside: Any) -> Any:
    """Return an opaque image (h, w, 4): a red subject on a white wall, with a camera's noise."""
    colors = 0.9 - inside[..., None] * np.array([0.2, 0.7, 0.7])
    colors = colors + np.random.default_rng(5).normal(0.0, 0.004, colors.shape)
    opaque = np.ones((*inside.shape, 1))
    return np.concatenate([np.clip(colors, 0, 1), opaque], axis=2).astype(np.float32)


def is_line(picture: Any) -> Any:
    """Return which pixels of a preview are in the outline's color."""
    return (np.abs(picture[..., :3].astype(int) - LINE) < 12).all(axis=2)


def draw_found(pixels: Any, mode: str = "auto", tolerance: float = 0.5) -> Any:
    """Return the preview of an image with these settings."""
    matte = foreground.find_foreground(pixels, mode, tolerance).matte
    return preview.render_preview(pixels, matte)


def test_the_outline_runs_around_the_subject() -> None:
    picture = draw_found(photo(disc(320, radius=100)))
    y, x = np.nonzero(is_line(picture))
    away = np.hypot(x + 0.5 - 160, y + 0.5 - 160)
    assert len(away) > 1500
    assert away.min() > 92
    assert away.max() < 102
    # All around, not only on one side.
    angles = np.degrees(np.arctan2(y - 160, x - 160))
    assert len(np.unique(np.floor(angles / 10))) >= 36


def test_what_is_unusable_is_faint_and_the_subject_is_not() -> None:
    pixels = photo(disc(320, radius=100))
    picture = draw_found(pixels).astype(int)
    own = np.rint(pixels[..., :3] * 255).astype(int)
    assert np.abs(picture[160, 160, :3] - own[160, 160]).max() <= 2
    corner = picture[4, 4, :3]
    assert np.abs(corner - own[4, 4]).max() > 60
    assert np.abs(corner - GRAYS.min()).max() < 90


def test_a_service_gets_the_whole_image_and_no_outline_is_drawn() -> None:
    pixels = photo(disc(320, radius=100))
    picture = preview.render_preview(pixels, None)
    assert not is_line(picture).any()
    np.testing.assert_allclose(picture[..., :3], pixels[..., :3] * 255, atol=1)


@pytest.mark.parametrize("mode", ["", "auto"])
def test_transparency_is_seen_as_a_checkerboard(mode: str) -> None:
    pixels = paint(disc(320, radius=100))
    picture = draw_found(pixels, mode) if mode else preview.render_preview(pixels, None)
    corner = picture[:60, :60, 0]
    assert set(np.unique(corner)) == set(GRAYS.astype(np.uint8))
    assert (corner == GRAYS[0]).mean() == pytest.approx(0.5, abs=0.1)
    assert (picture[..., 3] == 255).all()


def test_the_whole_image_is_framed() -> None:
    picture = is_line(draw_found(photo(disc(320, radius=100)), "none"))
    assert picture[1, 5:-5].all()
    assert picture[5:-5, -2].all()
    assert not picture[20:-20, 20:-20].any()


def test_a_small_image_is_enlarged_and_the_line_keeps_its_width() -> None:
    picture = draw_found(photo(disc(32, radius=10)))
    assert picture.shape == (320, 320, 4)
    row = is_line(picture)[160]
    assert 2 <= row[:160].sum() <= preview.LINE


def request(tmp_path: Path, pixels: Any, **settings: Any) -> dict[str, Any]:
    """Return a request for a preview of an image."""
    whole = np.rint(pixels * 255).astype(np.uint8)
    (tmp_path / "copy").write_bytes(whole.tobytes())
    files = {"copy": str(tmp_path / "copy"), "preview": str(tmp_path / "preview")}
    return {**files, "size": [whole.shape[1], whole.shape[0]], **settings}


def test_a_higher_tolerance_outlines_less(tmp_path: Path) -> None:
    """A pale ring around the subject belongs to it until Tolerance leaves it out."""
    ring, core = disc(320, radius=120), disc(320, radius=60)
    pixels = photo(np.zeros((320, 320)))
    pixels[..., :3] -= 0.2 * ring[..., None] + 0.5 * core[..., None]
    sizes = []
    for tolerance in (0.5, 1.0):
        asked = request(tmp_path, pixels, mode="border", tolerance=tolerance)
        answer = preview.draw_preview(asked, lambda *_: None)
        left, _, right, _ = answer["box"]
        sizes.append((right - left) * 320)
    assert sizes == pytest.approx([240, 120], abs=10)


def test_why_nothing_is_found_is_answered_and_the_image_is_faint(tmp_path: Path) -> None:
    pixels = photo(np.zeros((64, 96), np.float32))
    answer = preview.draw_preview(
        request(tmp_path, pixels, mode="auto", tolerance=0.5), lambda *_: None
    )
    assert answer["clear"] is False
    assert "stands out" in answer["why"]
    drawn = np.fromfile(tmp_path / "preview", np.uint8).reshape(answer["height"], -1, 4)
    assert drawn.shape[1] == answer["width"]
    assert not is_line(drawn).any()


def test_the_preview_file_starts_with_the_bottom_row(tmp_path: Path) -> None:
    pixels = np.zeros((320, 200, 4), np.float32)
    pixels[..., 3] = 1.0
    pixels[:160, :, 0] = 1.0
    answer = preview.draw_preview(request(tmp_path, pixels, mode=""), lambda *_: None)
    assert answer == {"width": 200, "height": 320}
    drawn = np.fromfile(tmp_path / "preview", np.uint8).reshape(320, 200, 4)
    assert tuple(drawn[0, 0]) == (0, 0, 0, 255)
    assert tuple(drawn[-1, 0]) == (255, 0, 0, 255)
