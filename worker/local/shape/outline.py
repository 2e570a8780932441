# SPDX-License-Identifier: GPL-3.0-or-later
"""The subject's outline: the zero crossing of a smooth field over the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints, Singles
from .raster import blur, sample_bilinear

_BISECTIONS = 16


@dataclass(frozen=True)
class Outline:
    """A field (h, w) that is positive inside the subject. Points are in pixels, x right, y down.

    `area` is the area of the subject, in square pixels; `length` is the length of its outline, in
    pixels.
    """

    field: Singles
    # Summed-area table of outline pixels (h + 1, w + 1).
    counts: Ints
    area: float
    length: float

    def level(self, points: Floats) -> Floats:
        """Return the field at points (n, 2), capped at each point's distance to the image's edge.

        Outside the image, that distance is negative, so that no point there is in the subject.
        """
        height, width = self.field.shape
        x, y = points[:, 0], points[:, 1]
        margin = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y))
        return np.asarray(np.minimum(sample_bilinear(self.field, x, y), margin), np.float64)

    def crossing(self, inside: Floats, outside: Floats) -> Floats:
        """Return where the outline crosses segments from `inside` to `outside`, both (n, 2).

        The results (n,) are fractions of the segments, accurate to 2⁻¹⁶.
        """
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
        """Return a mask of points with outline pixels in a square of side 2·radius around them."""
        height, width = self.field.shape
        left, right = _window(points[:, 0], radius, width)
        top, bottom = _window(points[:, 1], radius, height)
        counts = self.counts
        total = counts[bottom, right] - counts[top, right] - counts[bottom, left]
        return np.asarray(total + counts[top, left] > 0)


def _window(center: Floats, radius: float, size: int) -> tuple[Ints, Ints]:
    first = np.clip(np.floor(center - radius), 0, size).astype(np.int64)
    last = np.clip(np.ceil(center + radius), 0, size).astype(np.int64)
    return first, last


def trace_outline(matte: Singles, smoothness: float) -> Outline:
    """Return the outline of a matte (h, w) from 0 to 1; the subject is where it exceeds 0.5.

    A higher `smoothness` blurs the matte more. Even at 0, it is blurred by 0.8 pixels, which
    removes the stair steps of hard masks.
    """
    size = float(np.sqrt(np.count_nonzero(matte > 0.5)))
    sigma = 0.8 + 0.02 * smoothness * smoothness * size
    field = blur(matte, sigma) - np.float32(0.5)
    # Exactly zero would be neither inside nor outside.
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
    # On average a curve crosses pixel sides 4/π times its length (Cauchy–Crofton).
    length = (np.count_nonzero(across) + np.count_nonzero(down)) * np.pi / 4.0
    return Outline(field, counts, float(np.count_nonzero(inside)), float(length))
