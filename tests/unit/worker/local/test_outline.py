# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pictures, with and without alpha: the outline follows the subject.

They are scikit-image's own samples (its data/README tells their sources and licenses).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image
from unit.local_shapes import assert_sound, build, disc, overlap, rasterize
from unit.worker_package import load

find_foreground = load("local.subject.foreground").find_foreground
trace_outline = load("local.shape.outline").trace_outline
triangulate = load("local.shape.triangulation").triangulate


@cache
def picture(name: str) -> Any:
    """Return a sample (h, w, 4) in 0..1; "…+alpha" is cut out by an alpha of its own."""
    sample, _, cut = name.partition("+")
    image = Image.fromarray(np.asarray(getattr(skimage.data, sample)())).convert("RGBA")
    pixels = np.asarray(image).astype(np.float32) / 255.0
    if cut:
        # The mask from the border, with a piece removed, stands for an artist's cut-out.
        matte = find_foreground(pixels, "border", 0.5).matte
        size = max(matte.shape)
        bite = disc(size, size / 7.0)[: matte.shape[0], : matte.shape[1]]
        pixels[:, :, 3] = np.clip(matte - bite, 0.0, 1.0)
    return pixels


PICTURES = ("coffee", "coins", "rocket", "camera", "horse", "coffee+alpha", "camera+alpha", "logo")


@pytest.mark.parametrize("name", PICTURES)
def test_the_outline_follows_the_subject(name: str) -> None:
    found = find_foreground(picture(name), "auto", 0.5)
    assert not found.notes, "there are notes"
    mask = found.matte > 0.5
    flat = triangulate(trace_outline(found.matte, 0.25), 40_000, 2, walls=False)
    assert overlap(rasterize(flat.points, flat.triangles, mask.shape), mask) >= 0.98


@pytest.mark.parametrize("name", ["coffee", "rocket", "logo"])
def test_the_mesh_is_sound(name: str) -> None:
    model = build(picture(name))
    assert_sound(model)
    assert len(model.triangles) == pytest.approx(40_000, rel=0.05)


def test_a_cup_is_found_whole() -> None:
    matte = find_foreground(picture("coffee"), "auto", 0.5).matte
    assert 0.3 < (matte > 0.5).mean() < 0.6
    # The coffee, the cup's white lip, the spoon and the saucer.
    for row, column in ((110, 290), (90, 190), (280, 360), (270, 250)):
        assert matte[row, column] > 0.5
    for row, column in ((30, 60), (200, 40), (150, 560)):
        assert matte[row, column] < 0.5


def test_a_cat_that_fills_most_of_the_picture_is_found() -> None:
    found = find_foreground(picture("chelsea"), "auto", 0.5)
    assert not found.notes
    assert 0.5 < (found.matte > 0.5).mean() < 0.8
