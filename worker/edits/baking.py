# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake materials to textures with Cycles on the CPU, also from one mesh to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..prepare.principled import find_principled, new_material, uses_color_attribute
from ..progress import Report

# Below 512, islands bleed into each other; above 4096, a bake takes too long.
MIN_SIZE, MAX_SIZE = 512, 4096
"""Texture sides in pixels."""
TEXELS_PER_FACE = 24
REACH = 0.02
"""Ray distance for baking between meshes, as a share of the new mesh's diagonal."""
ISLAND_MARGIN = 0.003
"""Share of the UV map: keeps islands apart in textures of 512 pixels and up."""
ANGLE = np.radians(66.0)
"""Smart UV Project's default angle."""
DATA = frozenset({"Metallic", "Roughness", "Normal"})
"""Inputs whose textures hold data rather than colors."""


def bake_own_colors(obj: bpy.types.Object, name: str) -> None:
    """Bake the object's vertex colors to a packed image.

    The object's materials are replaced by copies that use the image instead of vertex colors. An
    object without UVs is unwrapped first.
    """
    if not obj.data.uv_layers:
        unwrap(obj)
    image = _new_image(name, _side_for(len(obj.data.polygons)), "Base Color")
    with _bake_settings(), _emitting([obj], "Base Color"):
        for material in {material for material in obj.data.materials if material}:
            _set_bake_target(material, image)
        _bake([obj], obj, "EMIT")
    image.pack()
    before = list(obj.data.materials)
    made = {material: _with_texture(material, image) for material in {*before} if material}
    for slot, material in enumerate(before):
        if material:
            obj.data.materials[slot] = made[material]


def _with_texture(material: bpy.types.Material, image: bpy.types.Image) -> bpy.types.Material:
    """Return a copy of the material; the image replaces vertex colors if the material uses them."""
    shown = material.copy()
    nodes = shown.node_tree.nodes
    if uses_color_attribute(shown):
        _connect_image(shown, image, "Base Color")
    elif (aimed := nodes.get("Bake")) is not None:
        nodes.remove(aimed)
    for node in [node for node in nodes if node.type == "VERTEX_COLOR"]:
        if not any(output.is_linked for output in node.outputs):
            nodes.remove(node)
    return shown


BAKING = {
    "Base Color": "Baking base color",
    "Normal": "Baking normal",
    "Metallic": "Baking metallic",
    "Roughness": "Baking roughness",
}


def bake_over(
    target: bpy.types.Object, sources: list[bpy.types.Object], name: str, side: int, watch: Report
) -> bpy.types.Material:
    """Bake the appearance of `sources` to `target`, which must have UVs; return its new material.

    The new material replaces all materials of `target`. Base color and normals are always baked.
    Metallic and roughness are baked only if they are textured or vary within `sources`; otherwise,
    they become plain values. `side` is in pixels. `watch` is called with the progress.
    """
    material = new_material(name)
    surface = find_principled(material)
    assert surface is not None
    target.data.materials.clear()
    target.data.materials.append(material)
    wanted = ["Base Color", "Normal"]
    # A texture of one value would only take memory.
    for use in ("Metallic", "Roughness"):
        values = _values(sources, use)
        if len(values) == 1 and (value := values.pop()) is not None:
            surface.inputs[use].default_value = value
        elif values:
            wanted.append(use)
    for number, use in enumerate(wanted):
        watch(number / len(wanted), BAKING[use])
        image = _new_image(f"{name} {use.lower()}", side, use)
        _set_bake_target(material, image)
        with _bake_settings():
            if use == "Normal":
                _bake(sources, target, "NORMAL")
            else:
                with _emitting(sources, use):
                    _bake(sources, target, "EMIT")
        image.pack()
        _connect_image(material, image, use)
    return material


def unwrap(obj: bpy.types.Object) -> None:
    """Replace the mesh's UV maps with one from Smart UV Project."""
    while obj.data.uv_layers:
        obj.data.uv_layers.remove(obj.data.uv_layers[0])
    obj.data.uv_layers.new(name="UVMap")
    _select([obj], obj)
    # The UV operators work in Edit mode only.
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.uv.smart_project(angle_limit=ANGLE, island_margin=ISLAND_MARGIN)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def texture_side(objects: list[bpy.types.Object], faces: int) -> int:
    """Return the side, in pixels, for a texture as detailed as the objects' largest texture.

    If the objects have no textures, the side depends on the number of faces. The result is always
    from MIN_SIZE to MAX_SIZE.
    """
    sides = [
        max(node.image.size)
        for obj in objects
        for material in obj.data.materials
        if material and material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    ]
    return min(max([*sides, MIN_SIZE]), MAX_SIZE) if sides else _side_for(faces)


