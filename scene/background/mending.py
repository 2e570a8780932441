# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn what an importer left in the file into one clear model that stands on the ground."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .refusal import Refusal
from .welding import Floats, weld

# Where Blender's glTF importer hides the shapes it draws bones with.
HELPERS = "glTF_not_exported"
SHARP_ANGLE = np.radians(60.0)


def mend(name: str, format_: str) -> bpy.types.Object:
    """Mend what was imported into the scene, remove the rest, and return the model's root.

    One mesh stays alone, several get an Empty above them. Raise Refusal if there is no face.
    """
    meshes = _imported_meshes()
    if not meshes:
        raise Refusal("bad_mesh", "The mesh file holds no faces.", "Generate the mesh again.")
    worlds = [thing.matrix_world.copy() for thing in meshes]
    for thing, world in zip(meshes, worlds, strict=True):
        _apply_transforms(thing, world)
    _remove_all_but(meshes)
    for thing in meshes:
        weld(thing.data)
        if format_ in ("glb", "gltf"):
            _smooth_if_faceted(thing.data)
    _stand_on_the_ground(meshes)
    return _root(name, meshes)


def model_objects(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the root and everything under it."""
    return [root, *root.children_recursive]


def face_count(root: bpy.types.Object) -> int:
    """Count the faces of all meshes of the model."""
    return sum(len(thing.data.polygons) for thing in model_objects(root) if thing.type == "MESH")


def height(root: bpy.types.Object) -> float:
    """Return the model's height in metres; its lowest point is at zero."""
    tops = [_bounds(thing.data)[1][2] for thing in model_objects(root) if thing.type == "MESH"]
    return float(max(tops))


def _imported_meshes() -> list[bpy.types.Object]:
    """Return the scene's objects that have faces, without those that only draw bones."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    hidden = {
        thing
        for collection in scene.collection.children_recursive
        if collection.name.startswith(HELPERS)
        for thing in collection.all_objects
    }
    return [
        thing
        for thing in scene.objects
        if thing.type == "MESH" and thing.data.polygons and thing not in hidden
    ]


def _apply_transforms(thing: bpy.types.Object, world: Matrix) -> None:
    """Move parents, scale and rotation into the mesh, which becomes the object's own."""
    thing.animation_data_clear()
    thing.modifiers.clear()
    thing.vertex_groups.clear()
    thing.parent = None
    if thing.data.users > 1:
        thing.data = thing.data.copy()
    if thing.data.shape_keys:
        thing.shape_key_clear()
    thing.data.transform(world)
    if world.determinant() < 0.0:
        thing.data.flip_normals()
    thing.rotation_mode = "XYZ"  # the glTF importer's quaternions are nothing to turn by hand
    thing.matrix_world = Matrix()


def _remove_all_but(meshes: list[bpy.types.Object]) -> None:
    """Leave only the meshes in the scene, linked to its own collection."""
    scene = bpy.context.scene
    bpy.data.batch_remove([thing for thing in scene.objects if thing not in meshes])
    bpy.data.batch_remove(list(scene.collection.children_recursive))
    for thing in meshes:
        if thing.name not in scene.collection.objects:
            scene.collection.objects.link(thing)
        thing.hide_set(False)
        thing.hide_viewport = thing.hide_render = False


def _smooth_if_faceted(mesh: bpy.types.Mesh) -> None:
    """Shade smooth what came without normals; edges over 60 degrees stay sharp.

    glTF 2.0 (3.7.2.1) asks for flat normals where a file has none, and Blender's importer obeys;
    TripoSR's meshes are such files and are meant to look round.
    """
    flat = mesh.attributes.get("sharp_face")
    if flat is None:
        return
    values = np.empty(len(mesh.polygons), np.bool_)
    flat.data.foreach_get("value", values)
    if values.all():
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=SHARP_ANGLE)


def _stand_on_the_ground(meshes: list[bpy.types.Object]) -> None:
    bounds = [_bounds(thing.data) for thing in meshes]
    low = np.min([low for low, _ in bounds], axis=0)
    high = np.max([high for _, high in bounds], axis=0)
    middle = (low + high) / 2
    offset = Matrix.Translation(-Vector((middle[0], middle[1], low[2])))
    for thing in meshes:
        thing.data.transform(offset)


def _bounds(mesh: bpy.types.Mesh) -> tuple[Floats, Floats]:
    positions = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", positions)
    positions = positions.reshape(-1, 3)
    low, high = positions.min(axis=0), positions.max(axis=0)
    if not np.isfinite(high - low).all():
        raise Refusal("bad_mesh", "The mesh has points without a place.", "Generate it again.")
    return low, high


def _root(name: str, meshes: list[bpy.types.Object]) -> bpy.types.Object:
    if len(meshes) == 1:
        meshes[0].name = meshes[0].data.name = name
        return meshes[0]
    for number, thing in enumerate(meshes, 1):
        thing.name = thing.data.name = f"{name} {number}"
    root = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(root)
    for thing in meshes:
        thing.parent = root
    return root
