# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember what a model was like on import, to tell the artist's own work on it from ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import bpy
import numpy as np
from numpy.typing import NDArray

from ...jobs.custom_properties import NODES, SHAPE, SIDES


def note_imported(objects: Iterable[bpy.types.Object]) -> None:
    """Store in each object the shape of its mesh, and in each material a text of its nodes."""
    for obj in objects:
        if obj.type != "MESH":
            continue
        obj[SHAPE] = shape_of(obj.data)
        obj[SIDES] = sides_of(obj.data)
        for material in obj.data.materials:
            if material is not None and material.is_editable:
                material[NODES] = nodes_text(material)


def shape_of(mesh: bpy.types.Mesh) -> list[float]:
    """Return numbers that change whenever vertices are moved, added or removed."""
    points = _positions(mesh)
    # Each axis with a weight of its own, or swapped coordinates would go unnoticed.
    total = points.sum(axis=0, dtype=np.float64) @ (1.0, 2.0, 3.0)
    return [float(len(mesh.vertices)), float(len(mesh.loops)), float(total)]


def sides_of(mesh: bpy.types.Mesh) -> list[float]:
    """Return the lengths of the sides of a mesh's bounding box."""
    points = _positions(mesh)
    return [float(side) for side in np.ptp(points, axis=0)] if len(points) else [0.0] * 3


def nodes_text(material: bpy.types.Material) -> str:
    """Return a text that changes with the nodes of a material, their values and their links.

    The images themselves are left out.
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


def _positions(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def _values(node: bpy.types.Node) -> list[str]:
    values: list[Any] = [getattr(socket, "default_value", None) for socket in node.inputs]
    return [
        repr(list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value)
        for value in values
    ]
