# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a mask that the triangles cannot represent: thin parts and small holes."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Singles
from ..shape.triangulation import Silhouette, compact, doubled_areas
from .components import label_parts

# In units of the spacing: the rim has a point closer than this to any outline that it follows.
_NEAR = 1.5
# The tip of a spike is always lost. Reported parts have at least this much outline.
_LEAST_OUTLINE = 4.0
_LEAST_PIXELS = 6.0
# Pieces with a smaller share of their part's largest piece were attached by a neck that is lost.
_FRAGMENT = 0.05
# If fragments are a larger share of the whole, they are part of the subject, such as hair.
_MOST_LOST = 0.02


def drop_fragments(flat: Silhouette, matte: Singles) -> Silhouette:
    """Return the silhouette without fragments that are loose because a thin neck was lost.

    If a part of the mask breaks into pieces, only those much smaller than the largest are dropped.
    Parts that are separate in the mask stay. If fragments make up much of the subject, as in hair,
    all of them stay.
    """
    part = flat.label_parts()
    area = np.bincount(part, np.abs(doubled_areas(flat.points, flat.triangles)))
    labels, count = label_parts(matte > 0.5, diagonal=True)
    x, y = flat.points[flat.triangles].mean(axis=1).T.astype(np.int64)
    height, width = labels.shape
    name = labels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    mask_part = np.zeros(len(area), np.int64)
    mask_part[part[name > 0]] = name[name > 0]
    largest = np.zeros(count + 1)
    np.maximum.at(largest, mask_part, area)
    remaining = (mask_part == 0) | (area >= _FRAGMENT * largest[mask_part])
    if area[~remaining].sum() > _MOST_LOST * area.sum():
        return flat
    return compact(flat.points, flat.triangles[remaining[part]], flat.rim, flat.spacing)


def count_lost_parts(matte: Singles, flat: Silhouette) -> tuple[int, int]:
    """Return how many thin parts and how many holes of a matte (h, w) the mesh does not show."""
    cell = max(_NEAR * flat.spacing, 2.0)
    row, column = ((np.arange(size) / cell).astype(np.int64) for size in matte.shape)

    def near(points: Floats) -> Bools:
        cells = np.zeros((row[-1] + 1, column[-1] + 1), np.bool_)
        x, y = (points / cell).astype(np.int64).T
        cells[np.clip(y, 0, row[-1]), np.clip(x, 0, column[-1])] = True
        return _dilate(cells)

    def pieces(mask: Bools, lost: Bools, least: float) -> int:
        rows, columns = np.nonzero(_edge(mask))
        missed = lost[row[rows], column[columns]]
        if np.count_nonzero(missed) < least:
            return 0
        labels, count = label_parts(mask & lost[np.ix_(row, column)], diagonal=True)
        sizes = np.bincount(labels[rows[missed], columns[missed]], minlength=count + 1)
        return int(np.count_nonzero(sizes[1:] >= least))

    inside, covered = matte > 0.5, near(flat.points)
    thin = pieces(inside, ~covered, max(_LEAST_PIXELS, _LEAST_OUTLINE * flat.spacing))
    # If no rim is near a hole's outline, the mesh covers the hole.
    return thin, pieces(~inside, covered & ~near(flat.points[flat.rim]), _LEAST_PIXELS)


def _edge(mask: Bools) -> Bools:
    """Return the mask's pixels that have a neighbor outside it."""
    padded = np.pad(mask, 1, mode="edge")
    within = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return np.asarray(mask & ~within)


def _dilate(mask: Bools) -> Bools:
    """Dilate the mask by one pixel, diagonals included."""
    padded = np.pad(mask, 1)
    tall = padded[2:] | padded[1:-1] | padded[:-2]
    return np.asarray(tall[:, 2:] | tall[:, 1:-1] | tall[:, :-2])
