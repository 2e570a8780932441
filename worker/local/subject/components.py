# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected components of graphs and masks."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Ints


def component_labels(count: int, first: Ints, second: Ints) -> Ints:
    """Return the component (count,) of each node in a graph with edges first[i]–second[i].

    Components are numbered from 0.
    """
    parent = np.arange(count)
    while True:
        parent_a, parent_b = parent[first], parent[second]
        apart = parent_a != parent_b
        if not apart.any():
            break
        first, second = first[apart], second[apart]
        low = np.minimum(parent_a[apart], parent_b[apart])
        high = np.maximum(parent_a[apart], parent_b[apart])
        np.minimum.at(parent, high, low)
        parent = _find_roots(parent)
    _, labels = np.unique(parent, return_inverse=True)
    return np.asarray(labels, np.int64).reshape(-1)


def _find_roots(parent: Ints) -> Ints:
    """Return the root of every node's tree."""
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent
        parent = further


def label_parts(mask: Bools, *, diagonal: bool) -> tuple[Ints, int]:
    """Label the connected parts of a mask (h, w).

    Return the labels (h, w), which are 0 outside the mask and from 1 in its parts, and the number
    of parts. `diagonal`: whether pixels that share only a corner are connected. The graph's nodes
    are runs of pixels in rows, so the cost grows with the outline, not the area.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    flips = np.flatnonzero(np.diff(padded.ravel(), append=0))
    start, stop = flips[0::2], flips[1::2]
    if not len(start):
        return np.zeros(mask.shape, np.int64), 0
    first, second = _touching_runs(start, stop, width + 2, int(diagonal))
    names = component_labels(len(start), first, second)
    # Differences along the rows: run k starts at start[k] and ends at stop[k].
    steps = np.zeros(height * (width + 2) + 1, np.int64)
    steps[start + 1] = names + 1
    steps[stop + 1] -= names + 1
    labels = np.cumsum(steps)[: height * (width + 2)].reshape(height, width + 2)[:, 1:-1]
    return labels, int(names.max()) + 1


def _touching_runs(start: Ints, stop: Ints, stride: int, reach: int) -> tuple[Ints, Ints]:
    """Return pairs of runs that touch in adjacent rows of `stride` pixels.

    `reach` is 1 if corners count as touching, else 0. One pixel of padding at both ends of each row
    keeps a run's search window out of other rows.
    """
    below_first = np.searchsorted(stop, start + stride - reach, side="right")
    below_last = np.searchsorted(start, stop + stride + reach, side="left")
    counts = np.maximum(below_last - below_first, 0)
    first = np.repeat(np.arange(len(start)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, np.repeat(below_first, counts) + offsets
