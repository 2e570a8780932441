# SPDX-License-Identifier: GPL-3.0-or-later
"""Connected parts, holes, and inverted faces of a mesh. Arrays only, no bpy.

`bmesh` offers the same, but takes seconds for a million faces, and reading the results from Python
takes twice as long again.
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
"""Maximum share of open edges at which a part still counts as having an inside."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A mesh as arrays: `points` (n, 3), `edges` (e, 2), and index arrays.

    Per face corner: `corners` the vertex, `sides` the edge (c,). `starts` (f,): each face's first
    corner. `triangles` (t, 3): vertices; `owners` (t,): the triangles' faces.
    """

    points: Floats
    edges: Ints
    corners: Ints
    sides: Ints
    starts: Ints
    triangles: Ints
    owners: Ints


@dataclass(frozen=True, slots=True)
class LooseParts:
    """Connected components of a mesh, and figures for each.

    `vertices` (n,) and `faces` (f,) give the part that each belongs to; -1 for vertices without
    faces. The figures are arrays (count,). `volumes` are negative if faces point inward.
    `open_edges` counts edges with a single face, `all_edges` counts edges with any face, and
    `sizes` counts faces.
    """

    vertices: Ints
    faces: Ints
    count: int
    volumes: Floats
    open_edges: Ints
    all_edges: Ints
    sizes: Ints


def component_labels(count: int, first: Ints, second: Ints) -> Ints:
    """Return, for each node (count,), the lowest node of the component that it belongs to.

    The edges join `first[i]` to `second[i]`.
    """
    parent = np.arange(count)
    while len(first):
        parent_a, parent_b = parent[first], parent[second]
        apart = parent_a != parent_b
        first, second = parent_a[apart], parent_b[apart]
        # Parents are always lower: chains cannot form cycles.
        parent[np.maximum(first, second)] = np.minimum(first, second)
        while True:
            further = parent[parent]
            if np.array_equal(further, parent):
                break
            parent = further
    return parent


def renumber_labels(labels: Ints) -> tuple[Ints, int]:
    """Return the labels renumbered from 0 (n,), and their count."""
    values, indices = np.unique(labels, return_inverse=True)
    return indices.reshape(-1), len(values)


def edge_uses(shape: Shape) -> Ints:
    """Return the number of faces at each edge (e,)."""
    return np.bincount(shape.sides, minlength=len(shape.edges))


def twisted_edges(shape: Shape, uses: Ints) -> Mask:
    """Return a mask (e,) of edges whose two faces traverse them in the same direction."""
    forward = shape.corners == shape.edges[shape.sides, 0]
    balance = np.bincount(shape.sides, np.where(forward, 1.0, -1.0), len(shape.edges))
    return (uses == 2) & (balance != 0.0)


def hole_count(shape: Shape, uses: Ints) -> int:
    """Return the number of boundary loops: connected runs of edges with a single face."""
    rims = shape.edges[uses == 1]
    if not len(rims):
        return 0
    labels = component_labels(len(shape.points), rims[:, 0], rims[:, 1])
    return len(np.unique(labels[rims[:, 0]]))


def find_loose_parts(shape: Shape, uses: Ints) -> LooseParts:
    """Return the connected parts of a mesh.

    Two vertices are connected if an edge with a face joins them; edges without faces do not count.
    `uses` (e,) is the number of faces at each edge.
    """
    used = shape.edges[uses > 0]
    labels = component_labels(len(shape.points), used[:, 0], used[:, 1])
    faces, count = renumber_labels(labels[shape.corners[shape.starts]])
    vertices = np.full(len(shape.points), -1)
    vertices[shape.corners] = np.repeat(faces, np.diff(shape.starts, append=len(shape.corners)))
    own = vertices[shape.edges[:, 0]]
    here = own >= 0
    return LooseParts(
        vertices,
        faces,
        count,
        np.bincount(faces[shape.owners], _volumes(shape, vertices, count), count),
        np.bincount(own[here & (uses == 1)], minlength=count),
        np.bincount(own[here & (uses > 0)], minlength=count),
        np.bincount(faces, minlength=count),
    )


def closed_parts(loose_parts: LooseParts) -> Mask:
    """Return a mask of parts that are closed, or nearly so: with few open edges."""
    return loose_parts.open_edges <= loose_parts.all_edges * OPEN_TOLERATED


def inward_parts(loose_parts: LooseParts) -> Mask:
    """Return a mask of closed parts whose faces point inward."""
    return closed_parts(loose_parts) & (loose_parts.volumes < 0.0)


def island_count(shape: Shape, uv: Floats) -> int:
    """Return the number of UV islands: faces are connected if they share a vertex and its UV.

    `uv` are the UVs of the face corners (c, 2).
    """
    # -0 becomes 0. A hash stands for vertex and UV together: one number sorts faster than three,
    # and colliding ones would only make the count wrong by one.
    exact = np.ascontiguousarray(uv, np.float32) + np.float32(0.0)
    bits = exact.view(np.uint32).reshape(-1, 2).astype(np.uint64)
    mixed = shape.corners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= bits[:, 0] * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= bits[:, 1] * np.uint64(0x165667B19E3779F9)
    nodes, count = renumber_labels(mixed)
    following = np.arange(1, len(nodes) + 1)
    following[np.append(shape.starts[1:], len(nodes)) - 1] = shape.starts
    return len(np.unique(component_labels(count, nodes, nodes[following])))


def _volumes(shape: Shape, vertices: Ints, count: int) -> Floats:
    """Return the signed volumes (t,) of the tetrahedra from each part's center to its triangles."""
    here = vertices >= 0
    own = vertices[here]
    amount = np.maximum(np.bincount(own, minlength=count), 1)
    a, b, c = shape.triangles.T
    columns = []
    # Relative to the part's center: the volume of a part with holes depends on the reference point,
    # and far from the origin rounding would exceed it.
    for axis in range(3):
        column = shape.points[:, axis].astype(np.float64)
        middles = np.bincount(own, column[here], count) / amount
        column -= middles[vertices]  # Vertices without a part have no triangles.
        columns.append((column[a], column[b], column[c]))
    (ax, bx, cx), (ay, by, cy), (az, bz, cz) = columns
    return (ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)) / 6.0
