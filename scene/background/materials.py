# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that show what the file holds: colours wired, textures packed, names clear."""

from __future__ import annotations

from pathlib import Path

import bpy


def mend_materials(name: str, meshes: list[bpy.types.Object], folder: str) -> list[str]:
    """Wire vertex colours, pack textures, name everything after the picture.

    `folder` is the mesh file's: textures outside of it are the person's own files, to which a
    downloaded mesh has no claim. Return notes for the person.
    """
    for thing in meshes:
        _show_vertex_colors(name, thing.data)
    materials = list(
        dict.fromkeys(each for thing in meshes for each in thing.data.materials if each)
    )
    for number, material in enumerate(materials, 1):
        material.name = name if len(materials) == 1 else f"{name} {number}"
    notes = _pack_textures(materials, Path(folder).resolve())
    _name_images(name, materials)
    return notes


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


def _show_vertex_colors(name: str, mesh: bpy.types.Mesh) -> None:
    """Feed the colour attribute to every base colour that nothing else feeds."""
    if not mesh.color_attributes:
        return
    if not any(mesh.materials):
        mesh.materials.clear()
        mesh.materials.append(new_material(name))
    for material in mesh.materials:
        surface = surface_of(material)
        if surface is None:
            continue
        if not surface.inputs["Base Color"].is_linked:
            colors = material.node_tree.nodes.new("ShaderNodeVertexColor")
            colors.location = (surface.location.x - 220.0, surface.location.y)
            material.node_tree.links.new(colors.outputs["Color"], surface.inputs["Base Color"])
        for node in material.node_tree.nodes:
            if node.type == "VERTEX_COLOR" and not node.layer_name:
                node.layer_name = mesh.color_attributes[0].name


def _textures(
    materials: list[bpy.types.Material],
) -> dict[bpy.types.ShaderNodeTexImage, bpy.types.NodeTree]:
    """Return the materials' image nodes that have an image, and the tree of each."""
    return {
        node: material.node_tree
        for material in materials
        if material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    }


def _pack_textures(materials: list[bpy.types.Material], folder: Path) -> list[str]:
    lost = 0
    for image in {node.image for node in _textures(materials)}:
        if not image.packed_file and not _pack(image, folder):
            bpy.data.images.remove(image)
            lost += 1
    return [f"Textures that the mesh file names were not found: {lost}."] if lost else []


def _pack(image: bpy.types.Image, folder: Path) -> bool:
    path = Path(bpy.path.abspath(image.filepath)).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return False
    image.pack()
    return bool(image.packed_file)


def _name_images(name: str, materials: list[bpy.types.Material]) -> None:
    """Name each image after the picture and the input it feeds ("photo roughness")."""
    for node, tree in _textures(materials).items():
        uses = [link.to_socket.name for link in tree.links if link.from_node == node]
        use = uses[0].lower() if uses else ""
        image = node.image
        image.name = name if use in ("", "base color") else f"{name} {use}"
        image.filepath_raw = f"//{image.name}.{_suffix(image)}"


def _suffix(image: bpy.types.Image) -> str:
    """Tell the packed file's suffix by its bytes: `Image.file_format` would decode them all."""
    head = bytes(image.packed_file.data[:12])
    return "jpg" if head[:2] == b"\xff\xd8" else "webp" if head[8:] == b"WEBP" else "png"
