# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and create Principled BSDF materials, and trace the nodes that feed their inputs."""

from __future__ import annotations

import bpy


def find_principled(material: bpy.types.Material | None) -> bpy.types.ShaderNode | None:
    """Return the material's first Principled BSDF node, or None."""
    if material is None or material.node_tree is None:
        return None
    nodes = material.node_tree.nodes
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def new_material(name: str) -> bpy.types.Material:
    """Return a new material with a Principled BSDF."""
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True  # Always on, and deprecated, since 5.0.
    return material


def uses_color_attribute(material: bpy.types.Material | None) -> bool:
    """Return whether the base color comes from a color attribute alone, without an image."""
    surface = find_principled(material)
    if surface is None:
        return False
    sources = {node.type for node in find_sources(surface.inputs["Base Color"])}
    return sources == {"VERTEX_COLOR"}


def find_sources(socket: bpy.types.NodeSocket, depth: int = 4) -> list[bpy.types.Node]:
    """Return the image and color attribute nodes that feed the socket, within `depth` nodes."""
    if not socket.is_linked or not depth:
        return []
    node = socket.links[0].from_node
    if node.type == "VERTEX_COLOR" or (node.type == "TEX_IMAGE" and node.image):
        return [node]
    return [source for node_input in node.inputs for source in find_sources(node_input, depth - 1)]
