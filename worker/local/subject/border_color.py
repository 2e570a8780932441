# SPDX-License-Identifier: GPL-3.0-or-later
"""Model the background from the image's border: a smooth color gradient, or a few colors."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Ints, Numbers, Singles

_RING = 0.02
"""Width of the border, as a share of the shorter side."""
_CLUSTERS = 8
"""Maximum number of clusters of border colors."""
# In OKLab: the noise of a smooth wall in a photograph. Smaller differences are ignored.
_NOISE = 0.012
# Shadows and folds mostly change lightness, so it counts less than hue.
_METRIC = np.array([0.75, 1.2, 1.2])
_SMOOTH_SHARE = 0.65
"""Share of the border that a smooth background must explain."""
# Share of the border that only one or two backgrounds together can explain.
_ONE_SHARE = 0.9
# Standard deviations between a wall and a floor; the halves of a gradient are 3.5 apart.
_APART = 4.5
# Noise above which a surface is not a smooth background.
_ROUGHEST = 0.03
_ROUGHEST_HUE = 0.016
_REFITS = 2
"""Fits to the inside of the image after the first one, which sees the border alone."""
_ALIKE = 8.0
"""Distance in noise widths up to which inner pixels take part in a fit."""
# Largest factor for colors of a subject that the lower border cuts off.
_CLAIM = 4.0
# Range of the threshold, in noise widths.
_PLAUSIBLE = (3.0, 7.0)


def background_distance(lab: Singles) -> Floats:
    """Return each pixel's distance (h, w) from the background's colors in noise widths.

    `lab` (h, w, 3) is OKLab.
    """
    height, width = lab.shape[:2]
    scaled = lab.reshape(-1, 3).astype(np.float64) * _METRIC
    ring, sides = _ring(height, width)
    position = _positions(height, width)
    centers, spreads, names, wanted, clothes = _border_colors(scaled, ring, sides)
    trusted = wanted[names]
    surface, sigma = _smooth_surface(scaled[ring], position[ring], trusted)
    explained = (np.abs(scaled[ring] - position[ring] @ surface) < 3.5 * sigma).all(axis=1)
    nearest = np.full(len(scaled), np.inf)
    two = _wall_and_floor(scaled, position, ring, sides) if explained.mean() < _ONE_SHARE else ()
    for plane, noise in two:
        away = np.linalg.norm((scaled - position @ plane) / noise, axis=1)
        nearest = np.minimum(nearest, away)
    if two:
        wanted = np.zeros_like(wanted)
    elif explained.mean() >= _SMOOTH_SHARE:
        nearest = _from_surface(scaled, position, surface, sigma)
        wanted = wanted & _another_background(names, sides, explained)
    for k in np.flatnonzero(wanted):
        nearest = np.minimum(nearest, _away(scaled, centers[k], spreads[k]))
    for k in np.flatnonzero(clothes & ~wanted):
        own = np.maximum(_away(scaled, centers[k], spreads[k]), 1.0)
        nearest *= np.clip(nearest / own, 1.0, _CLAIM)
    return nearest.reshape(height, width)


def _wall_and_floor(
    scaled: Floats, position: Floats, ring: Ints, sides: Ints
) -> tuple[tuple[Floats, Floats], ...]:
    """Return the surfaces of a wall and a floor that together explain the border's colors, or ().

    Each surface is its coefficients (6, 3) and its noise (3,). The wall is at the top. The floor
    spans the bottom edge. To tell it from clothes that the frame cuts off, it must cover a smaller
    share of the image than of the border.
    """
    colors, places = scaled[ring], position[ring]
    low = _two_means(colors)
    if low[sides == 0].mean() > 0.5:
        low = ~low
    above, below, left_share, right_share = (float(low[sides == side].mean()) for side in range(4))
    if (
        above > 0.02
        or below < 0.96
        or min(left_share, right_share) < 0.02
        or not _far_apart(colors, low)
    ):
        return ()
    fits = [_smooth_surface(colors, places, half) for half in (~low, low)]
    wall, floor = (
        (np.abs(scaled - position @ surface) < 3.5 * sigma).all(axis=1) for surface, sigma in fits
    )
    is_all = (wall | floor)[ring].mean() >= _ONE_SHARE and floor.mean() < low.mean()
    return tuple(fits) if is_all else ()


def _far_apart(colors: Floats, names: Bools) -> bool:
    """Return whether two groups of colors are distinct, rather than the ends of a gradient.

    `names` (n,) marks the colors (n, 3) of the second group. Return False if a group is empty.
    """
    if names.all() or not names.any():
        return False
    spread = max(float(np.linalg.norm(colors[group].std(axis=0))) for group in (names, ~names))
    gap = float(np.linalg.norm(colors[names].mean(axis=0) - colors[~names].mean(axis=0)))
    return gap > _APART * max(spread, _NOISE)


def _two_means(colors: Floats) -> Bools:
    """Divide colors (n, 3) into two groups, and return a mask (n,) of the second.

    The groups are found by 2-means from distant starts; one may be empty.
    """
    first = np.median(colors, axis=0)
    away = np.linalg.norm(colors - first, axis=1)
    second = colors[np.argsort(away)[int(0.9 * len(away))]]
    names = np.zeros(len(colors), np.bool_)
    for _ in range(8):
        names = np.sum((colors - second) ** 2, 1) < np.sum((colors - first) ** 2, 1)
        if names.all() or not names.any():
            return names
        first, second = colors[~names].mean(axis=0), colors[names].mean(axis=0)
    return names


def _from_surface(colors: Floats, position: Floats, surface: Floats, sigma: Floats) -> Floats:
    """Return the distance (n,) of colors (n, 3) from a smooth background, in noise widths.

    The surface is first refitted to the background that shows inside the image.
    """
    step = max(1, len(colors) // 8000)
    for _ in range(_REFITS):
        away = np.linalg.norm((colors[::step] - position[::step] @ surface) / sigma, axis=1)
        refitted, noise = _smooth_surface(colors[::step], position[::step], away < _ALIKE, 8.0)
        # A surface with textured hues would absorb everything that resembles it.
        if noise[1:].max() > _ROUGHEST_HUE:
            break
        surface, sigma = refitted, noise
    return np.asarray(np.linalg.norm((colors - position @ surface) / sigma, axis=1))


def _another_background(names: Ints, sides: Ints, explained: Bools) -> Bools:
    """Return a mask of the clusters that form a second background next to a smooth one."""
    count = int(names.max()) + 1
    share = np.bincount(names[~explained], minlength=count) / len(names)
    around = [len(np.unique(sides[(names == k) & ~explained])) for k in range(count)]
    return np.asarray((share > 0.12) & (np.array(around) >= 2))


def _ring(height: int, width: int) -> tuple[Ints, Ints]:
    """Return the border pixels' flat indices, and the nearest side of each.

    The sides are 0 to 3: top, bottom, left, and right.
    """
    row, column = np.divmod(np.arange(height * width), width)
    margins = np.stack([row, height - 1 - row, column, width - 1 - column])
    reach = max(1, round(_RING * min(height, width)))
    ring = np.flatnonzero(margins.min(axis=0) <= reach)
    return ring, margins[:, ring].argmin(axis=0)


def _positions(height: int, width: int) -> Floats:
    """Return the quadratic basis (h·w, 6) over the image, with coordinates from −1 to 1."""
    y = np.repeat(np.linspace(-1, 1, height), width)
    x = np.tile(np.linspace(-1, 1, width), height)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _border_colors(
    scaled: Floats, ring: Ints, sides: Ints
) -> tuple[Floats, Floats, Ints, Bools, Bools]:
    """Cluster the border's colors, and judge which clusters are background.

    Return the clusters' centers (k, 3), the inverse square roots of their covariances (k, 3, 3),
    each border pixel's cluster, and two masks of clusters (k,). The first marks background. The
    second marks what must be a subject that the lower border cuts off, such as clothes: it covers
    most of that border, and more of the inside than of the whole border.
    """
    colors = scaled[ring]
    centers, names = _cluster(colors)
    count = len(centers)
    spreads = np.stack([_whitening(colors[names == k]) for k in range(count)])
    # A sample: the distances below take time for each pixel, and shares need no more.
    sample = scaled[:: max(1, len(scaled) // 20000)]
    away = np.stack([_away(sample, centers[k], spreads[k]) for k in range(count)])
    inner = np.where(away.min(axis=0) < 4.0, away.argmin(axis=0), count)
    inner_share = np.bincount(inner, minlength=count + 1)[:count] / len(sample)
    share = np.bincount(names, minlength=count) / len(ring)
    lengths = np.maximum(np.bincount(sides, minlength=4), 1)
    by_side = np.stack([np.bincount(sides[names == k], minlength=4) for k in range(count)])
    around = (by_side / lengths > 0.08).sum(axis=1)
    # A subject that is cut off touches one side, or two at a corner, and covers more of the inside.
    needed = np.array([2.0, 2.0, 1.0, 0.25, 0.25])[around]
    wanted = (share > needed * inner_share) & (share > 0.03)
    # If no cluster is certain, those at the bottom are more likely clothes than a wall.
    overhead = by_side[:, 0] / lengths[0] > 0.08
    wanted[np.argmax(share * (around + 1) * np.where(overhead, 1.0, 0.5))] = True
    clothes = (by_side[:, 1] / lengths[1] > 0.5) & ~overhead & (inner_share > share)
    return centers, spreads, names, wanted, clothes


def _cluster(colors: Floats) -> tuple[Floats, Ints]:
    """Divide colors (n, 3) into at most _CLUSTERS clusters by k-means.

    Return the clusters' centers (k, 3), and each color's cluster (n,). The starts are mutually
    distant.
    """
    centers = [np.median(colors, axis=0)]
    distance = np.linalg.norm(colors - centers[0], axis=1)
    while len(centers) < _CLUSTERS and np.quantile(distance, 0.98) > 5.0 * _NOISE:
        far = np.flatnonzero(distance >= np.quantile(distance, 0.98))
        centers.append(colors[far[len(far) // 2]])
        distance = np.minimum(distance, np.linalg.norm(colors - centers[-1], axis=1))
    middle = np.stack(centers)
    names = np.zeros(len(colors), np.int64)
    for _ in range(8):
        names = np.stack([np.sum((colors - c) ** 2, axis=1) for c in middle]).argmin(axis=0)
        _, names = np.unique(names, return_inverse=True)
        names = np.asarray(names, np.int64).reshape(-1)
        middle = np.stack([colors[names == k].mean(axis=0) for k in range(names.max() + 1)])
    return middle, names


def _whitening(colors: Floats) -> Floats:
    """Return the matrix (3, 3) that scales the colors' spread, noise included, to one."""
    # Mixed pixels form a tail, which the nearest 90% exclude.
    centered = colors - np.median(colors, axis=0)
    length = np.einsum("ij,ij->i", centered, centered)
    centered = centered[length <= np.quantile(length, 0.9)]
    covariance = centered.T @ centered / len(centered) + np.eye(3) * _NOISE**2
    values, vectors = np.linalg.eigh(covariance)
    # A cluster with a wide range of colors must not absorb the subject's.
    values = np.clip(values, _NOISE**2, (3.0 * _NOISE) ** 2)
    return np.asarray(vectors / np.sqrt(values))


