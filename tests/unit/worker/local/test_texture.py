# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures of the local provider: every face shows its own part of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.local_shapes import annulus, build, corner_normals, disc, grid, islands, paint

SHAPES = ("inflate", "relief", "cutout", "spin")


def _texels(model: Any, uv: Any) -> Any:
    """Return the texture's colors (…, 3) in 0..1 at UV, nearest pixel."""
    height, width = model.texture.shape[:2]
    column = np.clip((uv[..., 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1.0 - uv[..., 1]) * height).astype(int), 0, height - 1)
    return model.texture[row, column] / 255.0


def _facing(model: Any) -> Any:
    """Return each triangle's normal's y, −1 for the front."""
    normals = corner_normals(model)
    return normals[:, 1] / np.linalg.norm(normals, axis=1)


@pytest.mark.parametrize("back", ["mirror", "color", "rim"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_face_shows_its_own_place(shape: str, back: str) -> None:
    model = build(paint(disc()), shape=shape, back=back, face_count=6000)
    middle = model.vertices[model.triangles].mean(axis=1)
    colors = _texels(model, model.uv.mean(axis=1))
    # The disc reaches from 28 to 228 of 256 pixels; painted() tells x by red and y by green.
    wanted = np.stack([(128 + 200 * middle[:, 0]) / 256, (228 - 200 * middle[:, 2]) / 256], 1)
    front = _facing(model) < -0.45
    assert np.abs(colors[front, :2] - wanted[front]).max() < 0.02
    # Steep flanks show colors from further inside, and go over to those of a plain back.
    steep = (_facing(model) < -0.05) & ~front
    near = 0.03 if back == "mirror" or shape == "relief" else 0.1
    assert np.abs(colors[steep, :2] - wanted[steep]).max(initial=0.0) < near
    behind = _facing(model) > 0.3
    slack = 0.02 if back == "mirror" else 0.2
    assert np.abs(colors[behind, :2] - wanted[behind]).max() < slack


def test_the_picture_stays_as_it_was_on_the_front() -> None:
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (120, 160, 4))
    pixels[:, :, 3] = 255
    picture = pixels.astype(np.float32) / np.float32(255.0)
    model = build(picture, foreground="none", shape="relief", face_count=1000)
    height, width = model.texture.shape[:2]
    columns = [column for column in range(width - 154) if _same(model, pixels, column)]
    assert len(columns) == 1
    assert height <= 2048


def _same(model: Any, pixels: Any, column: int) -> bool:
    """Tell whether the picture's inner part stands in the texture at a column, at some row."""
    inner = pixels[3:-3, 3:-3, :3]
    for row in range(model.texture.shape[0] - inner.shape[0] + 1):
        if np.array_equal(model.texture[row, column : column + 154], inner[0]):
            block = model.texture[row : row + inner.shape[0], column : column + 154]
            return np.array_equal(block, inner)
    return False


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_one_island_for_each_side_of_each_part(shape: str) -> None:
    alpha = disc(256, 50, (64, 128)) + disc(256, 40, (190, 128))
    model = build(paint(alpha), shape=shape, face_count=5000)
    names = islands(model)
    assert names.max() + 1 == 4
    facing = _facing(model)
    for island in range(4):
        sides = np.sign(facing[(names == island) & (np.abs(facing) > 0.2)])
        assert len(np.unique(sides)) == 1


@pytest.mark.parametrize("back", ["mirror", "color", "rim"])
@pytest.mark.parametrize("shape", SHAPES)
def test_uvs_stay_inside_and_never_overlap(shape: str, back: str) -> None:
    model = build(paint(annulus()), shape=shape, back=back, face_count=3000)
    assert model.uv.min() >= 0.0
    assert model.uv.max() <= 1.0
    uv = model.uv.astype(np.float64)
    edge, other_edge = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    signed = edge[:, 0] * other_edge[:, 1] - edge[:, 1] * other_edge[:, 0]
    # All turn the same way, so an overlap would show in a count of what covers each texel.
    assert (signed > 0.0).all()
    assert _most_covered(uv) == 1


def _most_covered(uv: Any) -> int:
    """Return how many triangles lie over the most covered of many random places."""
    places = np.random.default_rng(1).random((700, 2))
    most = 0
    for place in places:
        away = uv - place
        following = np.roll(away, -1, axis=1)
        cross = away[..., 0] * following[..., 1] - away[..., 1] * following[..., 0]
        most = max(most, int((cross > 1e-12).all(axis=1).sum()))
    return most


def test_the_backgrounds_color_does_not_bleed_in() -> None:
    x, y = grid(300, 300)
    inside = np.clip(110.0 - np.hypot(x - 150, y - 150) + 0.5, 0, 1)[:, :, None]
    blended = inside * np.array([0.9, 0.2, 0.1]) + (1 - inside) * np.array([0.0, 1.0, 0.2])
    picture = np.concatenate([blended, np.ones((300, 300, 1))], axis=2).astype(np.float32)
    model = build(picture, face_count=4000)
    rim = _texels(model, model.uv.reshape(-1, 2))
    assert np.abs(rim - [0.9, 0.2, 0.1]).max() < 0.02
    # Nor does filtering at a distance reach it.
    assert model.texture[:, :, 1].max() < 70


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (300, 300)])
@pytest.mark.parametrize("size", [64, 256, 1024])
def test_the_texture_keeps_to_its_size(shape: tuple[int, int], size: int) -> None:
    model = build(paint(np.ones(shape)), foreground="none", texture_size=size, face_count=500)
    assert max(model.texture.shape) <= size
    assert max(model.texture.shape) >= min(size, 320) * 0.8


def test_a_small_picture_is_never_enlarged() -> None:
    model = build(paint(disc(64, 25)), face_count=1000)
    assert max(model.texture.shape[:2]) <= 2 * 64


@pytest.mark.parametrize("back", ["mirror", "color", "rim"])
@pytest.mark.parametrize(("size", "crisp"), [(128, True), (129, False)])
def test_few_pixels_are_shown_as_they_are(back: str, size: int, crisp: bool) -> None:
    random = np.random.default_rng(2)
    picture = np.ones((size, size, 4), np.float32)
    picture[:, :, :3] = random.integers(0, 2, (size, size, 3))
    picture[:10] = picture[-10:] = picture[:, :10] = picture[:, -10:] = 0.0
    model = build(picture, back=back, foreground="alpha", face_count=2000)
    assert model.crisp is crisp
    # Every pixel of the subject is found again: none at the rim is mixed or left out.
    subject, side = np.rint(picture[10:-10, 10:-10, :3] * 255.0), size - 20
    corners = [(row, column) for row in range(2, 7) for column in range(2, 7)]
    cuts = (model.texture[row : row + side, column : column + side] for row, column in corners)
    assert any(np.array_equal(cut, subject) for cut in cuts) is crisp
    assert max(model.texture.shape) <= 2 * size


def test_colors_under_transparent_pixels_never_show() -> None:
    picture = np.zeros((256, 256, 4), np.float32)
    picture[20:236, 20:236] = (1.0, 0.2, 0.2, 1.0)
    picture[100:102, 100:102] = (0.0, 0.0, 0.0, 0.0)
    picture[150:154, 160:164] = (0.0, 1.0, 0.0, 0.0)
    picture[20:236, 234:236, 3] = 0.0
    texture = build(picture, face_count=2000).texture
    assert np.abs(texture.reshape(-1, 3) - np.array([255.0, 51.0, 51.0])).max() < 3.0
