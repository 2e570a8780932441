# SPDX-License-Identifier: GPL-3.0-or-later
"""A body whose front is a map of nearness, and whose back is inflated.

The map does not tell how deep the subject is: it has neither a unit nor a zero. The front gets a
depth at which it faces the viewer about as much as a ball does, and fits the subject's width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..array_types import Floats, Singles
from .poisson import extend_from_rim, smooth_along
from .pull_push import fill_in
from .raster import blur, downscale, sample_bilinear, upscale
from .relief import inflate, rim_distance, slopes
from .solid import Solid, shell
from .triangulation import Silhouette, doubled_areas

_FACING = 0.71
"""Mean cosine between the front's normals and the view. A ball's is 2/3, but images of things show
more of their faces than of their flanks."""
_HALF = 0.4
"""The front's range of depth as a share of the subject's shorter side, for a thing as deep as it is
wide."""
_FACING_COUNTS = 0.75
"""Weight of the estimate by _FACING; the rest is that of _HALF, which is rough, but never far off.
"""
_DEEPEST = 1.5
"""Maximum range of depth as a share of the shorter side: a flat front may not become a spike."""
_HALVINGS = 24
_ENDS = (3.0, 97.0)
"""Percentiles between which a range is measured: a few points are outliers."""
_FLAT = 0.05
"""Range of nearness, relative to its mean, below which a front is not stretched to full depth."""
_EDGE = 0.05
"""Depth over which the front turns edge-on toward the rim, as a share of the subject's size."""
_CALM = 0.03
"""Length over which depth is smoothed along the rim, as a share of the subject's size."""
_FLANK = 0.04
"""Distance from the rim at which that smoothing ends, as a share of the subject's size."""
_FARTHEST = 0.12
"""Maximum change when the slope at the rim is continued, as a share of the whole range."""
_BETWEEN = 0.25
"""Minimum distance between front and back, as a share of the inflated height."""


def shape_body(
    flat: Silhouette, bump: Floats, nearness: Singles, matte: Singles, settings: Mapping[str, Any]
) -> Solid:
    """Return the solid whose front is a map of nearness.

    The map may have any size; it covers the same image as `matte`.

    `bump` solves ∇²u = −1 on the silhouette.
    """
    size = float(np.sqrt(0.5 * np.abs(doubled_areas(flat.points, flat.triangles)).sum()))
    thickness = settings["thickness"]
    heights = inflate(flat, bump, thickness)
    seen = _front(flat, nearness, matte, settings["smoothness"])
    seen = _calm_flank(flat, bump, seen, size)
    front = seen * (thickness * _full_depth(flat, seen))
    front += _round_rim(heights, _EDGE * size * thickness)
    back = extend_from_rim(flat, front) - heights
    # Where the front is hollow, the back stays behind it.
    back = np.where(flat.rim, front, np.minimum(back, front - _BETWEEN * heights))
    return shell(flat, front, back)


def nearness_in_pixels(nearness: Singles, matte: Singles) -> Singles:
    """Return a map of nearness, resized to a matte (h, w).

    At the subject's rim, where the map mixes subject and background, the subject's own values are
    continued.
    """
    height, width = matte.shape
    return upscale(_without_background(nearness, matte), height, width)


def _front(flat: Silhouette, nearness: Singles, matte: Singles, smoothness: float) -> Floats:
    """Return the smoothed nearness (n,) of the subject at each point."""
    filled = _without_background(nearness, matte)
    height, width = filled.shape
    size = float(np.sqrt(matte.mean(dtype=np.float64) * height * width))
    smooth = blur(filled, 0.03 * smoothness * smoothness * size)
    x = flat.points[:, 0] * (width / matte.shape[1])
    y = flat.points[:, 1] * (height / matte.shape[0])
    return sample_bilinear(smooth, x, y)


