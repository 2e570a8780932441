# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes, wheels and plates stay flat when they are inflated; balls, heads and bottles do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.local_shapes import assert_sound, build, grid

SIZE = 400


def gray(lightness: Any, inside: Any) -> Any:
    """Return a picture (h, w, 4) of a lightness, under a mask."""
    shade = np.broadcast_to(lightness, inside.shape)
    return np.dstack([shade, shade, shade, inside]).astype(np.float32)


def wheel(squash: float = 1.0, shift: float = 0.0) -> Any:
    """Return a dark tire on a light disk; `shift` moves the disk out of the middle."""
    x, y = grid(SIZE, SIZE)
    away = np.hypot(x - 200, (y - 200) / squash)
    hub = np.hypot(x - 200 - shift, (y - 200) / squash) < 100
    return gray(np.where(hub, 0.8, 0.2), away < 160)


def ball() -> Any:
    """Return a ball lit from above, with a face on it."""
    x, y = grid(SIZE, SIZE)
    away = np.hypot(x - 200, y - 200) / 160
    lit = 0.2 + 0.6 * np.sqrt(np.clip(1 - away**2, 0, 1)) * (1.2 - y / SIZE)
    eyes = np.hypot(np.abs(x - 200) - 60, y - 160) < 22
    return gray(np.where(eyes, 0.0, lit), away < 1)


def box(width: float = 240.0, height: float = 240.0, lean: float = 0.0) -> Any:
    """Return a rectangle that leans by an angle in degrees."""
    x, y = grid(SIZE, SIZE)
    angle = np.radians(lean)
    across = (x - 200) * np.cos(angle) + (y - 200) * np.sin(angle)
    up = (y - 200) * np.cos(angle) - (x - 200) * np.sin(angle)
    return gray(0.5, (np.abs(across) < width / 2) & (np.abs(up) < height / 2))


def head() -> Any:
    """Return a head with two round ears."""
    x, y = grid(SIZE, SIZE)
    ears = np.hypot(np.abs(x - 200) - 100, y - 120) < 50
    return gray(0.5, ears | (np.hypot(x - 200, y - 220) < 130))


def depth(picture: Any, **settings: Any) -> float:
    """Return the depth of the inflated mesh, relative to the shorter of its other sides."""
    model = build(picture, foreground="alpha", face_count=8000, **settings)
    assert_sound(model)
    wide, deep, tall = np.ptp(model.vertices, axis=0)
    return float(deep / min(wide, tall))


@pytest.mark.parametrize(
    ("picture", "least", "most"),
    [
        (wheel(), 0.18, 0.24),
        (wheel(squash=0.7), 0.18, 0.26),
        (box(), 0.45, 0.58),
        (box(height=160.0), 0.45, 0.66),
        (box(lean=20.0), 0.40, 0.58),
        (wheel(shift=40.0), 0.97, 1.03),
        (ball(), 0.97, 1.03),
        (head(), 0.9, 1.1),
    ],
    ids=["wheel", "plate", "box", "book", "leaning box", "eye", "ball", "head"],
)
def test_flat_subjects_stay_flat(picture: Any, least: float, most: float) -> None:
    assert least < depth(picture) < most


def test_the_face_of_a_box_is_level() -> None:
    model = build(box(), foreground="alpha", face_count=8000)
    middle = np.abs(model.vertices[:, [0, 2]] - [0.0, 0.5]).max(axis=1) < 0.25
    heights = np.abs(model.vertices[middle, 1])
    assert heights.min() > 0.93 * heights.max()


def test_thickness_is_applied_to_flat_subjects_as_well() -> None:
    assert depth(wheel(), thickness=2.0) == pytest.approx(2.0 * depth(wheel()), rel=0.02)
