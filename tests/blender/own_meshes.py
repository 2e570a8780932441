# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files written by the tests, one function for each feature of a format.

Each function writes to a folder and returns the file. Blender's own exporter writes the FBX files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from blender.writers import Gltf, ball, encode_png, write_obj, write_ply, write_stl
from mathutils import Euler, Matrix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

MESHES: dict[str, Callable[[Path], Path]] = {}
POINTS = np.array([(-1, 0, -1), (1, 0, -1), (1, 0, 1), (-1, 0, 1), (0, 2, 0)], np.float32)
FACES = np.array([(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4), (0, 2, 1), (0, 3, 2)], np.uint16)[
    :, ::-1
]
"""A pyramid in glTF's axes, its normals pointing outward."""
RED = {"pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.05, 0.03, 1], "metallicFactor": 0}}


def mesh(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """Register a function that writes a mesh file."""
    MESHES[write.__name__] = write
    return write


def pyramid(**more: Any) -> dict[str, NDArray[Any]]:
    return {"POSITION": POINTS, "indices": FACES.copy(), **more}


def bytes_of(*colors: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a color for each of the pyramid's points, cycling through the given ones."""
    return np.array([colors[number % len(colors)] for number in range(5)], np.uint8)


def one_node(path: Path, arrays: Any = None, material: Any = None, **node: Any) -> Path:
    file = Gltf()
    used = None if material is None else file.add("materials", **material)
    file.add("nodes", mesh=file.mesh(arrays or pyramid(), used), **node)
    return file.write(path / "mesh.glb")


@mesh
def glb_nodes_share_a_mesh(path: Path) -> Path:
    file = Gltf()
    shared = file.mesh(pyramid())
    file.add("nodes", mesh=shared)
    file.add("nodes", mesh=shared, translation=[4, 0, 0], scale=[0.2, 3, 1])
    file.add("nodes", mesh=shared, translation=[-4, 0, 0], scale=[-1, 1, 1])
    return file.write(path / "mesh.glb")


@mesh
def glb_shear_under_parents(path: Path) -> Path:
    file = Gltf()
    shared = file.mesh(pyramid())
    child = file.add("nodes", mesh=shared, rotation=[0, 0, 0.38268343, 0.92387953])
    parent = file.add("nodes", children=[child], scale=[3, 1, 0.5])
    other = file.add("nodes", mesh=shared, translation=[6, 0, 0])
    return file.write(path / "mesh.glb", [parent, other])


@mesh
def glb_mirrored(path: Path) -> Path:
    return one_node(path, ball(), scale=[1, -2, 1])


@mesh
def glb_instances(path: Path) -> Path:
    file = Gltf()
    locations = file.accessor(np.array([(0, 0, 0), (5, 0, 0), (0, 0, 7)], np.float32))
    sizes = file.accessor(np.array([(1, 1, 1), (2, 1, 1), (1, 3, 1)], np.float32))
    instances = {"attributes": {"TRANSLATION": locations, "SCALE": sizes}}
    file.add("nodes", mesh=file.mesh(pyramid()), extensions={"EXT_mesh_gpu_instancing": instances})
    return file.write(path / "mesh.glb")


def morphing(weights: list[float], /, **node: Any) -> tuple[Gltf, int]:
    """Return a pyramid with two morph targets: its tip rises, its base grows."""
    up, wide = np.zeros((5, 3), np.float32), np.zeros((5, 3), np.float32)
    up[4, 1], wide[:4] = 3.0, POINTS[:4]
    file = Gltf()
    shape = file.mesh(pyramid(), targets=[up, wide], weights=weights)
    return file, file.add("nodes", mesh=shape, **node)


@mesh
def glb_morph_of_the_mesh(path: Path) -> Path:
    return morphing([1.0, 0.0])[0].write(path / "mesh.glb")


@mesh
def glb_morphs_mixed(path: Path) -> Path:
    return morphing([0.5, 0.25], scale=[1, 1, 2])[0].write(path / "mesh.glb")


@mesh
def glb_morph_of_the_node(path: Path) -> Path:
    return morphing([0.0, 0.0], weights=[0.0, 1.0])[0].write(path / "mesh.glb")


@mesh
def glb_morph_over_one(path: Path) -> Path:
    return morphing([1.5, -0.5])[0].write(path / "mesh.glb")


def animate(file: Gltf, node: int, path: str, values: NDArray[Any]) -> None:
    times = file.accessor(np.array((0, 1), np.float32))
    sampler = {"input": times, "output": file.accessor(values.astype(np.float32))}
    target = {"node": node, "path": path}
    file.add("animations", samplers=[sampler], channels=[{"sampler": 0, "target": target}])


@mesh
def glb_morph_animated(path: Path) -> Path:
    file, node = morphing([0.0, 0.0])
    animate(file, node, "weights", np.array((1.0, 0.0, 0.0, 1.0)))
    return file.write(path / "mesh.glb")


@mesh
def glb_node_animated(path: Path) -> Path:
    file = Gltf()
    node = file.add("nodes", mesh=file.mesh(pyramid()))
    file.add("nodes", mesh=file.mesh(pyramid()), translation=[9, 0, 0])
    animate(file, node, "scale", np.array(((1, 5, 1), (1, 1, 1))))
    return file.write(path / "mesh.glb")


def skinned_pyramid(posed: bool) -> Gltf:
    """Return a pyramid whose tip is skinned to a second bone."""
    file = Gltf()
    joints, weights = np.zeros((5, 4), np.uint8), np.zeros((5, 4), np.float32)
    weights[:, 0], joints[4, 0] = 1.0, 1
    shape = file.mesh(pyramid(JOINTS_0=joints, WEIGHTS_0=weights))
    inverse = np.stack((np.eye(4), np.eye(4)))
    inverse[1, 3, 1] = -1.0
    file.add("nodes", mesh=shape, skin=0)
    file.add("nodes", children=[2])
    lean = {"rotation": [0, 0, 0.5, 0.8660254]} if posed else {}
    file.add("nodes", translation=[0, 1, 0], **lean)
    binds = file.accessor(inverse.reshape(2, 16).astype(np.float32))
    file.add("skins", joints=[1, 2], inverseBindMatrices=binds)
    return file


@mesh
def glb_skin_posed(path: Path) -> Path:
    return skinned_pyramid(posed=True).write(path / "mesh.glb", [0, 1])


@mesh
def glb_skin_animated(path: Path) -> Path:
    file = skinned_pyramid(posed=False)
    animate(file, 2, "rotation", np.array(((0, 0, 0.5, 0.8660254), (0, 0, 0, 1))))
    return file.write(path / "mesh.glb", [0, 1])


@mesh
def glb_white_colors(path: Path) -> Path:
    return one_node(path, pyramid(COLOR_0=bytes_of((255, 255, 255, 255))), RED)


@mesh
def glb_colors_times_factor(path: Path) -> Path:
    return one_node(path, pyramid(COLOR_0=bytes_of((255, 0, 0, 255), (0, 255, 0, 255))), RED)


@mesh
def glb_colors_alone(path: Path) -> Path:
    return one_node(path, pyramid(COLOR_0=bytes_of((255, 0, 0, 255), (0, 0, 255, 255))))


@mesh
def glb_colors_of_alpha_alone(path: Path) -> Path:
    return one_node(path, pyramid(COLOR_0=bytes_of((255, 255, 255, 0), (255, 255, 255, 255))), RED)


@mesh
def glb_second_colors(path: Path) -> Path:
    second = np.random.default_rng(1).random((5, 4), np.float32)
    white = bytes_of((255, 255, 255, 255))
    return one_node(path, pyramid(COLOR_0=white, COLOR_1=second), RED)


@mesh
def glb_zero_factors(path: Path) -> Path:
    zero = {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0},
            "extensions": {"KHR_materials_transmission": {"transmissionFactor": 0},
                           "KHR_materials_clearcoat": {"clearcoatFactor": 0},
                           "KHR_materials_specular": {"specularFactor": 0},
                           "KHR_materials_ior": {"ior": 1.0}}}  # fmt: skip
    return one_node(path, ball(), zero)


@mesh
def glb_plain_metal(path: Path) -> Path:
    return one_node(path, ball(), {"pbrMetallicRoughness": {"roughnessFactor": 0}})


@mesh
def obj_white_colors(path: Path) -> Path:
    return write_obj(path / "m.obj", POINTS, FACES, colors=np.ones((5, 3)),
                     material="Kd 0.8 0.1 0.1\nPr 0\nPm 1")  # fmt: skip


@mesh
def obj_colors_alone(path: Path) -> Path:
    return write_obj(path / "m.obj", POINTS, FACES, colors=bytes_of((255, 0, 0), (0, 1, 0)) / 255)


@mesh
def obj_shiny(path: Path) -> Path:
    return write_obj(path / "m.obj", POINTS, FACES, material="Kd 1 1 1\nNs 1000\nd 0.0\nNi 1.0")


@mesh
def obj_with_lines(path: Path) -> Path:
    return write_obj(path / "m.obj", POINTS, FACES, lines=["l 1 2 3", "p 4"])


@mesh
def obj_texture_behind_a_backslash(path: Path) -> Path:
    paint = np.full((8, 8, 3), 90, np.uint8)
    (path / "paint.png").write_bytes(encode_png(paint))
    return write_obj(path / "m.obj", POINTS, FACES, material="map_Kd .\\paint.png")


@mesh
def ply_colors(path: Path) -> Path:
    return write_ply(path / "m.ply", POINTS, FACES, bytes_of((255, 0, 0), (0, 0, 255)))


@mesh
def ply_white(path: Path) -> Path:
    return write_ply(path / "m.ply", POINTS, FACES, bytes_of((255, 255, 255)))


@mesh
def ply_one_color(path: Path) -> Path:
    return write_ply(path / "m.ply", POINTS, FACES, bytes_of((0, 99, 0)))


@mesh
def stl(path: Path) -> Path:
    return write_stl(path / "m.stl", POINTS[FACES])


# FBX, written by Blender's own exporter.


def fbx(path: Path, **options: Any) -> Path:
    bpy.context.view_layer.update()
    options = {"bake_anim": False, **options}
    bpy.ops.export_scene.fbx(filepath=str(path / "m.fbx"), **options)
    return path / "m.fbx"


def new_pyramid(**colors: NDArray[Any]) -> bpy.types.Object:
    """Return a red pyramid, alone in a new scene, with these color attributes by name."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    made = bpy.data.meshes.new("pyramid")
    made.from_pydata([(x, -z, y) for x, y, z in POINTS], [], FACES.tolist())
    for name, values in colors.items():
        layer = made.color_attributes.new(name, "BYTE_COLOR", "CORNER")
        corners = np.array([loop.vertex_index for loop in made.loops])
        layer.data.foreach_set("color", (values[corners] / 255).astype(np.float32).ravel())
    made.materials.append(new_paint((0.8, 0.05, 0.03)))
    return add_object(made)


def new_paint(color: tuple[float, ...]) -> bpy.types.Material:
    material = bpy.data.materials.new("paint")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = (*color, 1)
    return material


def add_object(data: bpy.types.Mesh, **locations: Any) -> bpy.types.Object:
    obj = bpy.data.objects.new("thing", data)
    bpy.context.scene.collection.objects.link(obj)
    for name, value in locations.items():
        setattr(obj, name, value)
    return obj


@mesh
def fbx_objects_share_a_mesh(path: Path) -> Path:
    first = new_pyramid()
    add_object(first.data, location=(4, 0, 0), scale=(0.25, 0.25, 2))
    add_object(first.data, location=(-4, 0, 0), scale=(-1, 1, 1))
    return fbx(path)


@mesh
def fbx_parent_with_scale(path: Path) -> Path:
    first = new_pyramid()
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.scale, parent.rotation_euler = (2, 2, 2), Euler((0.3, 0.2, 0.1))
    first.parent, first.location = parent, (1, 2, 3)
    add_object(first.data, parent=parent, scale=(0.1, 3, 0.1))
    return fbx(path)


@mesh
def fbx_in_inches(path: Path) -> Path:
    new_pyramid()
    bpy.context.scene.unit_settings.scale_length = 0.0254
    return fbx(path, apply_scale_options="FBX_SCALE_UNITS")


@mesh
def fbx_in_centimeters_z_up(path: Path) -> Path:
    new_pyramid()
    return fbx(path, axis_forward="Y", axis_up="Z", global_scale=100.0)


@mesh
def fbx_objects_with_other_materials(path: Path) -> Path:
    first = new_pyramid()
    other = add_object(first.data, location=(5, 0, 0))
    other.material_slots[0].link = "OBJECT"
    other.material_slots[0].material = new_paint((0, 0, 1))
    return fbx(path)


@mesh
def fbx_white_colors(path: Path) -> Path:
    new_pyramid(white=bytes_of((255, 255, 255, 255)))
    return fbx(path)


@mesh
def fbx_gray_colors(path: Path) -> Path:
    new_pyramid(gray=bytes_of((90, 90, 90, 255)))
    return fbx(path)


@mesh
def fbx_second_colors(path: Path) -> Path:
    new_pyramid(
        white=bytes_of((255, 255, 255, 255)), paint=bytes_of((255, 0, 0, 255), (0, 0, 255, 255))
    )
    return fbx(path)


@mesh
def fbx_colored_and_plain_share_a_material(path: Path) -> Path:
    first = new_pyramid(paint=bytes_of((0, 255, 0, 255), (0, 0, 255, 255)))
    plain = bpy.data.meshes.new("plain")
    plain.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    plain.materials.append(first.data.materials[0])
    add_object(plain, location=(5, 0, 0))
    return fbx(path)


@mesh
def fbx_shape_key(path: Path) -> Path:
    first = new_pyramid()
    first.shape_key_add(name="Basis")
    key = first.shape_key_add(name="up")
    key.data[4].co.z = 6.0
    key.value = 0.5
    return fbx(path)


@mesh
def fbx_armature_posed(path: Path) -> Path:
    first = new_pyramid()
    armature = bpy.data.objects.new("bones", bpy.data.armatures.new("bones"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.data.edit_bones.new("tip")
    bone.head, bone.tail = (0, 0, 1), (0, 0, 2)
    bpy.ops.object.mode_set(mode="OBJECT")
    first.parent = armature
    first.modifiers.new("bones", "ARMATURE").object = armature
    first.vertex_groups.new(name="tip").add([4], 1.0, "REPLACE")
    armature.pose.bones["tip"].matrix = Matrix.Translation((2, 0, 3))
    return fbx(path, bake_anim=True)


@mesh
def fbx_animated(path: Path) -> Path:
    first = new_pyramid()
    add_object(first.data, location=(9, 0, 0))
    first.location = (0, 0, 7)
    first.keyframe_insert("location", frame=1)
    first.location = (0, 0, 0)
    first.keyframe_insert("location", frame=20)
    return fbx(path, bake_anim=True)
