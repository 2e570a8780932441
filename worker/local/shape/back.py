# SPDX-License-Identifier: GPL-3.0-or-later
"""Color a back that the image does not show, by continuing the colors of the rim.

No detail of the front is repeated, so there is no second face. The colors are taken from a little
inside the rim. Colors that few nearby pixels share, such as the strokes of a drawing, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Singles
from .pull_push import fill_in
from .raster import blur, downscale, fit_size, upscale

RIM_SIDE = 112
"""Longest side in pixels at which the rim's colors are found."""
_DEPTH = 0.035
"""Distance from the rim, as a share of the subject's size, at which the colors are taken."""
_ALIKE = 0.12
"""Difference between colors from 0 to 1 up to which they count as the same."""
_VOTES = 3
"""Rounds in which colors that few nearby pixels share lose weight."""
_ACROSS = 3.0
"""Weight of the neighbors in a row, relative to those in a column, to keep a shirt above trousers.
"""
_COARSEST = 12
_SWEEPS = 30
_LEAST = np.float32(1e-4)


@dataclass(frozen=True)
class Rim:
    """The colors (h, w, 3) near the subject's rim; `inside` (h, w) marks the subject.

    `depth` (h, w) is 0 far outside, about 0.5 at the rim, and 1 far inside.
    """

    colors: Singles
    inside: Bools
    depth: Singles

    def over_the_back(self) -> Singles:
        """Return colors (h, w, 3) that continue those at the rim smoothly to the middle."""
        return _harmonic(self.colors, ~self.inside | (self.depth < 0.6))


def find_rim(weighted: Singles) -> Rim:
    """Return the colors near the rim, extended beyond it, and the subject's mask and depth.

    `weighted` is a small image (h, w, 4). Its colors are premultiplied by the fourth channel, which
    is 1 inside the subject and 0 outside.
    """
    weights = weighted[:, :, 3]
    inside = weights > 0.25
    size = float(np.sqrt(max(1, np.count_nonzero(inside))))
    depth = blur(inside.astype(np.float32), _DEPTH * size)
    # Half of the blurred mask is the rim, 0.98 two widths inside. Thin parts are all rim.
    near = np.clip((np.float32(0.99) - depth) * 10.0, 0.0, 1.0)
    band = near * np.clip((depth - np.float32(0.6)) * 4.0, 0.02, 1.0) * inside
    seen = weighted[:, :, :3] / np.maximum(weights, _LEAST)[:, :, None]
    colors = _agree(seen, np.asarray(band, np.float32), 1.2 * _DEPTH * size)
    return Rim(colors, inside, depth)


def _agree(seen: Singles, band: Singles, sigma: float) -> Singles:
    """Return, for each pixel, the color (h, w, 3) that most nearby pixels of the band share.

    `seen` (h, w, 3) are the image's colors, and `band` (h, w) their weights. Far from the band,
    colors are filled in. `sigma` is in pixels.
    """
    weights = band
    for _ in range(_VOTES):
        mean, _ = _mean(seen, weights, sigma)
        apart = ((seen - mean) ** 2).sum(axis=2)
        weights = band * (np.exp(apart / np.float32(-2.0 * _ALIKE**2)) + np.float32(1e-3))
    mean, total = _mean(seen, weights, sigma)
    known = np.minimum(np.float32(20.0) * total, np.float32(1.0))
    return fill_in(mean * known[:, :, None], known)


def _mean(seen: Singles, weights: Singles, sigma: float) -> tuple[Singles, Singles]:
    """Return the weighted mean (h, w, 3) around each pixel, and the blurred weights (h, w)."""
    total = blur(weights, sigma)
    sums = [blur(seen[:, :, k] * weights, sigma) for k in range(3)]
    return np.stack(sums, axis=2) / np.maximum(total, _LEAST * _LEAST)[:, :, None], total


def _harmonic(colors: Singles, fixed: Bools) -> Singles:
    """Return the colors (h, w, 3); those not fixed become a smooth surface through the others.

    `fixed` (h, w) is a mask. The surface is solved on ever finer grids, each starting from the
    result of the one before.
    """
    height, width = fixed.shape
    if max(height, width) > _COARSEST:
        rows, columns = fit_size(fixed.shape, max(height, width) // 2)
        weights = downscale(fixed[:, :, None].astype(np.float32), rows, columns)
        means = downscale(colors * fixed[:, :, None], rows, columns) / np.maximum(weights, _LEAST)
        coarse = _harmonic(means, weights[:, :, 0] > 0.0)
        filled = np.where(fixed[:, :, None], colors, upscale(coarse, height, width))
    else:
        known = fixed.astype(np.float32)
        filled = np.where(fixed[:, :, None], colors, fill_in(colors * known[:, :, None], known))
    return _relax(filled, fixed)


def _relax(colors: Singles, fixed: Bools) -> Singles:
    """Return the colors after repeatedly replacing those not fixed by the mean of their neighbors.

    Neighbors in a row count more. If no color is fixed, all stay unchanged.
    """
    free = ~fixed[:, :, None]
    if not fixed.any():
        return colors
    for _ in range(_SWEEPS):
        padded = np.pad(colors, ((1, 1), (1, 1), (0, 0)), mode="edge")
        across = padded[1:-1, 2:] + padded[1:-1, :-2]
        down = padded[2:, 1:-1] + padded[:-2, 1:-1]
        mean = (np.float32(_ACROSS) * across + down) / np.float32(2.0 * _ACROSS + 2.0)
        colors = np.where(free, mean, colors)
    return colors