def _away(colors: Floats, center: Floats, whitening: Floats) -> Floats:
    return np.asarray(np.linalg.norm((colors - center) @ whitening, axis=1))


def _smooth_surface(
    colors: Floats, position: Floats, trusted: Bools, widest: float = 20.0
) -> tuple[Floats, Floats]:
    """Fit a quadratic to the trusted colors and reject outliers (Tukey's biweight).

    `widest` is the range of the first fit, in noise widths. Return the coefficients (6, 3) and the
    noise around the surface (3,).
    """
    colors, position = colors[trusted], position[trusted]
    weights: Floats = np.ones(len(colors))
    sigma: Floats = np.full(3, 0.1)
    surface: Numbers = np.zeros((6, 3))
    # Wide at first, so that a poor start still includes the background.
    for width in np.geomspace(widest, 5.0, 8):
        weighted = (position * weights[:, None]).T
        surface = np.linalg.lstsq(weighted @ position, weighted @ colors, rcond=None)[0]
        residual = np.abs(colors - position @ surface)
        # 1.4826 times the median deviation is the standard deviation of normal noise.
        sigma = np.maximum(np.median(residual, axis=0) * 1.4826, _NOISE)
        sigma = np.minimum(sigma, _ROUGHEST)
        reach = (residual / sigma).max(axis=1) / width
        weights = np.asarray(np.maximum(1.0 - reach * reach, 0.0) ** 2 + 1e-9, np.float64)
    return surface, sigma


def threshold(strange: Numbers, tolerance: float) -> float:
    """Return the distance that separates background and subject (Otsu 1979, on a log scale).

    A tolerance of 0.5 gives the automatic value, 0 a sixth of it, and 1 six times as much.
    """
    values = np.log1p(strange).ravel()
    top = float(np.quantile(values, 0.995))
    counts, edges = np.histogram(np.minimum(values, top), bins=128)
    middles = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(counts)
    above = below[-1] - below
    total = np.cumsum(counts * middles)
    gap = (total[-1] - total) / np.maximum(above, 1) - total / np.maximum(below, 1)
    best = float(edges[1:][np.argmax(below * above * gap**2)])
    automatic = float(np.clip(np.expm1(best), *_PLAUSIBLE))
    return automatic * float(6.0 ** (2.0 * tolerance - 1.0))
