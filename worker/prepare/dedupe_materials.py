# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that differ in nothing but their names, of which one is enough.

Many exporters write one for each part. Blender takes up to a millisecond for each when a model is
appended, for which the artist waits.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import bpy

PLAIN = frozenset({"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"})
OF_EVERY_NODE = frozenset(bpy.types.Node.bl_rna.properties.keys()) - {"mute"}
OF_EVERY_ID = frozenset(bpy.types.ID.bl_rna.properties.keys()) | {"use_nodes", "paint_active_slot"}
UNUSED = frozenset({"image_user", "texture_mapping", "color_mapping"})
"""What image nodes have beside the image, and no importer sets."""


def share_same(meshes: list[bpy.types.Mesh]) -> None:
    """Give parts whose materials look the same by all that they say the first of these."""
    first: dict[Hashable, bpy.types.Material] = {}
    shared = {
        material: first.setdefault(_said(material), material)
        for material in dict.fromkeys(one for mesh in meshes for one in mesh.materials if one)
    }
    for mesh in dict.fromkeys(meshes):
        for slot, material in enumerate(mesh.materials):
            if material and shared[material] != material:
                mesh.materials[slot] = shared[material]


def _said(material: bpy.types.Material) -> Hashable:
    """Return all that a material says of its looks."""
    own = (_plain(material, OF_EVERY_ID), _custom(material))
    tree = material.node_tree
    if tree is None:
        return own
    numbers = {node: number for number, node in enumerate(tree.nodes)}
    links = frozenset(
        (numbers[link.from_node], link.from_socket.identifier,
         numbers[link.to_node], link.to_socket.identifier)
        for link in tree.links
    )  # fmt: skip
    return own, tuple(map(_node, tree.nodes)), links


def _node(node: bpy.types.Node) -> Hashable:
    values = tuple(
        _value(socket.default_value)
        for socket in (*node.inputs, *node.outputs)
        if hasattr(socket, "default_value") and not socket.is_linked
    )
    return node.bl_idname, _plain(node, OF_EVERY_NODE), _named(node), values


def _plain(obj: bpy.types.bpy_struct, idle: frozenset[str]) -> Hashable:
    """Return the values of a struct's own properties that are no structs themselves."""
    return tuple(
        _value(getattr(obj, one.identifier))
        for one in obj.bl_rna.properties
        if one.type in PLAIN and one.identifier not in idle
    )


def _named(node: bpy.types.Node) -> Hashable:
    """Return the data that a node names; what holds more, as a colour ramp, is like no other."""
    return tuple(
        _value(getattr(node, one.identifier))
        for one in node.bl_rna.properties
        if one.type == "POINTER" and one.identifier not in OF_EVERY_NODE | UNUSED
    )


def _custom(material: bpy.types.Material) -> Hashable:
    return tuple(sorted((name, str(value)) for name, value in material.items()))


def _value(value: Any) -> Hashable:
    """Return a value as it can be compared: vectors and colours change, and have no hash."""
    if isinstance(value, set):
        return frozenset(value)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
