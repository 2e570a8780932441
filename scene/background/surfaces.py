# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials with a Principled BSDF: made, found, and what feeds their inputs."""

from __future__ import annotations

import bpy


def surface_of(material: bpy.types.Material | None) -> bpy.types.ShaderNode | None:
    """Return the material's Principled BSDF, if it has one."""
    if material is None or material.node_tree is None:
        return None
    nodes = material.node_tree.nodes
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def new_material(name: str) -> bpy.types.Material:
    """Add a material with a Principled BSDF."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True  # Always on, and deprecated, since 5.0.
    return material


def colored_by_attribute(material: bpy.types.Material | None) -> bool:
    """Say whether a colour attribute, and no image, gives the base colour."""
    surface = surface_of(material)
    if surface is None:
        return False
    found = source_of(surface.inputs["Base Color"])
    return found is not None and found.type == "VERTEX_COLOR"


def source_of(socket: bpy.types.NodeSocket, depth: int = 4) -> bpy.types.Node | None:
    """Find the image or colour attribute that feeds the socket, through at most `depth` nodes."""
    if not socket.is_linked or not depth:
        return None
    node = socket.links[0].from_node
    if node.type == "VERTEX_COLOR" or (node.type == "TEX_IMAGE" and node.image):
        return node
    found = (source_of(each, depth - 1) for each in node.inputs)
    return next((each for each in found if each is not None), None)
