# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguish flat subjects from round ones: boxes by straight sides, wheels and coins by rings.

Measured on 60 icons: of the outline, 0.44 to 0.58 is straight on boxes, books, and bricks, at most
0.22 on heads and animals. On disks with a ring, such as clocks and coins, lightness changes by 0.08
to 0.28 at the same radius all around, on balls by less than 0.006.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Singles
from ..subject.color import oklab
from .outline import Outline
from .raster import blur, downscale, fit_size, sample_bilinear

_SIDE = 192
"""Longest side in pixels at which a subject is measured."""
_BOX_DEPTH = 0.5
_RING_DEPTH = 0.22
"""Depth of a box and of a wheel, relative to a round body with the same outline."""
_STRAIGHT = (0.25, 0.45)
_RING = (0.03, 0.06)
"""Limits of the measures: up to the first a subject is round, from the second it is flat."""
_WINDOW = 0.12
"""Width over which an outline must be straight, as a share of the subject's size."""
_EVEN = 0.02
"""Accepted deviation of a blurred mask from 0.5, its value on a straight outline."""
_ELLIPSE = 0.97
"""Minimum intersection over union of a disk and the ellipse of the same extent."""
_RADII, _ANGLES = 72, 96
_STEP = 4
"""Number of radii over which lightness may change at the edge of a ring."""
_AROUND = 0.2
"""Share of the angles at which the edge of a ring may be missing."""


def depth_limit(outline: Outline, picture: Singles) -> float:
    """Return the maximum depth of the subject, as a multiple of the depth of a round body.

    For a subject that looks round, it is so large that it limits nothing. `picture` (h, w, 4) is
    the image over which the outline was traced.
    """
    size = fit_size(outline.field.shape, _SIDE)
    share = downscale((outline.field > 0.0)[:, :, None].astype(np.float32), *size)[:, :, 0]
    box = _ramp(_straight_share(share > 0.5), _STRAIGHT)
    ring = _ramp(_ring_contrast(share > 0.5, picture), _RING)
    return min(_BOX_DEPTH / max(box, 1e-9), _RING_DEPTH / max(ring, 1e-9))


def _ramp(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def _straight_share(inside: Bools) -> float:
    """Return the share of a mask's outline that is straight, 0 without an outline."""
    sigma = _WINDOW * float(np.sqrt(np.count_nonzero(inside)))
    mask = np.pad(inside, int(np.ceil(2.5 * sigma)))
    soft = blur(mask.astype(np.float32), sigma)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    # Halfway between the pixels on both sides.
    beside = (soft[:, 1:] + soft[:, :-1])[across], (soft[1:] + soft[:-1])[down]
    rim = 0.5 * np.concatenate(beside)
    return float((np.abs(rim - 0.5) < _EVEN).mean()) if len(rim) else 0.0


def _ring_contrast(inside: Bools, picture: Singles) -> float:
    """Return the strongest step in lightness that is consistent all the way around a ring.

    The ring is concentric with the outline of `inside` (h, w), the subject's mask, which must be
    roughly an ellipse: otherwise, return 0. If no ring has such a step, the result is not above 0.
    `picture` (h, w, 4) may be larger than the mask.
    """
    rows, columns = np.nonzero(inside)
    if len(rows) < 2:
        return 0.0
    places = np.stack([columns, rows], axis=1).astype(np.float64)
    middle = places.mean(axis=0)
    spread = 4.0 * np.cov((places - middle).T) + 1e-6 * np.eye(2)
    if _shared_with_ellipse(inside, middle, spread) < _ELLIPSE:
        return 0.0
    sizes, axes = np.linalg.eigh(spread)
    lightness = oklab(downscale(picture[:, :, :3], *inside.shape))[:, :, 0]
    steps = _steps_outward(blur(lightness, 1.0), middle, (axes * np.sqrt(sizes)).T)
    low, high = np.quantile(steps, [_AROUND, 1.0 - _AROUND], axis=1)
    return float(np.maximum(low, -high).max())


def _shared_with_ellipse(inside: Bools, middle: Floats, spread: Floats) -> float:
    """Return the intersection over union of a mask and the ellipse with its second moments.

    `middle` (2,) is the center, and `spread` (2, 2) the matrix of the ellipse.
    """
    rows, columns = np.mgrid[: inside.shape[0], : inside.shape[1]]
    away = np.stack([columns, rows], axis=2) - middle
    ellipse = np.einsum("ijk,kl,ijl->ij", away, np.linalg.inv(spread), away) <= 1.0
    return float(np.count_nonzero(ellipse & inside) / np.count_nonzero(ellipse | inside))


def _steps_outward(lightness: Singles, middle: Floats, axes: Floats) -> Floats:
    """Return changes in lightness (radii, angles), each over _STEP radii outward.

    The radii are shares of an ellipse's size. `middle` (2,) is its center, and the rows of `axes`
    (2, 2) are its semi-axes.
    """
    # Not at the rim, where balls are shaded the most.
    radius = np.linspace(0.25, 0.9, _RADII)
    angle = np.linspace(0.0, 2.0 * np.pi, _ANGLES, endpoint=False)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ axes
    x, y = (middle + radius[:, None, None] * around + 0.5).reshape(-1, 2).T
    values = sample_bilinear(lightness, x, y).reshape(_RADII, _ANGLES)
    return np.asarray(values[_STEP:] - values[:-_STEP])
