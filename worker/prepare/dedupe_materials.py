# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge materials that are identical except for their names.

Many exporters write one material per mesh. Appending takes Blender up to a millisecond for each,
while the artist waits.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import bpy

PLAIN_TYPES = frozenset({"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"})
NODE_COMMON = frozenset(bpy.types.Node.bl_rna.properties.keys()) - {"mute"}
"""Properties that every node has, such as its location in the editor. They do not affect the look,
except for `mute`, which is left out."""
ID_COMMON = frozenset(bpy.types.ID.bl_rna.properties.keys()) | {"use_nodes", "paint_active_slot"}
"""Properties that do not affect how a material looks."""
IMPORTERS_LEAVE = frozenset({"image_user", "texture_mapping", "color_mapping"})
"""Pointer properties of image nodes that importers never set."""


def merge_duplicate_materials(meshes: list[bpy.types.Mesh]) -> None:
    """Use one material in all slots whose materials are identical except for their names."""
    first: dict[Hashable, bpy.types.Material] = {}
    shared = {
        material: first.setdefault(_signature(material), material)
        for material in dict.fromkeys(used for mesh in meshes for used in mesh.materials if used)
    }
    for mesh in dict.fromkeys(meshes):
        for slot, material in enumerate(mesh.materials):
            if material and shared[material] != material:
                mesh.materials[slot] = shared[material]


def _signature(material: bpy.types.Material) -> Hashable:
    """Return a hashable value that is equal only for materials that look the same."""
    own = (_plain_values(material, ID_COMMON), _custom_properties(material))
    tree = material.node_tree
    if tree is None:
        return own
    # By position in the tree, since the nodes themselves differ between materials.
    numbers = {node: number for number, node in enumerate(tree.nodes)}
    links = frozenset(
        (numbers[link.from_node], link.from_socket.identifier,
         numbers[link.to_node], link.to_socket.identifier)
        for link in tree.links
    )  # fmt: skip
    return own, tuple(map(_node_signature, tree.nodes)), links


def _node_signature(node: bpy.types.Node) -> Hashable:
    values = tuple(
        _hashable(socket.default_value)
        for socket in (*node.inputs, *node.outputs)
        if hasattr(socket, "default_value") and not socket.is_linked
    )
    return node.bl_idname, _plain_values(node, NODE_COMMON), _pointer_values(node), values


def _plain_values(struct: bpy.types.bpy_struct, ignored: frozenset[str]) -> Hashable:
    """Return the values of the struct's properties of PLAIN_TYPES, except `ignored`."""
    return tuple(
        _hashable(getattr(struct, prop.identifier))
        for prop in struct.bl_rna.properties
        if prop.type in PLAIN_TYPES and prop.identifier not in ignored
    )


def _pointer_values(node: bpy.types.Node) -> Hashable:
    """Return what a node points to, such as its image, apart from the editor's layout.

    Anything but a data-block, such as a color ramp, compares as different from all others, so that
    no materials are merged by mistake.
    """
    return tuple(
        _hashable(getattr(node, prop.identifier))
        for prop in node.bl_rna.properties
        if prop.type == "POINTER" and prop.identifier not in NODE_COMMON | IMPORTERS_LEAVE
    )


def _custom_properties(material: bpy.types.Material) -> Hashable:
    return tuple(sorted((name, str(value)) for name, value in material.items()))


def _hashable(value: Any) -> Hashable:
    """Return the value in a hashable form: vectors and colors are mutable and have no hash."""
    if isinstance(value, set):
        return frozenset(value)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
