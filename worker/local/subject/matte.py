# SPDX-License-Identifier: GPL-3.0-or-later
"""From distances to the background to a clean subject with soft edges."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Bools, Floats, Ints, Numbers, Singles
from ..shape.raster import blur, box_filter, downscale, fit_size, upscale
from .answers import AnswerFile
from .border_color import background_distance, threshold
from .color import oklab
from .mask_parts import drop_specks, fill_pinholes
from .salient import Salient, fill_drawing, find_subject

NEUTRAL = 0.5
"""The tolerance at which the threshold is automatic."""
_WORKING = 320
"""Longest side in pixels at which the subject is detected."""
_ROUNDS = 2
"""Rounds of learning colors: more change nothing visible."""
_BINS = 16
"""Color histogram bins per axis."""
_EDGE = 2e-3
"""The guided filter's epsilon: a variance of color that counts as an edge."""
# Strands thinner than about this many pixels are noise, first in the reduced image, then in the
# full one.
_WHISKERS = 1.0
_SHIFT = 8.0
"""Change of the network's evidence, in log odds, over the range of the tolerance."""
LEAST_PART = 0.03
"""Minimum area of a part, as a share of the largest one's."""
LEAST_HOLE = 0.008
"""Minimum area of a hole, as a share of the subject's."""


@dataclass(frozen=True)
class Separation:
    """A matte (h, w) from 0 to 1, and figures that show how reliable it is.

    - `strangest`: the largest color distance from the background, apart from outliers
    - `share`: the share of the image that the subject covers
    - `border`: the share of the image's border that the subject covers
    - `scatter`: the share of the subject that consists of specks
    - `contrast`: how many times farther the subject is from the background's color than the
      background itself
    - `undecided`: the number of half-covered pixels, as a share of the subject
    """

    matte: Singles
    strangest: float
    share: float
    border: float
    scatter: float
    contrast: float
    undecided: float


class Observation:
    """Facts about an image (h, w, 3 or more) from which its subject is separated at any tolerance.

    `kept` is the file for the network's answer about the image. The subject lies within `box`
    (rows, columns), if one is given.
    """

    def __init__(
        self,
        picture: Singles,
        kept: AnswerFile | None = None,
        box: tuple[slice, slice] | None = None,
    ) -> None:
        self._rgb = picture[:, :, :3]
        self._kept = kept
        self._small = downscale(self._rgb, *fit_size(picture.shape, _WORKING))
        lab = oklab(self._small)
        self._strange = background_distance(lab)
        self._bins = _bin_colors(lab)
        self._guide = _Guide(self._small, 4, _EDGE)
        self._fine_guide = _Guide(self._small, 3, _EDGE)
        self._possible = self._within(box, picture.shape) if box else None

    @functools.cached_property
    def salient(self) -> Salient | None:
        """The subject that the network finds, or None.

        If a box was given, the probability outside of it is 0.
        """
        found = find_subject(self._small, self._kept)
        if found is None or self._possible is None:
            return found
        return replace(found, probability=found.probability * self._possible)

    @functools.cached_property
    def neutral(self) -> Separation:
        """The separation with the automatic threshold."""
        return self.separate(NEUTRAL)

    def separate(self, tolerance: float) -> Separation:
        """Return the subject's separation from a background that is like the image's border.

        A lower tolerance keeps more.
        """
        limit = threshold(self._strange, tolerance)
        evidence = 2.0 * np.log((self._strange + 0.2) / limit)
        raw = _refine(self._guide, self._bins, evidence)
        likely = (raw > 0.5).astype(np.float32)
        smooth = (blur(likely, _WHISKERS) > 0.5).astype(np.float32)
        clean = drop_specks(smooth, LEAST_PART)
        scatter = 1.0 - float((clean * likely).sum()) / max(1.0, float(likely.sum()))
        clean = fill_pinholes(clean, LEAST_HOLE, self._strange / limit)
        matte = self._with_edges(clean)
        inside = clean > 0.5
        edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        return Separation(
            matte,
            _strangest(self._strange),
            float(inside.mean()),
            float(edge.mean()),
            scatter,
            _contrast(self._strange, inside),
            _soft_share(matte),
        )

    def refine(self, salient: Salient, tolerance: float) -> Singles:
        """Return the matte (h, w) of what stands out, refined by colors and edges.

        A lower tolerance keeps more.
        """
        likely = np.clip(salient.probability.astype(np.float64), 1e-3, 1.0 - 1e-3)
        evidence = np.log(likely / (1.0 - likely)) + _SHIFT * (0.5 - tolerance)
        raw = _refine(self._guide, self._bins, evidence)
        smooth = blur((raw > 0.5).astype(np.float32), _WHISKERS) > 0.5
        clean = drop_specks(smooth.astype(np.float32), LEAST_PART)
        return self._with_edges(fill_pinholes(clean, LEAST_HOLE))

    def filled_drawing(self, salient: Salient) -> Singles | None:
        """Return the filled matte (h, w) of a closed line drawing; None if the image is not one."""
        strokes = downscale(self.neutral.matte[:, :, None], *self._small.shape[:2])[:, :, 0] > 0.5
        filled = fill_drawing(strokes, salient.probability)
        return None if filled is None else self._with_edges(filled.astype(np.float32))

    def _within(self, box: tuple[slice, slice], shape: tuple[int, ...]) -> Singles:
        """Return a mask (h, w) at the reduced size: 1 within the box, 0 outside of it."""
        inside = np.zeros((*shape[:2], 1), np.float32)
        inside[box] = 1.0
        return downscale(inside, *self._small.shape[:2])[:, :, 0]

    def _with_edges(self, mask: Singles) -> Singles:
        """Return a reduced mask at the image's size, with soft edges where the image has edges.

        Small parts and holes are removed.
        """
        matte = blur(_sharpen(self._rgb, self._fine_guide, mask), _WHISKERS)
        return fill_pinholes(drop_specks(matte, LEAST_PART), LEAST_HOLE)


