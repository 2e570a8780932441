# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the artist's changes to a result's materials when its mesh is swapped."""

from __future__ import annotations

import bpy

from ...jobs.custom_properties import NODES, SHAPE
from .imported_state import nodes_text


def keep_materials(old: bpy.types.Object, new: bpy.types.Object) -> None:
    """Put the artist's materials into the slots of the new mesh.

    A slot to which the artist assigned another material keeps that material. If the artist changed
    the imported material, the new mesh gets a copy of it with the new textures, unless it lacks a
    node for one of them. New materials without users are removed. Linked meshes, and objects that
    an earlier version of the add-on imported, stay as they are.
    """
    mesh = new.data
    # Without SHAPE, an earlier version imported the object, which marked no materials.
    if SHAPE not in old or mesh.library is not None:
        return
    for index, slot in enumerate(old.material_slots):
        kept = old.data.materials[index]
        if kept is None or slot.link == "OBJECT":
            continue
        ours = mesh.materials[index] if index < len(mesh.materials) else None
        if ours is None:
            if NODES not in kept:
                mesh.materials.append(kept)
        elif NODES not in kept:
            mesh.materials[index] = kept
        elif kept[NODES] != nodes_text(kept):
            mesh.materials[index] = _with_new_textures(kept, ours)
        if ours is not None and not ours.users:
            bpy.data.materials.remove(ours)


def _with_new_textures(kept: bpy.types.Material, ours: bpy.types.Material) -> bpy.types.Material:
    """Return a copy of a changed material with the textures and viewport color of the new one.

    If the changed material lacks a node for one of the textures, return the new one itself.
    """
    images = _images(ours)
    if images.keys() - _images(kept).keys():
        return ours
    copy = kept.copy()
    for name, image in images.items():
        copy.node_tree.nodes[name].image = image
    copy.diffuse_color = ours.diffuse_color
    return copy


def _images(material: bpy.types.Material) -> dict[str, bpy.types.Image]:
    """Return the image of each image texture node by the node's name; None for an empty node."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return {node.name: node.image for node in nodes if node.type == "TEX_IMAGE"}
