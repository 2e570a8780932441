# SPDX-License-Identifier: GPL-3.0-or-later
"""The subject's outline: where a smooth field over the picture crosses zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints, Singles
from .raster import blurred, sampled

_BISECTIONS = 16


@dataclass(frozen=True)
class Outline:
    """A field (h, w) that is positive inside the subject; points are pixels, x right, y down."""

    field: Singles
    # Counts of outline pixels above and left of each grid corner, (h + 1, w + 1).
    counts: Ints
    area: float
    length: float

    def level(self, points: Floats) -> Floats:
        """Return the field at points (n, 2); outside the picture it falls off as the distance."""
        height, width = self.field.shape
        x, y = points[:, 0], points[:, 1]
        margin = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
        return np.asarray(np.minimum(sampled(self.field, x, y), margin), np.float64)

    def crossing(self, inside: Floats, outside: Floats) -> Floats:
        """Return how far along each segment (0..1) the outline lies, to a 65,000th."""
        low = np.zeros(len(inside))
        high = np.ones(len(inside))
        span = outside - inside
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            within = self.level(inside + middle[:, None] * span) > 0.0
            low = np.where(within, middle, low)
            high = np.where(within, high, middle)
        return 0.5 * (low + high)

    def near(self, points: Floats, radius: float) -> Bools:
        """Tell which points have outline pixels in a square of 2·radius around them."""
        height, width = self.field.shape
        left, right = _window(points[:, 0], radius, width)
        top, bottom = _window(points[:, 1], radius, height)
        counts = self.counts
        found = counts[bottom, right] - counts[top, right] - counts[bottom, left]
        return np.asarray(found + counts[top, left] > 0)


def _window(center: Floats, radius: float, size: int) -> tuple[Ints, Ints]:
    first = np.clip(np.floor(center - radius), 0, size).astype(np.int64)
    last = np.clip(np.ceil(center + radius), 0, size).astype(np.int64)
    return first, last


def traced(matte: Singles, smoothness: float) -> Outline:
    """Make an outline of a matte (h, w) in 0..1, whose subject is where it exceeds one half.

    Even at smoothness 0 the matte is blurred by 0.8 pixels: the stairs of a hard mask go.
    """
    size = float(np.sqrt(np.count_nonzero(matte > 0.5)))
    sigma = 0.8 + 0.02 * smoothness * smoothness * size
    field = blurred(matte, sigma) - np.float32(0.5)
    # A value of exactly zero would be neither inside nor outside.
    field[field == 0.0] = -1e-6
    inside = np.pad(field > 0.0, 1)
    edge = np.zeros(inside.shape, np.bool_)
    across = inside[:, 1:] != inside[:, :-1]
    down = inside[1:] != inside[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    counts = np.zeros((field.shape[0] + 1, field.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(edge[1:-1, 1:-1], axis=0, dtype=np.int64), axis=1, out=counts[1:, 1:])
    # A curve crosses pixel sides 4/π times its length on average (Cauchy–Crofton).
    length = (np.count_nonzero(across) + np.count_nonzero(down)) * np.pi / 4.0
    return Outline(field, counts, float(np.count_nonzero(inside)), float(length))
