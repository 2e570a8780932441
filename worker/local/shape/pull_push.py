# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill in the pixels of an image whose colors are not known."""

from __future__ import annotations

import numpy as np

from ..array_types import Singles
from .raster import upscale


def fill_in(colors: Singles, weights: Singles) -> Singles:
    """Return colors (h, w, c) where those of low weight are filled in from ever coarser means.

    `colors` are premultiplied by `weights` (h, w), from 0 to 1. The method is pull-push (Gortler et
    al., "The Lumigraph", 1996).
    """
    levels = [(colors, weights)]
    while max(weights.shape) > 1:
        colors, weights = _halve(colors, weights)
        levels.append((colors, weights))
    colors, weights = levels.pop()
    filled = np.asarray(colors / np.maximum(weights, np.float32(1e-6))[:, :, None], np.float32)
    while levels:
        colors, weights = levels.pop()
        height, width = weights.shape
        if levels:
            coarse = upscale(filled, 2 * filled.shape[0], 2 * filled.shape[1])
        else:
            coarse = filled.repeat(2, axis=0).repeat(2, axis=1)
        filled = coarse[:height, :width] * (np.float32(1.0) - weights)[:, :, None]
        filled += colors
    return filled


def _halve(colors: Singles, weights: Singles) -> tuple[Singles, Singles]:
    """Return colors and weights, summed over 2 × 2 pixels.

    Where a sum of weights exceeds 1, both are divided by it.
    """
    height, width = weights.shape
    odd = height % 2, width % 2
    if any(odd):
        colors = np.pad(colors, ((0, odd[0]), (0, odd[1]), (0, 0)))
        weights = np.pad(weights, ((0, odd[0]), (0, odd[1])))
    sums = weights[::2] + weights[1::2]
    sums = sums[:, ::2] + sums[:, 1::2]
    tints = colors[::2] + colors[1::2]
    tints = tints[:, ::2] + tints[:, 1::2]
    excess = np.maximum(sums, np.float32(1.0))
    tints /= excess[:, :, None]
    return tints, sums / excess
