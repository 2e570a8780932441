# SPDX-License-Identifier: GPL-3.0-or-later
"""The health card: what a model is made of, and what is wrong with it."""

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
    Parts,
    Shape,
    closed_parts,
    edge_uses,
    hole_count,
    inward_parts,
    island_count,
    parts_of,
    twisted_edges,
)
from ..prepare.visible_surface import bounds

WAYS_OUT = tuple(
    Vector(way).normalized()
    for way in ((0.31, 0.17, 0.93), (-0.83, 0.29, -0.47), (0.23, -0.89, 0.39))
)
"""Directions that hardly any mesh has an edge along; one may lead through a hole."""
MOST_SHELLS = 256
MOST_CROSSINGS = 512


def health_card(meshes: list[bpy.types.Object]) -> dict[str, Any]:
    """Return the figures of a model, those of its meshes added up."""
    cards = [_card_of(obj) for obj in meshes]
    card: dict[str, Any] = {key: sum(one[key] for one in cards) for key in cards[0]}
    low, high = bounds(meshes)
    card["size"] = [round(float(side), 6) for side in high - low]
    card["textures"] = _textures(meshes)
    card["watertight"] = not (card["open_edges"] or card["non_manifold_edges"])
    return card


def inner_shells(obj: bpy.types.Object, shape: Shape, parts: Parts) -> NDArray[np.bool_]:
    """Mark the closed parts that lie inside of other closed ones: nobody will see them.

    Of very many parts only the largest are looked at.
    """
    inside = np.zeros(parts.count, np.bool_)
    closed = closed_parts(parts)
    if closed.sum() < 2:
        return inside
    tree = BVHTree.FromObject(obj, bpy.context.evaluated_depsgraph_get())
    first = shape.corners[shape.starts]
    order = np.argsort(-parts.sizes)[:MOST_SHELLS]
    for part in order:
        if closed[part]:
            face = int(np.flatnonzero(parts.faces == part)[0])
            point = Vector(shape.points[first[face]])
            inside[part] = any(
                closed[other] for other in _around(tree, parts.faces, point) if other != part
            )
    return inside


def _card_of(obj: bpy.types.Object) -> dict[str, int]:
    mesh = obj.data
    shape = read_shape(mesh)
    uses = edge_uses(shape)
    parts = parts_of(shape, uses)
    twisted = twisted_edges(shape, uses)
    sizes = np.diff(shape.starts, append=len(shape.corners))
    layer = mesh.uv_layers.active
    return {
        "triangles": len(shape.triangles),
        "faces": len(shape.starts),
        "quads": int((sizes == 4).sum()),
        "points": len(shape.points),
        "parts": parts.count,
        "holes": hole_count(shape, uses),
        "open_edges": int((uses == 1).sum()),
        "non_manifold_edges": int((uses > 2).sum()),
        "inner_shells": int(inner_shells(obj, shape, parts).sum()),
        "flipped_faces": int(parts.sizes[inward_parts(parts)].sum())
        + _twisted_faces(shape, twisted),
        "uv_islands": island_count(shape, read(layer.uv, "vector", np.float32, 2)) if layer else 0,
        "uv_maps": len(mesh.uv_layers),
    }


def _twisted_faces(shape: Shape, twisted: NDArray[np.bool_]) -> int:
    """Count the faces that look to the other side than most of their neighbors."""
    if not twisted.any():
        return 0
    against = np.add.reduceat(twisted[shape.sides].astype(np.int32), shape.starts)
    sizes = np.diff(shape.starts, append=len(shape.corners))
    return int((against * 2 > sizes).sum()) or 1


def _around(tree: BVHTree, part_of_face: NDArray[Any], point: Vector) -> list[int]:
    """Return the parts that a point lies inside of: most ways out of it cross them unevenly."""
    uneven: dict[int, int] = {}
    for way in WAYS_OUT:
        for part, count in _crossings(tree, part_of_face, point, way).items():
            uneven[part] = uneven.get(part, 0) + count % 2
    return [part for part, times in uneven.items() if times * 2 > len(WAYS_OUT)]


def _crossings(
    tree: BVHTree, part_of_face: NDArray[Any], point: Vector, way: Vector
) -> dict[int, int]:
    """Count how often a ray from the point goes through each part."""
    counts: dict[int, int] = {}
    start = point.copy()
    for _ in range(MOST_CROSSINGS):
        hit, _normal, face, distance = tree.ray_cast(start, way)
        if hit is None:
            break
        part = int(part_of_face[face])
        counts[part] = counts.get(part, 0) + 1
        start = hit + way * max(1e-6, distance * 1e-5)
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
