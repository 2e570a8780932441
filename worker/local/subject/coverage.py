# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mask the triangles could not carry: thin parts and small holes."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Singles
from ..shape.triangulation import Silhouette, compact, doubled_areas
from .components import labeled

# In units of the spacing: the rim has a point nearer than this to every outline that it follows.
_NEAR = 1.5
# A spike's end is always lost; what is noted has more outline than this, and than some pixels.
_LEAST_OUTLINE = 4.0
_LEAST_PIXELS = 6.0
# What has less area than this share of its mask's largest piece hung on it by a lost neck.
_FRAGMENT = 0.05
# Fragments that are more than this share of all are no crumbs but what the picture shows.
_MOST_LOST = 0.02


def without_fragments(flat: Silhouette, matte: Singles) -> Silhouette:
    """Drop what would float beside its subject: a neck thinner than the triangles breaks.

    The large pieces of a part of the mask all stay, so does what is a part by itself, and so do
    fragments that are many, as of hair.
    """
    part = flat.parts()
    area = np.bincount(part, np.abs(doubled_areas(flat.points, flat.triangles)))
    labels, count = labeled(matte > 0.5, diagonal=True)
    x, y = flat.points[flat.triangles].mean(axis=1).T.astype(np.int64)
    height, width = labels.shape
    name = labels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    home = np.zeros(len(area), np.int64)
    home[part[name > 0]] = name[name > 0]
    largest = np.zeros(count + 1)
    np.maximum.at(largest, home, area)
    kept = (home == 0) | (area >= _FRAGMENT * largest[home])
    if area[~kept].sum() > _MOST_LOST * area.sum():
        return flat
    return compact(flat.points, flat.triangles[kept[part]], flat.rim, flat.spacing)


def left_out(matte: Singles, flat: Silhouette) -> tuple[int, int]:
    """Count the thin parts and the holes of a matte (h, w) whose outline no side follows."""
    cell = max(_NEAR * flat.spacing, 2.0)
    row, column = ((np.arange(size) / cell).astype(np.int64) for size in matte.shape)

    def near(points: Floats) -> Bools:
        cells = np.zeros((row[-1] + 1, column[-1] + 1), np.bool_)
        x, y = (points / cell).astype(np.int64).T
        cells[np.clip(y, 0, row[-1]), np.clip(x, 0, column[-1])] = True
        return _grown(cells)

    def pieces(mask: Bools, lost: Bools, least: float) -> int:
        rows, columns = np.nonzero(_edge(mask))
        missed = lost[row[rows], column[columns]]
        if np.count_nonzero(missed) < least:
            return 0
        labels, count = labeled(mask & lost[np.ix_(row, column)], diagonal=True)
        sizes = np.bincount(labels[rows[missed], columns[missed]], minlength=count + 1)
        return int(np.count_nonzero(sizes[1:] >= least))

    inside, covered = matte > 0.5, near(flat.points)
    thin = pieces(inside, ~covered, max(_LEAST_PIXELS, _LEAST_OUTLINE * flat.spacing))
    # A mesh without a rim near a hole's outline goes on across the hole.
    return thin, pieces(~inside, covered & ~near(flat.points[flat.rim]), _LEAST_PIXELS)


def _edge(mask: Bools) -> Bools:
    """Return the mask's pixels with a neighbor outside of it."""
    padded = np.pad(mask, 1, mode="edge")
    within = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return np.asarray(mask & ~within)


def _grown(mask: Bools) -> Bools:
    """Return the mask with all eight neighbors of its pixels."""
    padded = np.pad(mask, 1)
    tall = padded[2:] | padded[1:-1] | padded[:-2]
    return np.asarray(tall[:, 2:] | tall[:, 1:-1] | tall[:, :-2])
