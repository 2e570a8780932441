# SPDX-License-Identifier: GPL-3.0-or-later
"""A box around the subject: what is outside is left out, and what is inside is found better."""

from __future__ import annotations

from typing import Any

import numpy as np
import places
import pytest
from PIL import Image
from unit.local_shapes import Refusal, disc, overlap, paint
from unit.worker_package import load

box_module = load("local.subject.box")
foreground = load("local.subject.foreground")
preview = load("images.subject_preview")
Box, box_of = box_module.Box, box_module.box_of
FOLDER = places.ROOT / "tests" / "data" / "subjects"


def settings(*ends: float) -> dict[str, float]:
    """Return the settings of a box."""
    names = ("box_left", "box_top", "box_right", "box_bottom")
    return dict(zip(names, ends, strict=True))


def test_settings_without_a_box_or_with_an_empty_one_mean_the_whole_image() -> None:
    for found in ({}, settings(0.0, 0.0, 1.0, 1.0), settings(0.5, 0.0, 0.5, 1.0)):
        assert box_of(found) is None
    assert box_of(settings(0.25, 0.0, 0.5, 2.0)) == Box(0.25, 0.0, 0.5, 1.0)


def test_a_box_covers_pixels_even_if_it_is_thinner_than_they_are() -> None:
    rows, columns = Box(0.999, 0.5, 1.0, 0.5001).pixels((100, 50, 4))
    assert (rows, columns) == (slice(50, 58), slice(42, 50))


@pytest.mark.parametrize("mode", ["auto", "alpha", "none"])
def test_nothing_outside_is_part_of_the_subject(mode: str) -> None:
    two = np.concatenate([disc(128, 50), disc(128, 50)], axis=1)
    found = foreground.find_foreground(paint(two), mode, 0.5, Box(0.0, 0.0, 0.5, 1.0))
    assert found.matte.shape == (128, 256)
    assert not found.matte[:, 128:].any()
    left = found.matte[:, :128] > 0.5
    assert left.all() if mode == "none" else overlap(left, disc(128, 50) > 0.5) > 0.97


def test_a_box_around_nothing_is_refused() -> None:
    two = np.concatenate([disc(128, 50), np.zeros((128, 128))], axis=1)
    with pytest.raises(Refusal) as refused:
        foreground.find_foreground(paint(two), "auto", 0.5, Box(0.6, 0.1, 0.9, 0.9))
    assert refused.value.message == "There is no subject in the box."


def test_the_preview_shows_the_box() -> None:
    drawn = preview.render_preview(paint(np.ones((320, 320))), None)
    before = drawn.copy()
    preview.draw_box(drawn, Box(0.25, 0.25, 0.75, 0.5))
    changed = (drawn != before).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (80, 159, 80, 239)
    assert not changed[90:150, 90:230].any()
    assert {0, 32, 255} >= set(np.unique(drawn[changed][:, 0]))


def read_pair(name: str) -> tuple[Any, Any]:
    """Return a test image (h, w, 4) and its true mask."""
    with Image.open(FOLDER / f"{name}.jpg") as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
    with Image.open(FOLDER / f"{name}.png") as image:
        truth = np.asarray(image.convert("L")) > 127
    return np.dstack([rgb, np.ones(rgb.shape[:2], np.float32)]), truth


def box_around(truth: Any, margin: float = 0.03) -> Any:
    """Return a box as a user would draw it: around the subject, with some room."""
    (height, width), ends = truth.shape, []
    for axis, size in ((0, width), (1, height)):
        filled = np.flatnonzero(truth.any(axis=axis))
        room = margin * (filled[-1] - filled[0])
        ends.append((max(0.0, filled[0] - room) / size, min(size, filled[-1] + 1 + room) / size))
    (left, right), (top, bottom) = ends
    return Box(left, top, right, bottom)


@pytest.mark.once
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("busy_chair_coffee", 0.45, 0.78),
        ("busy_guitar_rocket", 0.88, 0.9),
        ("busy_trex_china", 0.84, 0.94),
    ],
)
def test_a_box_finds_what_automatic_does_not(name: str, before: float, after: float) -> None:
    pixels, truth = read_pair(name)
    finder = foreground.SubjectFinder(pixels)
    alone = overlap(finder.find("auto", 0.5).matte > 0.5, truth)
    boxed = overlap(finder.find("auto", 0.5, box_around(truth)).matte > 0.5, truth)
    print(f"\n{name}: {alone:.3f} alone, {boxed:.3f} in the box")
    assert alone < before, "it no longer shows what a box is for"
    assert boxed > after