def _strangest(strange: Floats) -> float:
    """Return the 99.5th percentile of the distances, or 0.8 of the 99.9th if that is more.

    The 99.9th is for subjects smaller than 0.5% of the image. In plain noise, it is only an eighth
    above the 99.5th, so it does not count.
    """
    most, nearly_all = np.quantile(strange, (0.995, 0.999))
    return float(max(most, 0.8 * nearly_all))


def _soft_share(matte: Singles) -> float:
    half = np.count_nonzero((matte > 0.15) & (matte < 0.85))
    return half / max(1, int(np.count_nonzero(matte > 0.5)))


def _contrast(strange: Floats, inside: Bools) -> float:
    if not inside.any() or inside.all():
        return 0.0
    return float(np.median(strange[inside]) / (np.quantile(strange[~inside], 0.9) + 0.5))


def _refine(guide: _Guide, bins: Ints, evidence: Floats) -> Floats:
    """Return the subject's probability (h, w): `evidence` (log odds), refined by colors and edges.

    Like GrabCut (Rother et al. 2004), it alternates between learning the colors of both sides and
    segmenting; a guided filter replaces the graph cut.
    """
    probability = guide.apply(_logistic(evidence))
    for _ in range(_ROUNDS):
        color = _color_evidence(bins, probability)
        probability = guide.apply(_logistic(evidence + color))
    return probability


def _logistic(evidence: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(evidence, -12.0, 12.0))))


def _bin_colors(lab: Singles) -> Ints:
    """Return each pixel's histogram bin (h, w) in a cube of 16³ over the image's color range."""
    flat = lab.reshape(-1, 3)
    low, high = np.quantile(flat, 0.002, axis=0), np.quantile(flat, 0.998, axis=0)
    # A bin is at least as wide as a noticeable difference.
    span = np.maximum(high - low, 0.02 * _BINS)
    cell = np.clip((flat - low) / span * _BINS, 0, _BINS - 1).astype(np.int64)
    number = (cell[:, 0] * _BINS + cell[:, 1]) * _BINS + cell[:, 2]
    return np.asarray(number.reshape(lab.shape[:2]))


def _color_evidence(bins: Ints, probability: Floats) -> Floats:
    """Return the log ratio (h, w) of each color's likelihood in the subject and the background."""
    likelihood = []
    for share in (probability, 1.0 - probability):
        counts = np.bincount(bins.ravel(), share.ravel() ** 2, _BINS**3)
        cube: Floats = np.asarray(counts, np.float64).reshape(_BINS, _BINS, _BINS)
        for axis in range(3):
            cube = _smooth_axis(cube, axis)
        likelihood.append(cube / max(1e-9, cube.sum()) + 2e-5)
    ratio = np.clip(np.log(likelihood[0] / likelihood[1]), -1.5, 1.5)
    return np.asarray(ratio.ravel()[bins], np.float64)


def _smooth_axis(cube: Floats, axis: int) -> Floats:
    padded = np.pad(cube, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
    count = cube.shape[axis]
    before, center, after = (padded.take(np.arange(k, k + count), axis=axis) for k in range(3))
    return np.asarray(0.25 * before + 0.5 * center + 0.25 * after)


class _Guide:
    """A guided filter (He, Sun, and Tang 2010) with a color image (h, w, 3) as its guide."""

    def __init__(self, picture: Numbers, radius: int, edge: float) -> None:
        self._planes = [np.ascontiguousarray(picture[:, :, k], np.float64) for k in range(3)]
        self._radius = radius
        self._means = [box_filter(plane, radius) for plane in self._planes]
        spread = []
        for i, j in _PAIRS:
            product = box_filter(self._planes[i] * self._planes[j], radius)
            product -= self._means[i] * self._means[j]
            spread.append(product + edge if i == j else product)
        self._inverse = _invert(spread)

    def coefficients(self, target: Floats) -> list[Floats]:
        """Return the local linear models of `target` (h, w): slopes (three planes) and offsets."""
        mean = box_filter(target, self._radius)
        covariance = [
            box_filter(plane * target, self._radius) - own * mean
            for plane, own in zip(self._planes, self._means, strict=True)
        ]
        offset = mean
        slopes = []
        for row, own in zip(self._inverse, self._means, strict=True):
            slope = row[0] * covariance[0] + row[1] * covariance[1] + row[2] * covariance[2]
            offset = offset - slope * own
            slopes.append(slope)
        return [box_filter(plane, self._radius) for plane in (*slopes, offset)]

    def apply(self, target: Floats) -> Floats:
        slope_r, slope_g, slope_b, offset = self.coefficients(target)
        red, green, blue = self._planes
        return np.clip(slope_r * red + slope_g * green + slope_b * blue + offset, 0.0, 1.0)


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _invert(spread: list[Floats]) -> list[list[Floats]]:
    """Return the inverses of symmetric 3×3 matrices, as rows of planes (h, w).

    `spread` has the matrices' elements as six planes in the order of `_PAIRS`.
    """
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


def _sharpen(rgb: Numbers, guide: _Guide, clean: Singles) -> Singles:
    """Return a small mask at the size of the full image, aligned with the image's edges."""
    *slopes, offset = guide.coefficients(clean.astype(np.float64))
    height, width = rgb.shape[:2]
    matte = upscale(offset, height, width)
    for channel, slope in enumerate(slopes):
        matte += upscale(slope, height, width) * rgb[:, :, channel]
    return np.clip(matte, 0.0, 1.0)
