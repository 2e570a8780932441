# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed mesh: a front, a back, and where they do not meet, walls between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints
from .triangulation import Silhouette


@dataclass(frozen=True)
class Solid:
    """Vertices (n, 3) and outward triangles (m, 3) in pixels, Blender's axes.

    `plane` (m, 3, 2) is where each corner lies in the picture (pixels, y down);
    `behind` (m,) marks the triangles that carry the back's texture.
    """

    vertices: Floats
    triangles: Ints
    plane: Floats
    behind: Bools


def _raised(points: Floats, forward: Floats) -> Floats:
    """Place flat points in space: x right, z up, `forward` toward −y."""
    return np.stack([points[:, 0], -forward, -points[:, 1]], axis=1)


def pillow(flat: Silhouette, heights: Floats) -> Solid:
    """Join a front and its mirror image along the rim that they share."""
    count = len(flat.points)
    free = np.flatnonzero(~flat.rim)
    partner = np.arange(count)
    partner[free] = count + np.arange(len(free))
    vertices = np.concatenate(
        [_raised(flat.points, heights), _raised(flat.points[free], -heights[free])]
    )
    front = flat.triangles[:, ::-1]
    back = flat.triangles
    plane = np.concatenate([flat.points[front], flat.points[back]])
    behind = np.repeat([False, True], len(front))
    return Solid(vertices, np.concatenate([front, partner[back]]), plane, behind)


def plate(flat: Silhouette, heights: Floats, margin: float) -> Solid:
    """Join a front at `heights` above a flat back by walls.

    In the picture the walls lie in a band of `margin` pixels outside of the rim, so that they
    continue the front's island.
    """
    count = len(flat.points)
    vertices = np.concatenate(
        [_raised(flat.points, heights), _raised(flat.points, np.zeros(count))]
    )
    front = flat.triangles[:, ::-1]
    start, stop = flat.rim_sides().T
    # The front runs along each side from stop to start, so its wall must run the other way.
    walls = np.concatenate(
        [
            np.stack([start, stop, stop + count], axis=1),
            np.stack([start, stop + count, start + count], axis=1),
        ]
    )
    unfolded = np.concatenate([flat.points, flat.points + margin * _outward(flat)])
    triangles = np.concatenate([front, walls, flat.triangles + count])
    plane = np.concatenate([flat.points[front], unfolded[walls], flat.points[flat.triangles]])
    behind = np.arange(len(triangles)) >= len(front) + len(walls)
    return Solid(vertices, triangles, plane, behind)


def _outward(flat: Silhouette) -> Floats:
    """Return unit vectors (n, 2) that point out of the silhouette at rim points."""
    normals = np.zeros_like(flat.points)
    sides = flat.rim_sides()
    edge = flat.points[sides[:, 1]] - flat.points[sides[:, 0]]
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    np.add.at(normals, sides[:, 0], normal)
    np.add.at(normals, sides[:, 1], normal)
    length = np.maximum(np.hypot(normals[:, 0], normals[:, 1]), 1e-12)
    return np.asarray(normals / length[:, None])


def standing(vertices: Floats, height: float) -> Floats:
    """Scale vertices to `height` meters and put the origin at the middle of the bottom."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    origin = np.array([(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0, low[2]])
    return np.asarray((vertices - origin) * (height / (high[2] - low[2])))
