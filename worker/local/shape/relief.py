# SPDX-License-Identifier: GPL-3.0-or-later
"""Height of the surface above the image plane, one value per point."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Numbers, Singles
from ..subject.color import oklab
from .outline import Outline
from .poisson import Smoother
from .raster import blur, sample_bilinear
from .triangulation import Silhouette, doubled_areas

# An image with a smaller range of lightness is not stretched to the full height.
_LEAST_RANGE = 0.15
_SHOULDER = 4.0
"""How sharply a flat body's side meets its face."""
_CALM = 0.025
"""Width over which an inflated surface is smoothed, as a share of the subject's size."""
_EDGE = 0.6
"""Width of the edge that still follows the outline, as a share of the smoothing width."""
_CALM_PART = 0.3
"""Maximum smoothing width, as a share of half the local width of the subject."""


def inflate(flat: Silhouette, bump: Floats, thickness: float, limit: float = np.inf) -> Floats:
    """Return heights (n,) in pixels; a disc becomes a hemisphere, scaled by `thickness`.

    `bump` solves ∇²u = −1: on a disc of radius R, 4u = R² − r². The surface levels off toward
    `limit`, a share of its largest height; if `limit` is infinite, it does not level off.
    """
    # Never zero inside the rim: front and back would touch there.
    least = np.where(flat.rim, 0.0, 0.02 * flat.spacing)
    heights = 2.0 * np.sqrt(_calm(flat, bump))
    return np.maximum(thickness * _level_off(heights, limit), least)


def _level_off(heights: Floats, limit: float) -> Floats:
    """Return heights (n,) that level off toward `limit`, a share of the largest one."""
    share = heights / (limit * float(heights.max()))
    return heights / (1.0 + share**_SHOULDER) ** (1.0 / _SHOULDER)


def _calm(flat: Silhouette, bump: Floats) -> Floats:
    """Return the bump (n,), smoothed so that small dents of the outline show near the rim only.

    Without smoothing, each dent would pull a groove over the whole flank. Smoothing would raise the
    rim: at a straight rim, it turns the distance d, in smoothing widths, into d + exp(−d). This is
    compensated.
    """
    size = float(np.sqrt(0.5 * np.abs(doubled_areas(flat.points, flat.triangles)).sum()))
    # In a strip of half width a, slope² + 2 bump is a² everywhere: thin parts stay round.
    slope = _slope(flat, bump)
    part = np.sqrt(slope * slope + 2.0 * bump)
    width = np.clip(_CALM_PART * part, 1e-4 * size, _CALM * size)
    # Near the rim, the bump is the distance times the slope; both are smoother than the outline.
    smooth, slope = Smoother(flat).smooth(width, bump, slope)
    away = bump / (np.maximum(slope, 1e-4 * size) * width * _EDGE)
    smooth = np.maximum(smooth, 0.0)
    return np.asarray(np.where(flat.rim, 0.0, smooth * away / (away + np.exp(-away))))


def round_edges(flat: Silhouette, bump: Floats, half: float) -> Floats:
    """Return heights (n,) of a flat slab with rounded edges; `half` is half of its thickness."""
    depth = np.clip(rim_distance(flat, bump) / half, 0.0, 1.0)
    least = np.where(flat.rim, 0.0, 0.02 * flat.spacing)
    return np.maximum(half * np.sqrt(1.0 - (1.0 - depth) ** 2), least)


def rim_distance(flat: Silhouette, bump: Floats) -> Floats:
    """Return the distance (n,) to the outline in pixels: accurate near it, smooth everywhere.

    From the solution of ∇²u = −1: √(|∇u|² + 2u) − |∇u| (Spalding 1994, after Tucker 2003).
    """
    slope = _slope(flat, bump)
    return np.asarray(np.sqrt(slope * slope + 2.0 * bump) - slope)


def _slope(flat: Silhouette, values: Floats) -> Floats:
    """Return the length (n,) of ∇values, averaged by area over the triangles around each point."""
    count, gradient = len(flat.points), _doubled_gradients(flat, values)
    areas = doubled_areas(flat.points, flat.triangles)
    total = np.bincount(flat.triangles.ravel(), np.repeat(areas, 3), count)
    sums = [np.bincount(flat.triangles.ravel(), np.repeat(g, 3), count) for g in gradient.T]
    return np.asarray(np.hypot(*sums) / total)


def slopes(flat: Silhouette, values: Floats) -> Floats:
    """Return the length (m,) of ∇values on each triangle."""
    areas = np.abs(doubled_areas(flat.points, flat.triangles))
    return np.asarray(np.hypot(*_doubled_gradients(flat, values).T) / areas)


def _doubled_gradients(flat: Silhouette, values: Floats) -> Floats:
    """Return ∇values (m, 2) on each triangle, times twice its area."""
    triangles, points = flat.triangles, flat.points
    gradient = np.zeros((len(triangles), 2))
    for corner in range(3):
        edge = points[triangles[:, (corner + 2) % 3]] - points[triangles[:, (corner + 1) % 3]]
        value = values[triangles[:, corner]]
        gradient += value[:, None] * np.stack([-edge[:, 1], edge[:, 0]], axis=1)
    return gradient


def emboss(
    flat: Silhouette, outline: Outline, lightness: Singles, height: float, smoothness: float
) -> Floats:
    """Return heights (n,) from 0 to `height` pixels: the brighter, the higher.

    `lightness` (h, w) is OKLab's L, or nearness; pixels outside the subject are ignored. A range
    below _LEAST_RANGE is not stretched to the whole height.
    """
    size = np.sqrt(outline.area)
    sigma = 0.5 + 0.03 * smoothness * smoothness * size
    subject: Bools = outline.field > 0.0
    weight = blur(subject.astype(np.float32), sigma) + np.float32(1e-6)
    # Divided by the blurred mask: otherwise the background would darken the subject's rim.
    smooth = blur(np.where(subject, lightness, np.float32(0.0)), sigma) / weight
    smooth = np.where(subject, smooth, smooth[subject].mean(dtype=np.float64))
    values = sample_bilinear(smooth, flat.points[:, 0], flat.points[:, 1])
    lowest, highest = float(values.min()), float(values.max())
    return (values - lowest) * (height / max(highest - lowest, _LEAST_RANGE))


def lightness(picture: Numbers) -> Singles:
    """Return OKLab's L (h, w) of sRGB colors (h, w, 3)."""
    return oklab(picture[:, :, :3])[:, :, 0]
