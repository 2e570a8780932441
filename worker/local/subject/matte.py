# SPDX-License-Identifier: GPL-3.0-or-later
"""From "how strange to the background" to a clean, soft-edged subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints, Numbers, Singles
from ..shape.raster import area_scaled, blurred, box_mean, enlarged, fitted
from .border_color import strangeness, threshold
from .color import oklab
from .mask_parts import without_pinholes, without_specks

_WORKING = 320
_ROUNDS = 2
_BINS = 16
_EDGE = 2e-3
# Strands thinner than about this many pixels are noise: first of the small picture, then of
# the full one.
_WHISKERS = 1.0
LEAST_PART = 0.03
LEAST_HOLE = 0.008


@dataclass(frozen=True)
class Separation:
    """A matte (h, w) in 0..1, and what tells whether it can be believed.

    `strangest` is the strangeness of the strangest pixels, `share` the subject's part of the
    picture, `border` its part of the border, `scatter` the part of it that lay in specks,
    `undecided` how many pixels are half subject, half background, as a share of the subject.
    """

    matte: Singles
    strangest: float
    share: float
    border: float
    scatter: float
    contrast: float
    undecided: float


def separated(picture: Singles, tolerance: float) -> Separation:
    """Tell the subject of (h, w, 3 or more) from a background like the picture's border."""
    rgb = picture[:, :, :3]
    small = area_scaled(rgb, *fitted(picture.shape, _WORKING))
    lab = oklab(small)
    strange = strangeness(lab)
    limit = threshold(strange, tolerance)
    evidence = 2.0 * np.log((strange + 0.2) / limit)
    raw = _refined(small, lab, evidence)
    likely = (raw > 0.5).astype(np.float32)
    smooth = (blurred(likely, _WHISKERS) > 0.5).astype(np.float32)
    clean = without_specks(smooth, LEAST_PART)
    scatter = 1.0 - float((clean * likely).sum()) / max(1.0, float(likely.sum()))
    clean = without_pinholes(clean, LEAST_HOLE, strange / limit)
    matte = blurred(_sharpened(rgb, small, clean), _WHISKERS)
    matte = without_pinholes(without_specks(matte, LEAST_PART), LEAST_HOLE)
    inside = clean > 0.5
    edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    return Separation(
        matte,
        _strangest(strange),
        float(inside.mean()),
        float(edge.mean()),
        scatter,
        _contrast(strange, inside),
        _undecided(matte),
    )


def _strangest(strange: Floats) -> float:
    """Return the 99.5th percentile, or from less than 0.5 % of the picture what is sure to count.

    Of plain noise the 99.9th percentile is an eighth above it.
    """
    most, nearly_all = np.quantile(strange, (0.995, 0.999))
    return float(max(most, 0.8 * nearly_all))


def _undecided(matte: Singles) -> float:
    half = np.count_nonzero((matte > 0.15) & (matte < 0.85))
    return half / max(1, int(np.count_nonzero(matte > 0.5)))


def _contrast(strange: Floats, inside: Bools) -> float:
    if not inside.any() or inside.all():
        return 0.0
    return float(np.median(strange[inside]) / (np.quantile(strange[~inside], 0.9) + 0.5))


def _refined(small: Singles, lab: Singles, evidence: Floats) -> Floats:
    """Return the subject's probability (h, w) from distance, both sides' colors and edges.

    As grab-cut (Rother et al. 2004) learns colors of either side in turns; a guided filter
    takes the graph cut's place.
    """
    bins = _binned(lab)
    guide = _Guide(small, 4, _EDGE)
    probability = guide.filtered(_logistic(evidence))
    for _ in range(_ROUNDS):
        color = _color_evidence(bins, probability)
        probability = guide.filtered(_logistic(evidence + color))
    return probability


def _logistic(evidence: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(evidence, -12.0, 12.0))))