def _calm_flank(flat: Silhouette, bump: Floats, seen: Floats, size: float) -> Floats:
    """Return the nearness (n,), smoothed along the rim, the less the farther from it.

    The surface is steep there, and the slightest step of the map would be a rib across the flank
    and a notch in the rim. The slope toward the rim stays. `size` is the subject's, in pixels.
    """
    fade = np.maximum(1.0 - rim_distance(flat, bump) / (_FLANK * size), 0.0)
    return smooth_along(flat, bump, _CALM * size * fade * fade, seen)


def _round_rim(heights: Floats, depth: float) -> Floats:
    """Return the change (n,) of the front's depth, from −`depth` at the rim to about 0.

    At the rim, it rises as the inflated `heights` (n,) do, so that the front is as steep as the
    back and the two meet without a ridge.
    """
    return np.asarray(heights / np.hypot(1.0, heights / depth) - depth)


def _without_background(nearness: Singles, matte: Singles) -> Singles:
    """Return the map with the subject's own values continued over its rim.

    A network's answer is blurred there, a mixture of subject and background.
    """
    height, width = nearness.shape
    rows, columns = min(height, matte.shape[0]), min(width, matte.shape[1])
    small = upscale(downscale(matte[:, :, None], rows, columns)[:, :, 0], height, width)
    soft = blur(small, 1.5)
    # On a straight edge, this rises from 0 at 1.3 pixels inside to 1 at 2.8.
    weights: Singles = np.clip((soft - np.float32(0.81)) * np.float32(6.3), 0.0, 1.0)
    # Parts too thin for such an inside are used as they are, but count little.
    weights = np.maximum(weights, np.float32(0.02) * (small > 0.5)).astype(np.float32)
    return _extrapolate(nearness, weights)


def _extrapolate(values: Singles, weights: Singles) -> Singles:
    """Return values (h, w) in which those of low weight are replaced.

    Their replacements continue the values of high weight, with their slope.
    """
    down, along = np.gradient(blur(values, 1.0))
    y, x = np.indices(values.shape, np.float32)
    known = np.stack([values, along, down, x, y], axis=2) * weights[:, :, None]
    filled, along, down, near_x, near_y = np.moveaxis(fill_in(known, weights), 2, 0)
    change = along * (x - near_x) + down * (y - near_y)
    most = _FARTHEST * float(np.ptp(values[weights > 0.5])) if (weights > 0.5).any() else 0.0
    return np.asarray(filled + np.clip(change, -most, most), np.float32)


def _full_depth(flat: Silhouette, seen: Floats) -> float:
    """Return the pixels of depth per unit of nearness at which the front looks natural."""
    side = float(np.ptp(flat.points, axis=0).min()) / _nearness_range(seen, flat)
    facing = min(_facing_scale(flat, seen), _DEEPEST * side)
    return float(facing**_FACING_COUNTS * (_HALF * side) ** (1.0 - _FACING_COUNTS))


def _facing_scale(flat: Silhouette, seen: Floats) -> float:
    """Return the factor that makes the front face the viewer as much as _FACING says.

    It is the factor for `seen` (n,), the nearness at each point. The mean cosine between the
    normals and the view is then _FACING.
    """
    slope, areas = slopes(flat, seen), np.abs(doubled_areas(flat.points, flat.triangles))
    middle = max(float(np.average(slope, weights=areas)), 1e-12)
    low, high = -6.0, 6.0
    for _ in range(_HALVINGS):
        tried = 0.5 * (low + high)
        facing = 1.0 / np.sqrt(1.0 + (slope * (np.exp(tried) / middle)) ** 2)
        low, high = (tried, high) if np.average(facing, weights=areas) > _FACING else (low, tried)
    return float(np.exp(low) / middle)


def _nearness_range(seen: Floats, flat: Silhouette) -> float:
    low, high = np.percentile(seen[~flat.rim], _ENDS)
    return max(float(high - low), _FLAT * float(np.abs(seen).mean()), 1e-9)
