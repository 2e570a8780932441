# SPDX-License-Identifier: GPL-3.0-or-later
"""The back's texture: the rim's colors go on over it, without the front's face or strokes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.local_shapes import build, corner_normals, disc, grid

HAT, SHIRT, FACE, STROKE = (0.8, 0.1, 0.1), (0.1, 0.2, 0.7), (0.2, 0.8, 0.2), (0.0, 0.0, 0.0)
SIZE, RADIUS = 512, 220.0


def character(stroke: float = 0.0) -> Any:
    """Return a disc, red above and blue below, with a green face and a black outline."""
    x, y = grid(SIZE, SIZE)
    away = np.hypot(x - SIZE / 2, y - SIZE / 2)
    picture = np.where((y < SIZE / 2)[:, :, None], HAT, SHIRT)
    picture = np.where((away < 0.6 * RADIUS)[:, :, None], FACE, picture)
    picture = np.where((away > RADIUS - stroke)[:, :, None], STROKE, picture)
    return np.dstack([picture, disc(SIZE, RADIUS)]).astype(np.float32)


def colors_behind(model: Any) -> tuple[Any, Any]:
    """Return places (n, 3) and colors (n, 3) in 0..1 of the triangles that face backward."""
    normals = corner_normals(model)
    behind = normals[:, 1] > 0.1 * np.linalg.norm(normals, axis=1)
    height, width = model.texture.shape[:2]
    uv = model.uv[behind].mean(axis=1)
    row = ((1.0 - uv[:, 1]) * height).astype(int)
    column = (uv[:, 0] * width).astype(int)
    return model.vertices[model.triangles[behind]].mean(axis=1), model.texture[row, column] / 255.0


@pytest.mark.parametrize("shape", ["inflate", "cutout", "relief"])
@pytest.mark.parametrize("stroke", [0.0, 8.0])
def test_the_back_has_the_rims_colors_and_no_face(shape: str, stroke: float) -> None:
    places, colors = colors_behind(build(character(stroke), shape=shape, face_count=8000))
    # Between red and blue there is no green, nor anything as dark as the outline.
    assert colors[:, 1].max() < 0.25
    assert colors.sum(axis=1).min() > 0.75
    upper, lower = places[:, 2] > 0.7, places[:, 2] < 0.3
    assert np.abs(colors[upper] - HAT).mean() < 0.05
    assert np.abs(colors[lower] - SHIRT).mean() < 0.05


def test_the_back_changes_gently() -> None:
    texture = build(character(), face_count=4000).texture / 255.0
    height, width = texture.shape[0] // 4, texture.shape[1] // 5
    back = texture[:height, -width:]
    middle = back[height // 8 : -height // 8, width // 3 : -width // 3]
    assert np.abs(np.diff(middle, axis=0)).max() < 0.06


def test_the_mirrored_back_repeats_the_face() -> None:
    _, colors = colors_behind(build(character(), back="mirror", face_count=8000))
    assert (np.abs(colors - FACE).max(axis=1) < 0.05).mean() > 0.08
