# SPDX-License-Identifier: GPL-3.0-or-later
"""Closed drawings become bodies: the outline is that of the filled shape, strokes stay in front."""

from __future__ import annotations

from typing import Any

import numpy as np
import places
import pytest
from PIL import Image
from unit.local_shapes import (
    assert_sound,
    build,
    corner_normals,
    disc,
    front_outline,
    grid,
    overlap,
)

FILES = sorted((places.ROOT / "tests" / "data" / "subjects").glob("drawing_*.jpg"))
SIZE, RADIUS = 512, 200.0


@pytest.mark.once
@pytest.mark.timeout(600)
def test_five_drawings_have_the_outline_of_the_filled_shape() -> None:
    assert len(FILES) == 5
    found: dict[str, float] = {}
    for file in FILES:
        rgb = np.asarray(Image.open(file).convert("RGB"), np.float32) / 255.0
        model = build(np.dstack([rgb, np.ones(rgb.shape[:2], np.float32)]), face_count=20_000)
        assert_sound(model)
        truth = np.asarray(Image.open(file.with_suffix(".png")).convert("L")) > 127
        found[file.stem] = overlap(front_outline(model, truth), truth)
        print(f"{file.stem:32} {found[file.stem]:.3f}")
    assert min(found.values()) >= 0.95


def drawn_disc(stroke: float) -> Any:
    """Return a disc of paper with a dark stroke along its outline and a dark dot on it."""
    x, y = grid(SIZE, SIZE)
    away = np.hypot(x - SIZE / 2, y - SIZE / 2)
    dark = (away > RADIUS - stroke) | (np.hypot(x - 200, y - 220) < 15)
    ink = np.where(dark, 0.1, 0.9)
    return np.dstack([ink, ink, ink, disc(SIZE, RADIUS)]).astype(np.float32)


@pytest.mark.parametrize("stroke", [5.0, 8.0])
@pytest.mark.parametrize("shape", ["inflate", "spin"])
def test_strokes_are_not_drawn_out_over_the_flank_and_the_back(shape: str, stroke: float) -> None:
    model = build(drawn_disc(stroke), shape=shape, foreground="alpha", face_count=20_000)
    normals = corner_normals(model)
    facing = -normals[:, 1] / np.linalg.norm(normals, axis=1)
    height, width = model.texture.shape[:2]
    uv = model.uv.mean(axis=1)
    ink = model.texture[((1.0 - uv[:, 1]) * height).astype(int), (uv[:, 0] * width).astype(int), 0]
    # Behind, and where the front is seen from the side: paper.
    assert ink[facing < 0.1].min() > 200
    # The stroke is still there beside the flank, and so is the dot.
    assert ink[(facing > 0.12) & (facing < 0.3)].min() < 120
    assert (ink[facing > 0.5] < 60).sum() > 10
