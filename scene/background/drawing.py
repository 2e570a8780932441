# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out which triangle every pixel of a small picture shows. Numpy only, no bpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CHUNK = 1 << 20
NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
DEPTHS = np.float64(0xFFFFFFFE)
# Shared edges belong to both triangles, so that no gap opens between them.
TOLERANCE = np.float32(-1e-3)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pixels show that show something: (k,) pixels, (k,) triangles, (k, 3) weights.

    Pixels count row by row from the top left; weights are barycentric.
    """

    pixels: Ints
    triangles: Ints
    weights: Floats


@dataclass(frozen=True, slots=True)
class _Covers:
    """Each triangle's rectangle of pixels, and the planes of two weights and the depth over it.

    A plane (3, m) is the value at the rectangle's first pixel, and its steps to the right and down.
    """

    low: Ints
    width: Ints
    count: Ints
    first: Floats
    second: Floats
    depth: Floats


def see(corners: Floats, size: int) -> Seen:
    """Draw triangles (m, 3, 3) into a square of `size` pixels; the nearest one wins.

    Corners are x to the right and y down in pixels, and the depth from 0, the nearest, to 1.
    """
    covers = _covers(corners, size)
    nearest = np.full(size * size, NOTHING)
    for first, last in _chunks(covers.count):
        pixels, keys = _fragments(covers, first, last, size)
        order = np.argsort(keys)[::-1]  # The last assignment to a pixel stays: the nearest.
        drawn = np.full(size * size, NOTHING)
        drawn[pixels[order]] = keys[order]
        np.minimum(nearest, drawn, out=nearest)
    pixels = np.flatnonzero(nearest != NOTHING)
    triangles = (nearest[pixels] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return Seen(pixels, triangles, _weights(covers, triangles, pixels % size, pixels // size))


def _covers(corners: Floats, size: int) -> _Covers:
    x, y, z = (np.ascontiguousarray(corners[..., axis]) for axis in range(3))
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    low_x, width = _span(x, size)
    low_y, height = _span(y, size)
    count = np.where(area != 0.0, width * height, 0)
    scale = np.float32(1.0) / np.where(area != 0.0, area, np.float32(1.0))
    from_last_x = low_x.astype(np.float32) + np.float32(0.5) - x[:, 2]
    from_last_y = low_y.astype(np.float32) + np.float32(0.5) - y[:, 2]

    def plane(step_x: Floats, step_y: Floats) -> Floats:
        step_x, step_y = step_x * scale, step_y * scale
        return np.stack((step_x * from_last_x + step_y * from_last_y, step_x, step_y))

    first = plane(y[:, 1] - y[:, 2], x[:, 2] - x[:, 1])
    second = plane(y[:, 2] - y[:, 0], x[:, 0] - x[:, 2])
    depth = first * (z[:, 0] - z[:, 2]) + second * (z[:, 1] - z[:, 2])
    depth[0] += z[:, 2]
    return _Covers(np.stack((low_x, low_y)), width, count, first, second, depth)


def _span(along: Floats, size: int) -> tuple[Ints, Ints]:
    """Return the first pixel whose centre lies within the corners, and how many there are."""
    low = np.ceil(along.min(axis=1) - 0.5).clip(0, size).astype(np.int64)
    high = np.floor(along.max(axis=1) - 0.5).clip(-1, size - 1).astype(np.int64)
    return low, np.maximum(high - low + 1, 0)


def _chunks(counts: Ints) -> Iterator[tuple[int, int]]:
    """Split the triangles so that each part has about CHUNK fragments."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(CHUNK, total + CHUNK, CHUNK)) + 1
    first = 0
    for last in np.unique(np.minimum(cuts, len(counts))):
        yield first, int(last)
        first = int(last)


def _fragments(
    covers: _Covers, first: int, last: int, size: int
) -> tuple[Ints, NDArray[np.uint64]]:
    """Return the pixels that the triangles cover, and keys that sort by depth."""
    count = covers.count[first:last]
    triangle = np.repeat(np.arange(first, last), count)
    number = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    down, across = np.divmod(number, np.repeat(covers.width[first:last], count))
    steps = across.astype(np.float32), down.astype(np.float32)
    one, two = (
        np.repeat(plane[0, first:last], count)
        + np.repeat(plane[1, first:last], count) * steps[0]
        + np.repeat(plane[2, first:last], count) * steps[1]
        for plane in (covers.first, covers.second)
    )
    inside = np.flatnonzero((one >= TOLERANCE) & (two >= TOLERANCE) & (one + two <= 1 - TOLERANCE))
    triangle, across, down = triangle[inside], across[inside], down[inside]
    depth = _value(covers.depth, triangle, across, down).clip(0.0, 1.0)
    keys = (depth * DEPTHS).astype(np.uint64) << np.uint64(32)
    pixels = (covers.low[1, triangle] + down) * size + covers.low[0, triangle] + across
    return pixels, keys | triangle.astype(np.uint64)


def _weights(covers: _Covers, triangles: Ints, x: Ints, y: Ints) -> Floats:
    across, down = x - covers.low[0, triangles], y - covers.low[1, triangles]
    one = _value(covers.first, triangles, across, down)
    two = _value(covers.second, triangles, across, down)
    return np.stack((one, two, 1.0 - one - two), axis=1).astype(np.float32)


def _value(plane: Floats, triangles: Ints, across: Ints, down: Ints) -> NDArray[np.float64]:
    return plane[0, triangles] + plane[1, triangles] * across + plane[2, triangles] * down
