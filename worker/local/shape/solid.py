# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed mesh: a front, a back, and walls if they do not share a rim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Floats, Ints
from .triangulation import Silhouette


@dataclass(frozen=True)
class Solid:
    """Vertices (n, 3) and outward triangles (m, 3), in pixels and Blender's axes.

    `plane` (m, 3, 2) are the corners' image coordinates (pixels, y down); `behind` (m,) marks
    triangles that use the back's texture.
    """

    vertices: Floats
    triangles: Ints
    plane: Floats
    behind: Bools


def to_3d(points: Floats, forward: Floats) -> Floats:
    """Return points (n, 2) in 3D, (n, 3): x right, z up, `forward` (n,) toward −y."""
    return np.stack([points[:, 0], -forward, -points[:, 1]], axis=1)


def pillow(flat: Silhouette, heights: Floats) -> Solid:
    """Join a front and its mirror image along their common rim."""
    return shell(flat, heights, -heights)


def shell(flat: Silhouette, front_heights: Floats, back_heights: Floats) -> Solid:
    """Join a front and a back along their common rim, where the front's heights count.

    Heights (n,) are positive toward the viewer.
    """
    count = len(flat.points)
    free = np.flatnonzero(~flat.rim)
    partner = np.arange(count)
    partner[free] = count + np.arange(len(free))
    vertices = np.concatenate(
        [to_3d(flat.points, front_heights), to_3d(flat.points[free], back_heights[free])]
    )
    front = flat.triangles[:, ::-1]
    back = flat.triangles
    plane = np.concatenate([flat.points[front], flat.points[back]])
    behind = np.repeat([False, True], len(front))
    return Solid(vertices, np.concatenate([front, partner[back]]), plane, behind)


def plate(flat: Silhouette, heights: Floats, margin: float) -> Solid:
    """Join a front at `heights` to a flat back, by walls along the rim.

    In the image, the walls are a band of `margin` pixels outside the rim, which continues the
    front's UV island.
    """
    count = len(flat.points)
    vertices = np.concatenate([to_3d(flat.points, heights), to_3d(flat.points, np.zeros(count))])
    front = flat.triangles[:, ::-1]
    start, stop = flat.rim_sides().T
    # The front traverses each side from stop to start, so the wall must go the other way.
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
    """Return unit vectors (n, 2) that point out of the silhouette at rim points, 0 elsewhere."""
    normals = np.zeros_like(flat.points)
    sides = flat.rim_sides()
    edge = flat.points[sides[:, 1]] - flat.points[sides[:, 0]]
    normal = np.stack([edge[:, 1], -edge[:, 0]], axis=1)
    np.add.at(normals, sides[:, 0], normal)
    np.add.at(normals, sides[:, 1], normal)
    length = np.maximum(np.hypot(normals[:, 0], normals[:, 1]), 1e-12)
    return np.asarray(normals / length[:, None])


def scale_to_height(vertices: Floats, height: float) -> Floats:
    """Return vertices scaled to `height` meters; the origin becomes the center of the bottom."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    base = np.array([(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0, low[2]])
    return np.asarray((vertices - base) * (height / (high[2] - low[2])))
