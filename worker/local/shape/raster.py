# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters and resampling for images as arrays, top row first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..array_types import Floats, Ints, Numbers, Singles

_STRIP = 256
"""Rows per strip: bounds memory for large images."""
_EVERYTHING = (slice(None), slice(None))
# Above this sigma in pixels, three box filters are faster than direct convolution.
_WIDEST_DIRECT_SIGMA = 2.5


def downscale(image: Numbers, height: int, width: int) -> Singles:
    """Downscale (h, w, c) to (height, width, c); each pixel is the mean of the area it covers."""
    if image.shape[:2] == (height, width):
        return np.asarray(image, np.float32)
    return downscale_strips(lambda rows: image[rows], image.shape, height, width)


def downscale_strips(
    strip: Callable[[slice], Numbers], shape: tuple[int, ...], height: int, width: int
) -> Singles:
    """Downscale an image of `shape` (h, w, c) whose rows `strip` returns on demand."""
    rows, _, channels = shape
    narrow = np.empty((rows, width, channels), np.float32)
    for start in range(0, rows, _STRIP):
        part = slice(start, min(start + _STRIP, rows))
        narrow[part] = _scale_axis(strip(part), width, 1)
    return _scale_axis(narrow, height, 0)


def _scale_axis(image: Numbers, count: int, axis: int) -> Singles:
    """Average (h, w, c) over `count` equal intervals of an axis."""
    length = image.shape[axis]
    single = np.asarray(image, np.float32)
    if length == count:
        return single
    cuts = np.linspace(0.0, length, count + 1)
    first = np.minimum(cuts[:-1].astype(np.int64), length - 1)
    scaled = np.zeros((*image.shape[:axis], count, *image.shape[axis + 1 :]), np.float32)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    for tap in range(int(np.ceil(length / count)) + 1):
        place = first + tap
        covered = np.minimum(cuts[1:], place + 1) - np.maximum(cuts[:-1], place)
        weight = np.maximum(covered, 0.0).astype(np.float32) * np.float32(count / length)
        scaled += single.take(np.minimum(place, length - 1), axis=axis) * weight.reshape(shape)
    return scaled


def fit_size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return (height, width) of `shape`, reduced so that no side exceeds `longest`."""
    height, width = shape[:2]
    ratio = min(1.0, longest / max(height, width))
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def upscale(
    image: Numbers, height: int, width: int, part: tuple[slice, slice] = _EVERYTHING
) -> Singles:
    """Upscale (h, w) or (h, w, c) to (height, width, …) with bilinear interpolation.

    Return only the rows and columns in `part`.
    """
    rows, columns = image.shape[:2]
    if (rows, columns) == (height, width):
        return np.asarray(image[part], np.float32)
    places = np.arange(height)[part[0]], np.arange(width)[part[1]]
    above, below, down = _neighbors((places[0] + 0.5) * (rows / height), rows)
    before, after, along = _neighbors((places[1] + 0.5) * (columns / width), columns)
    extra = (1,) * (image.ndim - 2)
    down = down.reshape(-1, 1, *extra)
    along = along.reshape(1, -1, *extra)
    single = np.asarray(image, np.float32)
    wide = single[:, before] + (single[:, after] - single[:, before]) * along
    return wide[above] + (wide[below] - wide[above]) * down


def _neighbors(position: Floats, count: int) -> tuple[Ints, Ints, Singles]:
    """Return the indices of the two pixels around each position, and the weight of the second.

    `count` is the number of pixels. The center of pixel 0 is at 0.5.
    """
    centered = np.clip(position - 0.5, 0.0, count - 1.0)
    first = np.minimum(centered.astype(np.int64), max(count - 2, 0))
    share = (centered - first).astype(np.float32)
    return first, np.minimum(first + 1, count - 1), share


def sample_bilinear(image: Numbers, x: Floats, y: Floats) -> Floats:
    """Return the values (n,) of an image (h, w) at `x`, `y` in pixels, interpolated bilinearly.

    The center of pixel (0, 0) is (0.5, 0.5).
    """
    height, width = image.shape
    column = np.clip(x - 0.5, 0.0, width - 1.0)
    row = np.clip(y - 0.5, 0.0, height - 1.0)
    left = np.minimum(column.astype(np.int64), max(width - 2, 0))
    above = np.minimum(row.astype(np.int64), max(height - 2, 0))
    along, down = column - left, row - above
    right, below = min(width - 1, 1), width * min(height - 1, 1)
    flat = image.reshape(-1)
    corner = above * width + left
    upper = flat[corner] * (1.0 - along) + flat[corner + right] * along
    lower = flat[corner + below] * (1.0 - along) + flat[corner + below + right] * along
    return np.asarray(upper * (1.0 - down) + lower * down, np.float64)


def box_filter(image: Numbers, radius: int) -> Floats:
    """Return the mean (h, w, …) over squares with sides of 2·radius+1, clipped at the borders."""
    mean = np.asarray(image, np.float64)
    for axis in (0, 1):
        mean = _box_along(mean, radius, axis)
    return mean


def _box_along(image: Floats, radius: int, axis: int) -> Floats:
    length = image.shape[axis]
    radius = min(radius, length - 1)
    shape = list(image.shape)
    shape[axis] += 1
    running = np.zeros(shape)
    target = running[1:] if axis == 0 else running[:, 1:]
    np.cumsum(image, axis=axis, out=target)
    places = np.arange(length)
    first = np.maximum(places - radius, 0)
    last = np.minimum(places + radius + 1, length)
    spans = (last - first).reshape((-1,) + (1,) * (image.ndim - axis - 1))
    total = running.take(last, axis=axis)
    total -= running.take(first, axis=axis)
    total /= spans
    return total


def blur(image: Numbers, sigma: float) -> Singles:
    """Blur (h, w) with a Gaussian of `sigma` pixels; a sigma of up to 0.05 changes nothing.

    Border pixels are repeated outside. A wide Gaussian is approximated by three box filters, which
    are clipped at the borders instead.
    """
    # The nearest neighbors' weight is below float32's precision.
    if sigma <= 0.05:
        return np.asarray(image, np.float32)
    if sigma > _WIDEST_DIRECT_SIGMA:
        # Three boxes of 2r + 1 pixels have a variance of r (r + 1): solved for the Gaussian's.
        radius = max(1, round((sigma * sigma + 0.25) ** 0.5 - 0.5))
        boxed = np.asarray(image, np.float64)
        for _ in range(3):
            boxed = box_filter(boxed, radius)
        return boxed.astype(np.float32)
    reach = max(1, int(np.ceil(3.0 * sigma)))
    taps = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    taps /= taps[0] + 2.0 * taps[1:].sum()
    single = np.asarray(image, np.float32)
    return _convolve(_convolve(single, taps, 0), taps, 1)


def _convolve(image: Singles, taps: Floats, axis: int) -> Singles:
    """Convolve (h, w) along an axis with a symmetric kernel, given from its center outward."""
    reach = len(taps) - 1
    margin = [(0, 0), (0, 0)]
    margin[axis] = (reach, reach)
    padded = np.pad(image, margin, mode="edge")
    length = image.shape[axis]

    def shift(offset: int) -> Singles:
        start = reach + offset
        return padded[start : start + length] if axis == 0 else padded[:, start : start + length]

    total = shift(0) * np.float32(taps[0])
    for offset in range(1, reach + 1):
        total += (shift(offset) + shift(-offset)) * np.float32(taps[offset])
    return total
