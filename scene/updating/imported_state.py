# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember what a model was like on import, to tell the artist's changes from the add-on's."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import bpy

from ...jobs.custom_properties import NODES, SHAPE, SIDES

MANY = 30_000
"""Number of vertices above which loading NumPy pays off."""


def note_imported(objects: Iterable[bpy.types.Object]) -> None:
    """Store each mesh's fingerprint and size in its object, and fingerprints of nodes in materials.

    Objects that are not meshes, and materials that cannot be edited, are left out.
    """
    for obj in objects:
        if obj.type != "MESH":
            continue
        obj[SHAPE] = shape_of(obj.data)
        obj[SIDES] = sides_of(obj.data)
        for material in obj.data.materials:
            if material is not None and material.is_editable:
                material[NODES] = nodes_text(material)


def shape_of(mesh: bpy.types.Mesh) -> list[float]:
    """Return a mesh's fingerprint: vertex and corner counts, and a weighted sum of coordinates."""
    # Each axis with a weight of its own, or swapped coordinates would go unnoticed.
    total = sum(weight * _sum(axis) for weight, axis in zip((1, 2, 3), _axes(mesh), strict=True))
    return [float(len(mesh.vertices)), float(len(mesh.loops)), total]


def sides_of(mesh: bpy.types.Mesh) -> list[float]:
    """Return the sides of a mesh's bounding box along X, Y, and Z; zeros if it has no vertices."""
    return [_side(axis) if len(axis) else 0.0 for axis in _axes(mesh)]


def nodes_text(material: bpy.types.Material) -> str:
    """Return a fingerprint of a material's nodes, their input values, and their links.

    Images are not part of it. It is "none" for a material without nodes.
    """
    tree = material.node_tree
    if tree is None:
        return "none"
    nodes = [(node.name, node.bl_idname, node.mute, _values(node)) for node in tree.nodes]
    links = [
        (link.from_node.name, link.from_socket.identifier, link.to_node.name,
         link.to_socket.identifier)
        for link in tree.links
    ]  # fmt: skip
    return str(crc32(repr((sorted(nodes), sorted(links))).encode()))


def _axes(mesh: bpy.types.Mesh) -> list[Any]:
    """Return three arrays: the X, the Y, and the Z coordinates of all vertices.

    They are NumPy arrays only for large meshes. For small ones, importing NumPy takes longer than
    it saves.
    """
    points = array("f", bytes(12 * len(mesh.vertices)))
    mesh.vertices.foreach_get("co", points)
    if len(mesh.vertices) <= MANY:
        return [points[axis::3] for axis in range(3)]
    import numpy as np

    return list(np.frombuffer(points, np.float32).reshape(-1, 3).T)


def _sum(values: Any) -> float:
    return float(sum(values) if isinstance(values, array) else values.sum(dtype="f8"))


def _side(values: Any) -> float:
    is_array = isinstance(values, array)
    return float(max(values) - min(values) if is_array else values.max() - values.min())


def _values(node: bpy.types.Node) -> list[str]:
    values: list[Any] = [getattr(socket, "default_value", None) for socket in node.inputs]
    return [
        repr(list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value)
        for value in values
    ]
