# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh report: what a model consists of, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ..mesh.arrays import read
from ..mesh.orientation import read_shape
from ..mesh.topology import (
    LooseParts,
    Shape,
    closed_parts,
    edge_uses,
    find_loose_parts,
    hole_count,
    inward_parts,
    island_count,
    twisted_edges,
)
from ..prepare.visible_surface import world_bounds

RAY_DIRECTIONS = tuple(
    Vector(way).normalized()
    for way in ((0.31, 0.17, 0.93), (-0.83, 0.29, -0.47), (0.23, -0.89, 0.39))
)
"""Ray directions along which hardly any mesh has an edge; three, since one may leave through a
hole."""
MAX_SHELLS = 256
"""Maximum number of parts that are tested for lying inside others: each test casts three rays."""
MAX_CROSSINGS = 512
"""Maximum number of ray casts along one ray; prevents endless loops on coincident faces."""


def model_report(meshes: list[bpy.types.Object]) -> dict[str, Any]:
    """Return the figures of a model, summed over its meshes.

    `size` holds the sides of the bounding box, in scene units; the sizes of `textures` are in
    pixels.
    """
    cards = [_mesh_report(obj) for obj in meshes]
    card: dict[str, Any] = {key: sum(other[key] for other in cards) for key in cards[0]}
    low, high = world_bounds(meshes)
    card["size"] = [round(float(side), 6) for side in high - low]
    card["textures"] = _textures(meshes)
    card["watertight"] = not (card["open_edges"] or card["non_manifold_edges"])
    return card


def inner_shells(obj: bpy.types.Object, shape: Shape, loose_parts: LooseParts) -> NDArray[np.bool_]:
    """Return a mask (parts,) of closed parts that are inside other closed parts and thus invisible.

    Of more than MAX_SHELLS parts, only the largest are tested.
    """
    inside = np.zeros(loose_parts.count, np.bool_)
    closed = closed_parts(loose_parts)
    if closed.sum() < 2:
        return inside
    tree = BVHTree.FromObject(obj, bpy.context.evaluated_depsgraph_get())
    first = shape.corners[shape.starts]
    order = np.argsort(-loose_parts.sizes)[:MAX_SHELLS]
    for part in order:
        if closed[part]:
            face = int(np.flatnonzero(loose_parts.faces == part)[0])
            point = Vector(shape.points[first[face]])
            inside[part] = any(
                closed[other]
                for other in _enclosing_parts(tree, loose_parts.faces, point)
                if other != part
            )
    return inside


def _mesh_report(obj: bpy.types.Object) -> dict[str, int]:
    mesh = obj.data
    shape = read_shape(mesh)
    uses = edge_uses(shape)
    loose_parts = find_loose_parts(shape, uses)
    twisted = twisted_edges(shape, uses)
    sizes = np.diff(shape.starts, append=len(shape.corners))
    layer = mesh.uv_layers.active
    return {
        "triangles": len(shape.triangles),
        "faces": len(shape.starts),
        "quads": int((sizes == 4).sum()),
        "points": len(shape.points),
        "parts": loose_parts.count,
        "holes": hole_count(shape, uses),
        "open_edges": int((uses == 1).sum()),
        "non_manifold_edges": int((uses > 2).sum()),
        "inner_shells": int(inner_shells(obj, shape, loose_parts).sum()),
        "flipped_faces": int(loose_parts.sizes[inward_parts(loose_parts)].sum())
        + _twisted_faces(shape, twisted),
        "uv_islands": island_count(shape, read(layer.uv, "vector", np.float32, 2)) if layer else 0,
        "uv_maps": len(mesh.uv_layers),
    }


def _twisted_faces(shape: Shape, twisted: NDArray[np.bool_]) -> int:
    """Return the number of faces more than half of whose edges are `twisted`.

    `twisted` (e,) marks the edges whose two faces point to opposite sides. The result is at least 1
    if there are twisted edges.
    """
    if not twisted.any():
        return 0
    against = np.add.reduceat(twisted[shape.sides].astype(np.int32), shape.starts)
    sizes = np.diff(shape.starts, append=len(shape.corners))
    # If no face has more twisted edges than others, at least one of them is flipped.
    return int((against * 2 > sizes).sum()) or 1


def _enclosing_parts(tree: BVHTree, part_of_face: NDArray[Any], point: Vector) -> list[int]:
    """Return the parts that enclose a point: most rays cross them an odd number of times."""
    uneven: dict[int, int] = {}
    for direction in RAY_DIRECTIONS:
        for part, count in _crossings(tree, part_of_face, point, direction).items():
            uneven[part] = uneven.get(part, 0) + count % 2
    return [part for part, times in uneven.items() if times * 2 > len(RAY_DIRECTIONS)]


def _crossings(
    tree: BVHTree, part_of_face: NDArray[Any], point: Vector, direction: Vector
) -> dict[int, int]:
    """Return how often a ray from the point crosses each part; parts that it misses are absent."""
    counts: dict[int, int] = {}
    start = point.copy()
    for _ in range(MAX_CROSSINGS):
        hit, _normal, face, distance = tree.ray_cast(start, direction)
        if hit is None:
            break
        part = int(part_of_face[face])
        counts[part] = counts.get(part, 0) + 1
        # A step off the surface, or the ray would hit the same face again.
        start = hit + direction * max(1e-6, distance * 1e-5)
    return counts


def _textures(meshes: list[bpy.types.Object]) -> list[dict[str, Any]]:
    images = {
        node.image
        for obj in meshes
        for material in obj.data.materials
        if material and material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    }
    return [
        {"name": image.name, "width": image.size[0], "height": image.size[1]}
        for image in sorted(images, key=lambda image: str(image.name))
    ]
