# SPDX-License-Identifier: GPL-3.0-or-later
"""What a surface looks like, as textures of another one: Cycles bakes, on the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..prepare.principled import colored_by_attribute, new_material, surface_of

SMALLEST, LARGEST = 512, 4096
TEXELS_PER_FACE = 24
REACH = 0.02
"""How far beside its surface a new mesh looks for the old one, as a part of its diagonal."""
ISLAND_MARGIN = 0.003
ANGLE = np.radians(66.0)
DATA = frozenset({"Metallic", "Roughness", "Normal"})

Watch = Callable[[float, str], None]


def bake_own_colors(obj: bpy.types.Object, name: str) -> None:
    """Put a mesh's vertex colors into a texture of its own."""
    if not obj.data.uv_layers:
        unwrap(obj)
    image = _new_image(name, _side_for(len(obj.data.polygons)), "Base Color")
    with _bake_settings(), _shown_as_light([obj], "Base Color"):
        for material in {each for each in obj.data.materials if each}:
            _aim(material, image)
        _bake([obj], obj, "EMIT")
    image.pack()
    before = list(obj.data.materials)
    made = {material: _with_texture(material, image) for material in {*before} if material}
    for slot, material in enumerate(before):
        if material:
            obj.data.materials[slot] = made[material]


def _with_texture(material: bpy.types.Material, image: bpy.types.Image) -> bpy.types.Material:
    """Return a copy of a material in which the image takes the place of vertex colors."""
    shown = material.copy()
    nodes = shown.node_tree.nodes
    if colored_by_attribute(shown):
        _feed(shown, image, "Base Color")
    elif (aimed := nodes.get("Bake")) is not None:
        nodes.remove(aimed)
    for node in [one for one in nodes if one.type == "VERTEX_COLOR"]:
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
    target: bpy.types.Object, sources: list[bpy.types.Object], name: str, side: int, watch: Watch
) -> bpy.types.Material:
    """Give `target`, which has UVs, one material that shows what `sources` look like.

    Base color and the old surface's normals always; metal and roughness as one value where all
    sources have the same.
    """
    material = new_material(name)
    surface = surface_of(material)
    assert surface is not None
    target.data.materials.clear()
    target.data.materials.append(material)
    wanted = ["Base Color", "Normal"]
    for use in ("Metallic", "Roughness"):
        values = _values(sources, use)
        if len(values) == 1 and (value := values.pop()) is not None:
            surface.inputs[use].default_value = value
        elif values:
            wanted.append(use)
    for number, use in enumerate(wanted):
        watch(number / len(wanted), BAKING[use])
        image = _new_image(f"{name} {use.lower()}", side, use)
        _aim(material, image)
        with _bake_settings():
            if use == "Normal":
                _bake(sources, target, "NORMAL")
            else:
                with _shown_as_light(sources, use):
                    _bake(sources, target, "EMIT")
        image.pack()
        _feed(material, image, use)
    return material


def unwrap(obj: bpy.types.Object) -> None:
    """Lay the mesh's faces out in a new UV map."""
    while obj.data.uv_layers:
        obj.data.uv_layers.remove(obj.data.uv_layers[0])
    obj.data.uv_layers.new(name="UVMap")
    _select([obj], obj)
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.uv.smart_project(angle_limit=ANGLE, island_margin=ISLAND_MARGIN)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def texture_side(objects: list[bpy.types.Object], faces: int) -> int:
    """Return how large a texture must be to keep what the things' own ones show."""
    sides = [
        max(node.image.size)
        for obj in objects
        for material in obj.data.materials
        if material and material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    ]
    return min(max([*sides, SMALLEST]), LARGEST) if sides else _side_for(faces)


def _side_for(faces: int) -> int:
    side = SMALLEST
    while side < LARGEST and side * side < faces * TEXELS_PER_FACE:
        side *= 2
    return side


def _new_image(name: str, side: int, use: str) -> bpy.types.Image:
    image = bpy.data.images.new(name, side, side)
    if use in DATA:
        image.colorspace_settings.name = "Non-Color"
    return image


def _values(objects: list[bpy.types.Object], use: str) -> set[float | None]:
    """Return what an input of the surfaces is set to, None where something is linked to it."""
    surfaces = (surface_of(material) for obj in objects for material in obj.data.materials)
    inputs = (surface.inputs[use] for surface in surfaces if surface is not None)
    return {None if one.is_linked else one.default_value for one in inputs}


def _aim(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Make the image what the next bake writes to."""
    nodes = material.node_tree.nodes
    node = next((one for one in nodes if one.name == "Bake"), None)
    if node is None:
        node = nodes.new("ShaderNodeTexImage")
        node.name = "Bake"
    node.image = image
    nodes.active = node


def _feed(material: bpy.types.Material, image: bpy.types.Image, use: str) -> None:
    """Feed an input of the material's surface with the image."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    aimed = nodes.get("Bake")
    if aimed is not None:
        nodes.remove(aimed)
    surface = surface_of(material)
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
    scene.cycles.samples = 1
    scene.cycles.device = "CPU"
    scene.cycles.use_denoising = False
    scene.render.bake.margin = 8
    # The colors as they are, whatever the view would make of them.
    yield


@contextmanager
def _shown_as_light(objects: list[bpy.types.Object], use: str) -> Iterator[None]:
    """Let the surfaces shine with what feeds one of their inputs, so that a bake sees it bare."""
    undo: list[tuple[bpy.types.NodeTree, bpy.types.Node, bpy.types.NodeSocket | None]] = []
    for material in {each for obj in objects for each in obj.data.materials if each}:
        surface = surface_of(material)
        output = _output(material)
        if surface is None or output is None:
            continue
        tree, socket = material.node_tree, surface.inputs[use]
        shown = tree.nodes.new("ShaderNodeEmission")
        if socket.is_linked:
            tree.links.new(socket.links[0].from_socket, shown.inputs["Color"])
        else:
            value = socket.default_value
            plain = tuple(value) if use == "Base Color" else (value, value, value, 1.0)
            shown.inputs["Color"].default_value = plain
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
    layer.update()
    for obj in layer.objects:
        obj.select_set(obj in objects)
    layer.objects.active = active
