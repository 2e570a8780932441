# SPDX-License-Identifier: GPL-3.0-or-later
"""Spun bodies: round about their axis, as high as the subject, without its handle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.local_shapes import (
    Refusal,
    assert_sound,
    build,
    disc,
    euler_characteristic,
    front_outline,
    grid,
    overlap,
    paint,
)

SIZE = 400


def bottle(handle: float = 0.0) -> Any:
    """Return a neck on a body, optionally with a handle that reaches farther to the right."""
    x, y = grid(SIZE, SIZE)
    half = np.where(y < 150, 25.0, 80.0)
    alpha = (np.abs(x - 170) < half) & (y > 40) & (y < 360)
    if handle:
        alpha |= (np.abs(y - 250) < 60) & (x > 170) & (x < 250 + handle)
    return alpha.astype(float)


def test_a_disc_is_spun_to_a_sphere() -> None:
    model = build(paint(disc()), shape="spin", face_count=8000)
    away = np.linalg.norm(model.vertices - np.array([0.0, 0.0, 0.5]), axis=1)
    assert np.abs(away - 0.5).max() < 0.01
    assert euler_characteristic(model) == 2


@pytest.mark.parametrize("handle", [0.0, 70.0])
def test_a_bottle_is_round_and_has_no_handle(handle: float) -> None:
    model = build(paint(bottle(handle)), shape="spin", smoothness=0.0, face_count=12_000)
    assert_sound(model)
    wide, deep, tall = np.ptp(model.vertices, axis=0)
    assert wide == pytest.approx(160 / 320 * (1.15 if handle else 1.0), rel=0.08)
    assert deep == pytest.approx(wide, rel=0.01)
    assert tall == pytest.approx(1.0)
    radius = np.hypot(model.vertices[:, 0], model.vertices[:, 1])
    neck = model.vertices[:, 2] > 0.72
    assert radius[neck].max() == pytest.approx(25 / 320, rel=0.08)


def test_from_the_front_it_has_the_subjects_outline() -> None:
    model = build(paint(bottle()), shape="spin", face_count=12_000)
    assert overlap(front_outline(model, bottle() > 0.5), bottle() > 0.5) >= 0.98


def test_thickness_flattens_it() -> None:
    model = build(paint(disc()), shape="spin", thickness=0.5, face_count=4000)
    assert np.ptp(model.vertices, axis=0) == pytest.approx([1.0, 0.5, 1.0], rel=0.02)


def test_its_triangles_are_even() -> None:
    model = build(paint(disc()), shape="spin", face_count=8000)
    corners = model.vertices[model.triangles]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    middle = np.abs(corners[:, :, 2].mean(axis=1) - 0.5) < 0.3
    assert (sides.max(axis=1) / sides.min(axis=1))[middle].max() < 2.5


def test_a_line_is_refused() -> None:
    alpha = np.zeros((200, 200))
    alpha[100, :] = 1.0
    with pytest.raises(Refusal, match="too thin"):
        build(paint(alpha), shape="spin")
