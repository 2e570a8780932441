# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mesh hangs together: parts, holes, faces turned inside out. Arrays only, no bpy.

`bmesh` tells the same, but takes seconds for a million faces, and twice that for Python to ask it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
Mask = NDArray[np.bool_]
Floats = NDArray[Any]

OPEN_TOLERATED = 0.05
"""Up to this share of open edges a part has an inside, holes or no holes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A mesh as arrays: `points` (n, 3), `edges` (e, 2), and what its corners and triangles are.

    `corners` holds a vertex and `sides` an edge for each corner, `starts` each face's first corner;
    `triangles` (t, 3) are vertices, `owners` (t,) the faces that they belong to.
    """

    points: Floats
    edges: Ints
    corners: Ints
    sides: Ints
    starts: Ints
    triangles: Ints
    owners: Ints


@dataclass(frozen=True, slots=True)
class Parts:
    """What is connected: the part of each vertex and face, and of each part what it is like.

    `volumes` are negative where the faces look inward; `open_edges` counts edges of one face.
    """

    vertices: Ints
    faces: Ints
    count: int
    volumes: Floats
    open_edges: Ints
    all_edges: Ints
    sizes: Ints


def connected(count: int, first: Ints, second: Ints) -> Ints:
    """Return for each of `count` things the lowest one of those that pairs connect it to."""
    parent = np.arange(count)
    while len(first):
        one, other = parent[first], parent[second]
        apart = one != other
        first, second = one[apart], other[apart]
        # Each takes some lower neighbor for its parent: chains go down and never in a circle.
        parent[np.maximum(first, second)] = np.minimum(first, second)
        while True:
            further = parent[parent]
            if np.array_equal(further, parent):
                break
            parent = further
    return parent


def numbered(labels: Ints) -> tuple[Ints, int]:
    """Return labels that count from 0, and how many there are."""
    values, places = np.unique(labels, return_inverse=True)
    return places.reshape(-1), len(values)


def edge_uses(shape: Shape) -> Ints:
    """Count the faces at each edge."""
    return np.bincount(shape.sides, minlength=len(shape.edges))


def twisted_edges(shape: Shape, uses: Ints) -> Mask:
    """Mark edges whose two faces look to different sides: both run along it in one direction."""
    forward = shape.corners == shape.edges[shape.sides, 0]
    balance = np.bincount(shape.sides, np.where(forward, 1.0, -1.0), len(shape.edges))
    return (uses == 2) & (balance != 0.0)


def hole_count(shape: Shape, uses: Ints) -> int:
    """Count the rims: connected runs of edges that have one face only."""
    rims = shape.edges[uses == 1]
    if not len(rims):
        return 0
    labels = connected(len(shape.points), rims[:, 0], rims[:, 1])
    return len(np.unique(labels[rims[:, 0]]))


def parts_of(shape: Shape, uses: Ints) -> Parts:
    """Tell what is connected by edges with faces, and what each part is like."""
    used = shape.edges[uses > 0]
    labels = connected(len(shape.points), used[:, 0], used[:, 1])
    faces, count = numbered(labels[shape.corners[shape.starts]])
    vertices = np.full(len(shape.points), -1)
    vertices[shape.corners] = np.repeat(faces, np.diff(shape.starts, append=len(shape.corners)))
    own = vertices[shape.edges[:, 0]]
    here = own >= 0
    return Parts(
        vertices,
        faces,
        count,
        np.bincount(faces[shape.owners], _volumes(shape, vertices, count), count),
        np.bincount(own[here & (uses == 1)], minlength=count),
        np.bincount(own[here & (uses > 0)], minlength=count),
        np.bincount(faces, minlength=count),
    )


def closed_parts(parts: Parts) -> Mask:
    """Mark the parts that are closed, or so nearly that they have an inside."""
    return parts.open_edges <= parts.all_edges * OPEN_TOLERATED


def inward_parts(parts: Parts) -> Mask:
    """Mark the parts that are closed, or nearly, and show their faces' backs."""
    return closed_parts(parts) & (parts.volumes < 0.0)


def island_count(shape: Shape, uv: Floats) -> int:
    """Count UV islands: faces that share an edge in the texture as they do in space."""
    exact = np.ascontiguousarray(uv, np.float32) + np.float32(0.0)
    bits = exact.view(np.uint32).reshape(-1, 2).astype(np.uint64)
    mixed = shape.corners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= bits[:, 0] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= bits[:, 1] * np.uint64(0x165667B19E3779F9)
    nodes, count = numbered(mixed)
    following = np.arange(1, len(nodes) + 1)
    following[np.append(shape.starts[1:], len(nodes)) - 1] = shape.starts
    return len(np.unique(connected(count, nodes, nodes[following])))


def _volumes(shape: Shape, vertices: Ints, count: int) -> Floats:
    """Return the signed volume between each triangle and the middle of its part."""
    here = vertices >= 0
    own = vertices[here]
    amount = np.maximum(np.bincount(own, minlength=count), 1)
    one, two, three = shape.triangles.T
    columns = []
    for axis in range(3):
        column = shape.points[:, axis].astype(np.float64)
        middles = np.bincount(own, column[here], count) / amount
        column -= middles[vertices]  # Those of no part belong to no triangle.
        columns.append((column[one], column[two], column[three]))
    (ax, bx, cx), (ay, by, cy), (az, bz, cz) = columns
    return (ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)) / 6.0
