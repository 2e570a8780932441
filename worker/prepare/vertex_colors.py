# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect vertex colors that a file's materials do not use to the base color.

A color attribute that is the same everywhere never replaces the material's own color.
"""

from __future__ import annotations

from collections import defaultdict

import bpy
import numpy as np

from ..mesh.arrays import Floats, corners_of, read
from .principled import find_principled, new_material

STEP = 1.0 / 255.0
"""Smallest difference in an 8-bit color: less is rounding."""


def wire_vertex_colors(name: str, meshes: list[bpy.types.Mesh]) -> None:
    """Connect each mesh's varying color attribute to all base colors that have no input yet.

    A mesh that has colors but no materials gets a new material. Materials that other meshes use
    with another color attribute, or without one, are copied first.
    """
    users: dict[bpy.types.Material, dict[bpy.types.Mesh, str]] = defaultdict(dict)
    for mesh in meshes:
        if not any(mesh.materials):
            _add_material(name, mesh)
        plain = [
            material
            for material in dict.fromkeys(mesh.materials)
            if material and _is_plain(material)
        ]
        color = find_varying_color(mesh) if plain else ""
        for material in plain:
            users[material][mesh] = color
    for material, colors in users.items():
        _feed_users(material, colors)
    _name_colors(meshes)


def find_varying_color(mesh: bpy.types.Mesh) -> str:
    """Return the name of the first color attribute with more than one color, or "".

    The attribute that Blender renders by default is tried first.
    """
    names = [color.name for color in mesh.color_attributes]
    rendered = mesh.attributes.default_color_name
    names.sort(key=lambda name: name != rendered)
    return next((name for name in names if _extent(_used_colors(mesh, name)) >= STEP), "")


def _add_material(name: str, mesh: bpy.types.Mesh) -> None:
    """Give a mesh that has colors, but no materials, a material.

    A color attribute that is the same everywhere is connected to the base color. If it is white,
    the mesh gets no material, since white is the value of unset colors.
    """
    if not mesh.color_attributes or not mesh.polygons:
        return
    mesh.materials.clear()
    if find_varying_color(mesh):
        mesh.materials.append(new_material(name))
        return
    color = _used_colors(mesh, mesh.attributes.default_color_name or mesh.color_attributes[0].name)
    if color.min() < 1.0 - STEP:  # White is the value of unset colors.
        material = new_material(name)
        _link_color(material, mesh.color_attributes[0].name)
        mesh.materials.append(material)


def _is_plain(material: bpy.types.Material) -> bool:
    surface = find_principled(material)
    return surface is not None and not surface.inputs["Base Color"].is_linked


def _used_colors(mesh: bpy.types.Mesh, name: str) -> Floats:
    """Return the colors (n, 3) of all face corners, or of all vertices that faces use."""
    attribute = mesh.color_attributes[name]
    colors = read(attribute.data, "color", np.float32, 4)[:, :3]
    return colors[np.unique(corners_of(mesh))] if attribute.domain == "POINT" else colors


def _extent(colors: Floats) -> float:
    """Return the largest difference within a channel; NaN counts as no difference."""
    if not len(colors):
        return 0.0
    return float(np.nan_to_num(colors.max(axis=0) - colors.min(axis=0)).max())


def _feed_users(material: bpy.types.Material, colors: dict[bpy.types.Mesh, str]) -> None:
    wanted = list(dict.fromkeys(colors.values()))
    for color in wanted:
        if not color:
            continue  # guard: plain-colors-replace-nothing
        shown = material if len(wanted) == 1 else material.copy()  # guard: uncolored-keep-material
        _link_color(shown, color)
        for mesh in (mesh for mesh, own in colors.items() if own == color):
            for slot, before in enumerate(mesh.materials):
                if before == material:
                    mesh.materials[slot] = shown


def _link_color(material: bpy.types.Material, color: str) -> None:
    surface = find_principled(material)
    assert surface is not None
    node = material.node_tree.nodes.new("ShaderNodeVertexColor")
    node.layer_name, node.location = color, (surface.location.x - 220.0, surface.location.y)
    material.node_tree.links.new(node.outputs["Color"], surface.inputs["Base Color"])


def _name_colors(meshes: list[bpy.types.Mesh]) -> None:
    """Fill in the attribute's name in color nodes without a name, if all meshes agree on it.

    Without a name, such a node shows the active attribute, which may change while editing.
    """
    names: dict[bpy.types.Material, set[str]] = defaultdict(set)
    for mesh in meshes:
        for material in filter(None, mesh.materials):
            names[material].add(mesh.attributes.default_color_name or "")
    for material, attributes in names.items():
        for node in material.node_tree.nodes if material.node_tree else ():
            if node.type == "VERTEX_COLOR" and not node.layer_name and len(attributes) == 1:
                node.layer_name = next(iter(attributes))
