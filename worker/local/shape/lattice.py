# SPDX-License-Identifier: GPL-3.0-or-later
"""A lattice of equilateral triangles that is finer near the outline.

Each level splits triangles near the outline into four. A neighbor with one or two split sides is
divided across them, so that no vertex lies in the middle of another triangle's side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints
from .outline import Outline

# A triangle's corners lie within 0.58 sides of its center. The margin keeps the neighbors of the
# triangles on the outline at the finest level, too.
_REACH = 1.15


@dataclass(frozen=True)
class Lattice:
    """Nodes (n, 2) in pixels, triangles (m, 3), and the side length at the finest level."""

    nodes: Floats
    triangles: Ints
    spacing: float


def build_lattice(outline: Outline, spacing: float, levels: int) -> Lattice:
    """Return a lattice over the subject, with sides of `spacing` pixels at the outline.

    Away from the outline, sides are up to 2**levels times as long.
    """
    width = spacing * 2**levels
    nodes, regular = _regular(outline, width)
    finished: list[Ints] = []
    for _ in range(levels):
        wanted = outline.near(nodes[regular].mean(axis=1), _REACH * width)
        nodes, regular, done = _refine(nodes, regular, wanted)
        finished.append(done)
        width *= 0.5
    return Lattice(nodes, np.concatenate([regular, *finished]), width)


def _regular(outline: Outline, width: float) -> tuple[Floats, Ints]:
    """Return nodes and triangles that cover the subject, all with sides of `width` pixels."""
    inside = outline.field > 0.0
    rows = np.flatnonzero(inside.any(axis=1))
    columns = np.flatnonzero(inside.any(axis=0))
    rise = width * np.sqrt(0.75)
    min_x, min_y = columns[0] - 1.3 * width, rows[0] - 1.2 * rise
    across = int(np.ceil((columns[-1] + 1 + 1.3 * width - min_x) / width)) + 1
    down = int(np.ceil((rows[-1] + 1 + 1.2 * rise - min_y) / rise)) + 1
    row, column = np.divmod(np.arange(across * down), across)
    nodes = np.stack([min_x + (column + 0.5 * (row % 2)) * width, min_y + row * rise], axis=1)
    first = np.arange(across * down).reshape(down, across)
    here, right = first[:-1, :-1].ravel(), first[:-1, 1:].ravel()
    below, across_below = first[1:, :-1].ravel(), first[1:, 1:].ravel()
    odd = (np.repeat(np.arange(down - 1), across - 1) % 2).astype(np.bool_)
    upper = np.where(
        odd[:, None], np.stack([here, right, across_below], 1), np.stack([here, right, below], 1)
    )
    lower = np.where(
        odd[:, None],
        np.stack([here, across_below, below], 1),
        np.stack([right, across_below, below], 1),
    )
    triangles = np.concatenate([upper, lower])
    centers = nodes[triangles].mean(axis=1)
    covering = outline.near(centers, _REACH * width) | (outline.level(centers) > 0.0)
    return nodes, triangles[covering]


def _refine(nodes: Floats, triangles: Ints, wanted: Bools) -> tuple[Floats, Ints, Ints]:
    """Split the `wanted` triangles, except next to larger ones.

    Other triangles are split if two of their sides are. Return all nodes, the new small triangles,
    and the remaining ones, divided where a neighbor was split.
    """
    sides = side_keys(triangles, len(nodes))
    keys, place, uses = np.unique(sides, return_inverse=True, return_counts=True)
    place = place.reshape(sides.shape)
    # A side with a single triangle borders on larger ones, which are not split.
    splittable = (uses[place] == 2).all(axis=1)
    split, marked = _close(place, wanted & splittable, splittable, len(keys))
    middles = np.cumsum(marked) - 1 + len(nodes)
    ends = np.stack(np.divmod(keys[marked], len(nodes)), axis=1)
    grown = np.concatenate([nodes, nodes[ends].mean(axis=1)])
    small = _quarter(triangles[split], middles[place[split]])
    others, other_sides = triangles[~split], place[~split]
    return grown, small, _bridge(others, middles[other_sides], marked[other_sides])


def _close(place: Ints, split: Bools, splittable: Bools, count: int) -> tuple[Bools, Bools]:
    """Return masks of the triangles and of the `count` sides to split.

    Splittable triangles that would have two split sides are split as well. `place` (m, 3) are the
    indices of the triangles' sides.
    """
    while True:
        marked = np.zeros(count, np.bool_)
        marked[place[split]] = True
        more = splittable & (marked[place].sum(axis=1) >= 2)
        if np.array_equal(more | split, split):
            return split, marked
        split = split | more


def side_keys(triangles: Ints, count: int) -> Ints:
    """Return a direction-independent key for each side (m, 3); side k joins corners k and k+1.

    `count` is the number of nodes.
    """
    following = np.roll(triangles, -1, axis=1)
    low, high = np.minimum(triangles, following), np.maximum(triangles, following)
    return np.asarray(low * count + high, np.int64)


def _quarter(triangles: Ints, middles: Ints) -> Ints:
    a, b, c = triangles.T
    ab, bc, ca = middles.T
    corners = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.concatenate([np.stack(corner, axis=1) for corner in corners])


def _bridge(triangles: Ints, middles: Ints, marked: Bools) -> Ints:
    """Return the triangles, divided if one or two of their sides are split."""
    number = marked.sum(axis=1)
    pieces = [triangles[number == 0]]
    for side in range(3):
        once = (number == 1) & marked[:, side]
        a, b, c = np.roll(triangles[once], -side, axis=1).T
        middle = middles[once, side]
        pieces += [np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)]
        twice = (number == 2) & ~marked[:, side]
        a, b, c = np.roll(triangles[twice], -side, axis=1).T
        beyond, before = np.roll(middles[twice], -side, axis=1)[:, 1:].T
        pieces += [
            np.stack([a, b, beyond], 1),
            np.stack([a, beyond, before], 1),
            np.stack([before, beyond, c], 1),
        ]
    return np.concatenate(pieces)
