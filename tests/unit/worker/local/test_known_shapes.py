# SPDX-License-Identifier: GPL-3.0-or-later
"""The renders with known depth are consistent: images, depth, and camera."""

from __future__ import annotations

import numpy as np
import pytest
from unit.known_shapes import FACTS, FOLDER, SHAPES, known_shape


def test_there_are_four_small_ones() -> None:
    assert sorted(SHAPES) == ["chair", "jug", "monkey", "toy"]
    assert max(file.stat().st_size for file in FOLDER.iterdir()) < 60_000


@pytest.mark.parametrize("name", SHAPES)
def test_a_pixel_outside_is_of_the_ground_and_inside_it_is_not(name: str) -> None:
    shape = known_shape(name)
    assert 0.15 < shape.mask.mean() < 0.5
    # The plain ground is gray.
    colorful = np.ptp(shape.rgb, axis=2)
    assert np.median(colorful[shape.mask]) > 3.0 * np.median(colorful[~shape.mask])


@pytest.mark.parametrize("name", SHAPES)
def test_the_subject_stands_on_the_floor_where_the_camera_says(name: str) -> None:
    shape = known_shape(name)
    camera = np.array(FACTS["camera"])
    world = shape.points()[shape.mask] @ camera[:3, :3].T + camera[:3, 3]
    assert -0.05 < world[:, 2].min() < 0.1
    assert 1.6 < world[:, 2].max() < 2.3
