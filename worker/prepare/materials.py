# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean up materials: wire vertex colors, pack textures, and set names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import bpy

from ..edits.baking import bake_own_colors
from ..import_options import ImportOptions
from ..refusal import Message
from .dedupe_materials import merge_duplicate_materials
from .principled import find_principled, uses_color_attribute
from .vertex_colors import wire_vertex_colors
from .viewport_color import set_viewport_colors

DEFAULT = ImportOptions()
METALLIC, ROUGHNESS = 0.5, 0.5
"""The metallic value from which a surface with a base color texture, but without a metallic
texture, counts as a mistake; and the roughness that replaces a value out of range."""


def clean_up_materials(
    name: str, meshes: list[bpy.types.Object], folder: str, options: ImportOptions = DEFAULT
) -> list[str]:
    """Clean up the materials of the meshes as `options` say, and return notes for the user.

    Vertex colors are wired or baked, textures are packed, values are fixed, and all materials and
    images are named after `name`. `folder` is the folder of the mesh file. Textures that are
    missing or outside of it are removed: a downloaded mesh must not read the user's own files.
    """
    if options.colors != "kept":
        wire_vertex_colors(name, list(dict.fromkeys(obj.data for obj in meshes)))
    notes = _pack_textures(_materials(meshes), Path(folder).resolve())
    if options.colors == "baked":
        _bake_colors(name, meshes)
    if options.tidy:
        merge_duplicate_materials([obj.data for obj in meshes])
    materials = _materials(meshes)
    if options.metals:
        for material in materials:
            _fix_surface(material)
    if options.texture_limit:
        _limit_textures(materials, options.texture_limit)
    _name_materials(name, materials)
    _name_images(name, materials)
    set_viewport_colors(meshes)
    return notes


def _materials(meshes: list[bpy.types.Object]) -> list[bpy.types.Material]:
    """Return the materials in use, including those linked to objects rather than meshes."""
    slots = (slot.material for obj in meshes for slot in obj.material_slots)
    return list(dict.fromkeys(material for material in slots if material))


def _bake_colors(name: str, meshes: list[bpy.types.Object]) -> None:
    """Bake vertex colors into textures, and remove the materials that are replaced."""
    before = _materials(meshes)
    for obj in meshes:
        if any(uses_color_attribute(material) for material in obj.data.materials):
            bake_own_colors(obj, name)
    bpy.data.batch_remove(set(before) - set(_materials(meshes)))


def _fix_surface(material: bpy.types.Material) -> None:
    """Fix values that make a model black by mistake or that are out of range.

    Exporters of painted models often omit the metallic value, which by the glTF specification makes
    the material fully metallic. Textured values stay, and so does metal without a base color
    texture. Textures of metallic and roughness become non-color data.
    """
    surface = find_principled(material)
    if surface is None:
        return
    metallic, roughness = surface.inputs["Metallic"], surface.inputs["Roughness"]
    if not metallic.is_linked:
        value = metallic.default_value
        is_painted = surface.inputs["Base Color"].is_linked
        if not 0.0 <= value <= 1.0 or (is_painted and value >= METALLIC):
            metallic.default_value = 0.0
    if not roughness.is_linked and not 0.0 <= roughness.default_value <= 1.0:  # guard: roughness-0
        roughness.default_value = ROUGHNESS
    for socket in (metallic, roughness):
        for node in _find_image_nodes(socket):
            if not node.image.colorspace_settings.is_data:
                # Importers of formats without color spaces read these textures as sRGB.
                node.image.colorspace_settings.is_data = True


def _find_image_nodes(
    socket: bpy.types.NodeSocket, depth: int = 3
) -> list[bpy.types.ShaderNodeTexImage]:
    if not socket.is_linked or not depth:
        return []
    node = socket.links[0].from_node
    if node.type == "TEX_IMAGE":
        return [node] if node.image else []
    return [
        image_node
        for node_input in node.inputs
        for image_node in _find_image_nodes(node_input, depth - 1)
    ]


def _limit_textures(materials: list[bpy.types.Material], limit: int) -> None:
    for image in {node.image for node in _textures(materials)}:
        longest = max(image.size)
        if longest > limit:
            sides = (max(1, round(side * limit / longest)) for side in image.size)
            image.scale(*sides)
            # Scaling changes the buffer only: the packed file still has the old size.
            image.pack()


def _textures(
    materials: list[bpy.types.Material],
) -> dict[bpy.types.ShaderNodeTexImage, bpy.types.NodeTree]:
    """Return the image nodes that have an image, with their node trees."""
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
    return [Message("Textures not found: {count}.", count=lost)] if lost else []


def _pack(image: bpy.types.Image, folder: Path) -> bool:
    # The file may have been written on Windows, and backslashes separate folders only there.
    named = bpy.path.abspath(image.filepath)
    if not Path(named).is_file():
        named = named.replace("\\", "/")  # guard: texture-behind-backslash
        image.filepath = named
    path = Path(named).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return False
    image.pack()
    return bool(image.packed_file)


def _name_materials(name: str, materials: list[bpy.types.Material]) -> None:
    """Name the materials `name`, followed by a number if there are several."""
    for number, material in enumerate(materials, 1):
        wanted = name if len(materials) == 1 else f"{name} {number}"
        if material.name != wanted:
            material.name = wanted


def _name_images(name: str, materials: list[bpy.types.Material]) -> None:
    """Name each image after the model and the input that it feeds, such as "photo roughness".

    If several images feed the same input, the material's name is used: "photo 2 roughness". The
    base color's image has the name alone.
    """
    owners: dict[bpy.types.Image, tuple[str, str]] = {}
    for material in materials:
        for node in _textures([material]):
            owners.setdefault(node.image, (material.name, _find_inputs(node)))
    uses = Counter(use for _, use in owners.values())
    for image, (owner, use) in owners.items():
        whose = name if uses[use] == 1 else owner
        wanted = whose if use in ("", "base color") else f"{whose} {use}"
        if image.name != wanted:
            image.name = wanted
        if image.packed_file:
            image.filepath_raw = f"//{image.name}.{_suffix(image)}"


def _find_inputs(node: bpy.types.Node, depth: int = 3) -> str:
    """Return the names, in lowercase, of the Principled inputs that a node feeds.

    At most `depth` other nodes may lie in between. The names are joined with a space; only two are
    kept, and only "base color" if it is among them.
    """
    uses: list[str] = []
    for link in (link for output in node.outputs for link in output.links):
        if link.to_node.type == "BSDF_PRINCIPLED":
            uses.append(link.to_socket.name.lower())
        elif depth:
            uses.append(_find_inputs(link.to_node, depth - 1))
    distinct = list(dict.fromkeys(use for use in uses if use))
    return "base color" if "base color" in distinct else " ".join(distinct[:2])


def _suffix(image: bpy.types.Image) -> str:
    """Return the packed file's suffix, judged by its first bytes.

    `Image.file_format` is not used, since it would decode the whole image.
    """
    head = bytes(image.packed_file.data[:12])
    return "jpg" if head[:2] == b"\xff\xd8" else "webp" if head[8:] == b"WEBP" else "png"
