# SPDX-License-Identifier: GPL-3.0-or-later
"""OKLab against the values that its author gives."""

from __future__ import annotations

import numpy as np
import pytest
from unit.worker_package import load

oklab = load("local.subject.color").oklab


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.6280, 0.2249, 0.1258)),
        ((0.0, 0.0, 1.0), (0.4520, -0.0325, -0.3115)),
        # The straight foot of sRGB's curve: 0.02 / 12.92, whose cube root is L.
        ((0.02, 0.02, 0.02), (0.1157, 0.0, 0.0)),
    ],
)
def test_oklab_matches_the_published_values(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert oklab(np.array(rgb, np.float32)) == pytest.approx(lab, abs=1e-3)
