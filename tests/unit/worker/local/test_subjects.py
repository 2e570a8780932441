# SPDX-License-Identifier: GPL-3.0-or-later
"""The subjects of pictures with known masks: plain, white on white, busy, and drawings.

They are judged by the mesh: its outline from the front against the true mask.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import places
import pytest
from PIL import Image
from unit.local_shapes import Refusal, build, front_outline, overlap
from unit.worker_package import load

SubjectFinder = load("local.subject.foreground").SubjectFinder
FILES = sorted((places.ROOT / "tests" / "data" / "subjects").glob("*.jpg"))
COUNTS = {"busy": 8, "drawing": 5, "plain": 5, "white": 4}
WORSE = 0.05
"""How much worse than by the border's color alone a subject may be found."""


def read_pair(file: Path) -> tuple[Any, Any]:
    """Return a picture (h, w, 4) and its true mask (h, w)."""
    with Image.open(file) as image:
        rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
    with Image.open(file.with_suffix(".png")) as image:
        truth = np.asarray(image.convert("L")) > 127
    return np.dstack([rgb, np.ones(rgb.shape[:2], np.float32)]), truth


def by_border(finder: Any, truth: Any) -> float:
    """Return how well the border's color alone finds the subject."""
    try:
        return overlap(finder.find("border", 0.5).matte > 0.5, truth)
    except Refusal:
        return 0.0


def measure(file: Path) -> tuple[float, float, float]:
    """Return the overlap of the mesh, of the matte, and of the border's matte with the truth."""
    pixels, truth = read_pair(file)
    finder = SubjectFinder(pixels)
    matte = finder.find("auto", 0.5).matte > 0.5
    # The texture takes most of the time, and has no part in the outline.
    model = build(pixels, texture_size=64, face_count=12_000)
    outline = front_outline(model, matte)
    return overlap(outline, truth), overlap(matte, truth), by_border(finder, truth)


@pytest.mark.once
@pytest.mark.timeout(1200)
def test_the_subjects_of_unlike_pictures_are_found() -> None:
    kinds = [file.stem.partition("_")[0] for file in FILES]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == COUNTS
    found: dict[str, tuple[float, float, float]] = {}
    print(f"\n{'picture':32} mesh  matte border")
    for file in FILES:
        found[file.stem] = measure(file)
        print(f"{file.stem:32}", *(f"{share:.3f}" for share in found[file.stem]), flush=True)
    meshes = [mesh for mesh, _, _ in found.values()]
    good = sum(mesh >= 0.9 for mesh in meshes) / len(meshes)
    print(f"median {median(meshes):.3f}, at least 0.9: {good:.0%}")
    assert median(meshes) >= 0.975
    assert good >= 0.85
    worse = {name: shares for name, shares in found.items() if shares[0] < shares[2] - WORSE}
    assert not worse
