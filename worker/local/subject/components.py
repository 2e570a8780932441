# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected parts of graphs and of masks."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Ints


def connected(count: int, first: Ints, second: Ints) -> Ints:
    """Label `count` nodes joined by edges first[i]–second[i]; labels run from 0 upward."""
    parent = np.arange(count)
    while True:
        one, other = parent[first], parent[second]
        apart = one != other
        if not apart.any():
            break
        first, second = first[apart], second[apart]
        low = np.minimum(one[apart], other[apart])
        high = np.maximum(one[apart], other[apart])
        np.minimum.at(parent, high, low)
        parent = _followed(parent)
    _, labels = np.unique(parent, return_inverse=True)
    return np.asarray(labels, np.int64).reshape(-1)


def _followed(parent: Ints) -> Ints:
    """Point every node at the root of its tree."""
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent
        parent = further


def labeled(mask: Bools, *, diagonal: bool) -> tuple[Ints, int]:
    """Number the connected parts of a mask (h, w) from 1; 0 is outside. Return also their count.

    Runs of a row are the graph's nodes, so the work grows with the outline, not with the area.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    flips = np.flatnonzero(np.diff(padded.ravel(), append=0))
    start, stop = flips[0::2], flips[1::2]
    if not len(start):
        return np.zeros(mask.shape, np.int64), 0
    first, second = _touching_runs(start, stop, width + 2, int(diagonal))
    names = connected(len(start), first, second)
    # The change into run k lies at start[k] and the change out of it at stop[k].
    steps = np.zeros(height * (width + 2) + 1, np.int64)
    steps[start + 1] = names + 1
    steps[stop + 1] -= names + 1
    labels = np.cumsum(steps)[: height * (width + 2)].reshape(height, width + 2)[:, 1:-1]
    return labels, int(names.max()) + 1


def _touching_runs(start: Ints, stop: Ints, stride: int, reach: int) -> tuple[Ints, Ints]:
    """Pair the runs that touch one another in neighboring rows.

    `reach` is 1 where corners count as touching, 0 where only sides do. A row's padding of
    one pixel at either end keeps a run's window from reaching into other rows.
    """
    below_first = np.searchsorted(stop, start + stride - reach, side="right")
    below_last = np.searchsorted(start, stop + stride + reach, side="left")
    counts = np.maximum(below_last - below_first, 0)
    first = np.repeat(np.arange(len(start)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, np.repeat(below_first, counts) + offsets