def _binned(lab: Singles) -> Ints:
    """Number each pixel's color (h, w) in a cube of 16³ bins over the picture's own range."""
    flat = lab.reshape(-1, 3)
    low, high = np.quantile(flat, 0.002, axis=0), np.quantile(flat, 0.998, axis=0)
    # A bin is never narrower than what the eye tells apart.
    span = np.maximum(high - low, 0.02 * _BINS)
    cell = np.clip((flat - low) / span * _BINS, 0, _BINS - 1).astype(np.int64)
    number = (cell[:, 0] * _BINS + cell[:, 1]) * _BINS + cell[:, 2]
    return np.asarray(number.reshape(lab.shape[:2]))


def _color_evidence(bins: Ints, probability: Floats) -> Floats:
    """Return how much likelier (log) each pixel's color is in the subject than behind it."""
    likelihood = []
    for share in (probability, 1.0 - probability):
        counts = np.bincount(bins.ravel(), share.ravel() ** 2, _BINS**3)
        cube: Floats = np.asarray(counts, np.float64).reshape(_BINS, _BINS, _BINS)
        for axis in range(3):
            cube = _smoothed_along(cube, axis)
        likelihood.append(cube / max(1e-9, cube.sum()) + 2e-5)
    ratio = np.clip(np.log(likelihood[0] / likelihood[1]), -1.5, 1.5)
    return np.asarray(ratio.ravel()[bins], np.float64)


def _smoothed_along(cube: Floats, axis: int) -> Floats:
    padded = np.pad(cube, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
    count = cube.shape[axis]
    one, two, three = (padded.take(np.arange(k, k + count), axis=axis) for k in range(3))
    return np.asarray(0.25 * one + 0.5 * two + 0.25 * three)


class _Guide:
    """A guided filter (He, Sun and Tang 2010) whose guide is a color picture (h, w, 3)."""

    def __init__(self, picture: Numbers, radius: int, edge: float) -> None:
        self._planes = [np.ascontiguousarray(picture[:, :, k], np.float64) for k in range(3)]
        self._radius = radius
        self._means = [box_mean(plane, radius) for plane in self._planes]
        spread = []
        for i, j in _PAIRS:
            product = box_mean(self._planes[i] * self._planes[j], radius)
            product -= self._means[i] * self._means[j]
            spread.append(product + edge if i == j else product)
        self._inverse = _inverted(spread)

    def coefficients(self, target: Floats) -> list[Floats]:
        """Return the slopes of the local models of `target` (h, w), three planes, and offsets."""
        mean = box_mean(target, self._radius)
        covariance = [
            box_mean(plane * target, self._radius) - own * mean
            for plane, own in zip(self._planes, self._means, strict=True)
        ]
        offset = mean
        slopes = []
        for row, own in zip(self._inverse, self._means, strict=True):
            slope = row[0] * covariance[0] + row[1] * covariance[1] + row[2] * covariance[2]
            offset = offset - slope * own
            slopes.append(slope)
        return [box_mean(plane, self._radius) for plane in (*slopes, offset)]

    def filtered(self, target: Floats) -> Floats:
        one, two, three, offset = self.coefficients(target)
        red, green, blue = self._planes
        return np.clip(one * red + two * green + three * blue + offset, 0.0, 1.0)


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _inverted(spread: list[Floats]) -> list[list[Floats]]:
    """Invert symmetric matrices given as six planes in the order of `_PAIRS`."""
    a, b, c, d, e, f = spread
    minors = [
        d * f - e * e,
        c * e - b * f,
        b * e - c * d,
        a * f - c * c,
        b * c - a * e,
        a * d - b * b,
    ]
    scale = 1.0 / (a * minors[0] + b * minors[1] + c * minors[2])
    scaled = [minor * scale for minor in minors]
    return [[scaled[k] for k in row] for row in ((0, 1, 2), (1, 3, 4), (2, 4, 5))]


def _sharpened(rgb: Numbers, small: Singles, clean: Singles) -> Singles:
    """Carry a small mask's edge over to the full picture's own edges."""
    *slopes, offset = _Guide(small, 3, _EDGE).coefficients(clean.astype(np.float64))
    height, width = rgb.shape[:2]
    matte = enlarged(offset, height, width)
    for channel, slope in enumerate(slopes):
        matte += enlarged(slope, height, width) * rgb[:, :, channel]
    return np.clip(matte, 0.0, 1.0)
