# SPDX-License-Identifier: GPL-3.0-or-later
"""The subjects of pictures with known masks: plain, white on white, busy, and drawings."""

from __future__ import annotations

from statistics import median

import numpy as np
import places
import pytest
from PIL import Image
from unit.local_shapes import overlap
from unit.worker_package import load

find_foreground = load("local.subject.foreground").find_foreground
FILES = sorted((places.ROOT / "tests" / "data" / "subjects").glob("*.jpg"))
COUNTS = {"busy": 8, "drawing": 5, "plain": 5, "white": 4}


@pytest.mark.once
@pytest.mark.timeout(600)
def test_the_subjects_of_unlike_pictures_are_found() -> None:
    kinds = [file.stem.partition("_")[0] for file in FILES]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == COUNTS
    found: dict[str, float] = {}
    for file in FILES:
        rgb = np.asarray(Image.open(file).convert("RGB"), np.float32) / 255.0
        pixels = np.dstack([rgb, np.ones(rgb.shape[:2], np.float32)])
        truth = np.asarray(Image.open(file.with_suffix(".png")).convert("L")) > 127
        found[file.stem] = overlap(find_foreground(pixels, "auto", 0.5).matte > 0.5, truth)
        print(f"{file.stem:32} {found[file.stem]:.3f}")
    good = sum(share >= 0.9 for share in found.values()) / len(found)
    print(f"median {median(found.values()):.3f}, at least 0.9: {good:.0%}")
    assert median(found.values()) >= 0.98
    assert good >= 0.85
    for kind, count in COUNTS.items():
        shares = [share for name, share in found.items() if name.startswith(kind)]
        assert sum(share >= 0.9 for share in shares) >= count - (3 if kind == "busy" else 0)
