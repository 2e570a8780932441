# SPDX-License-Identifier: GPL-3.0-or-later
"""The share of the front's own colors near the rim, where it fades into the back."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Singles
from .raster import blur, downscale, fit_size

_SIDE = 320
"""Longest side in pixels at which distances are measured."""
_PART = 0.2
"""Maximum width of the flank, as a share of half the local width of the subject."""
_THINNEST = 2.5
"""Half of a part's width, in pixels of the small copy, below which the part has no flank."""
_FINER = 1.4
"""Ratio between the widths of parts that are told apart."""


def share_of_front(matte: Singles, width: float) -> Singles:
    """Return how much of a pixel's own color shows: 0 at the rim and outside, 1 inside.

    `width` is that of the flank, in pixels of the matte (h, w); it is less where the subject is
    thin. The result may be smaller than the matte. Along a rounded flank, the share changes evenly.
    """
    small = fit_size(matte.shape, _SIDE)
    width *= max(small) / max(matte.shape)
    inside = downscale(matte[:, :, None], *small)[:, :, 0] > 0.5
    # Outside the image, there is no subject.
    away = _distance(np.pad(inside, 1), 1 + int(width / _PART))[1:-1, 1:-1]
    flank = blur(np.minimum(_PART * _half_widths(away, width / _PART), width), 1.0)
    # On a round flank, the surface's angle changes with the square root of the distance.
    angle = np.sqrt(np.clip((away - 1.0) / np.maximum(flank, 1e-3), 0.0, 1.0))
    share = angle * angle * (3.0 - 2.0 * angle)
    thin = inside & (flank < 0.5 * _PART * _THINNEST)
    return np.where(thin, 1.0, share).astype(np.float32)


def _half_widths(away: Singles, most: float) -> Singles:
    """Return half of the local width of the subject, in steps, up to `most`; 0 in thin parts.

    It is the radius of the largest disc that covers the pixel and is inside. `away` (h, w) is the
    distance to the rim.
    """
    widths, radius = np.zeros_like(away), min(_THINNEST, most)
    while radius <= most:
        widths[_distance(away < radius, 1 + int(radius)) < radius] = radius
        radius *= _FINER
    return widths


def _distance(mask: Bools, reach: int) -> Singles:
    """Return the distance from each pixel (h, w) to the nearest one outside a mask.

    At most `reach`. It is found along one axis, then along the other (Felzenszwalb and Huttenlocher
    2004).
    """
    squared = np.where(mask, np.float32(reach * reach), np.float32(0.0))
    for _ in range(2):
        least = squared.copy()
        for step in range(1, min(reach, len(squared) - 1) + 1):
            further = squared + np.float32(step * step)
            np.minimum(least[step:], further[:-step], out=least[step:])
            np.minimum(least[:-step], further[step:], out=least[:-step])
        squared = np.ascontiguousarray(least.T)
    return np.asarray(np.sqrt(squared), np.float32)