def _side_for(faces: int) -> int:
    side = MIN_SIZE
    while side < MAX_SIZE and side * side < faces * TEXELS_PER_FACE:
        side *= 2
    return side


def _new_image(name: str, side: int, use: str) -> bpy.types.Image:
    image = bpy.data.images.new(name, side, side)
    if use in DATA:
        image.colorspace_settings.name = "Non-Color"
    return image


def _values(objects: list[bpy.types.Object], use: str) -> set[float | None]:
    """Return the distinct values of an input of the materials' Principled BSDFs.

    None stands for a linked input.
    """
    surfaces = (find_principled(material) for obj in objects for material in obj.data.materials)
    inputs = (surface.inputs[use] for surface in surfaces if surface is not None)
    return {None if socket.is_linked else socket.default_value for socket in inputs}


def _set_bake_target(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Make the image the target of the next bake: Cycles bakes to the active image node."""
    nodes = material.node_tree.nodes
    node = next((node for node in nodes if node.name == "Bake"), None)
    if node is None:
        node = nodes.new("ShaderNodeTexImage")
        node.name = "Bake"
    node.image = image
    nodes.active = node


def _connect_image(material: bpy.types.Material, image: bpy.types.Image, use: str) -> None:
    """Connect the image to an input of the material's Principled BSDF; remove the bake target."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    aimed = nodes.get("Bake")
    if aimed is not None:
        nodes.remove(aimed)
    surface = find_principled(material)
    assert surface is not None
    row = 300.0 - 300.0 * ("Base Color", "Metallic", "Roughness", "Normal").index(use)
    node = nodes.new("ShaderNodeTexImage")
    node.image, node.location = image, (surface.location.x - 520.0, surface.location.y + row)
    if use != "Normal":
        links.new(node.outputs["Color"], surface.inputs[use])
        return
    bump = nodes.new("ShaderNodeNormalMap")
    bump.location = (surface.location.x - 220.0, surface.location.y + row)
    links.new(node.outputs["Color"], bump.inputs["Color"])
    links.new(bump.outputs["Normal"], surface.inputs[use])


@contextmanager
def _bake_settings() -> Iterator[None]:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    # A single sample: emission has no noise.
    scene.cycles.samples = 1
    # The background Blender may have no GPU, and a driver could crash it.
    scene.cycles.device = "CPU"
    scene.cycles.use_denoising = False
    # Pixels around each island, so that filtering does not mix in the empty background.
    scene.render.bake.margin = 8
    yield


@contextmanager
def _emitting(objects: list[bpy.types.Object], use: str) -> Iterator[None]:
    """While the block runs, make the materials emit the value of their input `use`, for EMIT bakes.

    Materials without a Principled BSDF or an output are unchanged.
    """
    undo: list[tuple[bpy.types.NodeTree, bpy.types.Node, bpy.types.NodeSocket | None]] = []
    for material in {material for obj in objects for material in obj.data.materials if material}:
        surface = find_principled(material)
        output = _output(material)
        if surface is None or output is None:
            continue
        tree, socket = material.node_tree, surface.inputs[use]
        shown = tree.nodes.new("ShaderNodeEmission")
        if socket.is_linked:
            tree.links.new(socket.links[0].from_socket, shown.inputs["Color"])
        else:
            value = socket.default_value
            color = tuple(value) if use == "Base Color" else (value, value, value, 1.0)
            shown.inputs["Color"].default_value = color
        before = output.inputs["Surface"]
        undo.append((tree, shown, before.links[0].from_socket if before.is_linked else None))
        tree.links.new(shown.outputs["Emission"], before)
    try:
        yield
    finally:
        for tree, shown, before in undo:
            into = next(iter(shown.outputs["Emission"].links)).to_socket
            if before is not None:
                tree.links.new(before, into)
            tree.nodes.remove(shown)


def _output(material: bpy.types.Material) -> bpy.types.ShaderNode | None:
    tree = material.node_tree
    return tree.get_output_node("CYCLES") or tree.get_output_node("ALL") if tree else None


def _bake(sources: list[bpy.types.Object], target: bpy.types.Object, kind: str) -> None:
    _select([*sources, target], target)
    over = sources != [target]
    # Relative to the model, since the file may be in any unit.
    reach = target.dimensions.length * REACH
    bpy.ops.object.bake(
        type=kind,
        use_selected_to_active=over,
        cage_extrusion=reach if over else 0.0,
        max_ray_distance=reach * 3.0 if over else 0.0,
        margin=8,
        use_clear=True,
    )


def _select(objects: list[bpy.types.Object], active: bpy.types.Object) -> None:
    layer = bpy.context.view_layer
    # Objects linked since the last evaluation are not selectable before.
    layer.update()
    for obj in layer.objects:
        obj.select_set(obj in objects)
    layer.objects.active = active
