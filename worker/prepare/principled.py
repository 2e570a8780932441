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
    """Say whether a color attribute, and no image, gives the base color."""
    surface = surface_of(material)
    if surface is None:
        return False
    sources = {node.type for node in sources_of(surface.inputs["Base Color"])}
    return sources == {"VERTEX_COLOR"}


def sources_of(socket: bpy.types.NodeSocket, depth: int = 4) -> list[bpy.types.Node]:
    """Find the images and color attributes that feed the socket, through at most `depth` nodes."""
    if not socket.is_linked or not depth:
        return []
    node = socket.links[0].from_node
    if node.type == "VERTEX_COLOR" or (node.type == "TEX_IMAGE" and node.image):
        return [node]
    return [source for each in node.inputs for source in sources_of(each, depth - 1)]
