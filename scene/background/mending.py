# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn what an importer left in the file into one clear model that stands on the ground."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .choices import Mending
from .mesh_arrays import drop_selections, positions_of, read
from .names import clear_name
from .normals import transform_normals
from .refusal import Refusal
from .shapes import turn_outward
from .welding import Floats, weld

DEFAULT = Mending()

# Where Blender's glTF importer hides the shapes it draws bones with.
HELPERS = "glTF_not_exported"


def mend(name: str, format_: str, options: Mending = DEFAULT) -> bpy.types.Object:
    """Mend what was imported into the scene, remove the rest, and return the model's root.

    One mesh stays alone, several get an Empty above them. Raise Refusal if there is no face.
    """
    meshes = _imported_meshes()
    if not meshes:
        raise Refusal("bad_mesh", "The mesh file holds no faces.", "Generate the mesh again.")
    if options.tidy:
        worlds = [thing.matrix_world.copy() for thing in meshes]
        for thing, world in zip(meshes, worlds, strict=True):
            _set_free(thing, world, apply=options.apply_transforms)
        _remove_all_but(meshes)
    else:
        _remove_helpers(meshes)
    for mesh in dict.fromkeys(thing.data for thing in meshes):
        _mend_mesh(mesh, format_, options)
    return _root(name, meshes, alone=options.tidy and options.apply_transforms)


def model_objects(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the root and everything under it."""
    return [root, *root.children_recursive]


def model_meshes(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return those of the model's objects that have faces."""
    return [thing for thing in model_objects(root) if thing.type == "MESH"]


def face_count(root: bpy.types.Object) -> int:
    """Count the faces of all meshes of the model."""
    return sum(len(thing.data.polygons) for thing in model_meshes(root))


def height(root: bpy.types.Object) -> float:
    """Return the model's height in metres; its lowest point is at zero."""
    return float(bounds(model_meshes(root))[1][2])


def bounds(things: list[bpy.types.Object]) -> tuple[Floats, Floats]:
    """Return the lowest and the highest corner of mesh objects in the world.

    Raise Refusal where a mesh has points without a place.
    """
    bpy.context.view_layer.update()
    boxes = [_bounds(thing.data, thing.matrix_world) for thing in things]
    low = np.min([low for low, _ in boxes], axis=0)
    return low, np.max([high for _, high in boxes], axis=0)


def _mend_mesh(mesh: bpy.types.Mesh, format_: str, options: Mending) -> None:
    if options.weld and not mesh.shape_keys:
        weld(mesh)
    if options.outward:
        turn_outward(mesh)
    if options.normals == "angle":
        _smooth(mesh, options.angle)
    elif options.normals == "auto" and format_ in ("glb", "gltf"):
        _smooth_if_faceted(mesh, options.angle)
    _drop_what_says_nothing(mesh)


def _drop_what_says_nothing(mesh: bpy.types.Mesh) -> None:
    """Remove selections, and marks of flat faces where there are none: less to append."""
    drop_selections(mesh)
    flat = mesh.attributes.get("sharp_face")
    if flat is not None and not read(flat.data, "value", np.bool_).any():
        mesh.attributes.remove(flat)


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


def _set_free(thing: bpy.types.Object, world: Matrix, *, apply: bool) -> None:
    """Take the object out of its hierarchy; `apply` moves scale and rotation into its own mesh."""
    thing.animation_data_clear()
    thing.modifiers.clear()
    thing.vertex_groups.clear()
    thing.parent = None
    if not apply:
        thing.matrix_world = world
        return
    if thing.data.users > 1:
        thing.data = thing.data.copy()
    if thing.data.shape_keys:
        thing.shape_key_clear()
    thing.data.transform(world)
    transform_normals(thing.data, world)
    if world.determinant() < 0.0:
        thing.data.flip_normals()
    thing.rotation_mode = "XYZ"  # the glTF importer's quaternions are nothing to turn by hand
    thing.matrix_world = Matrix()


def _remove_all_but(meshes: list[bpy.types.Object]) -> None:
    """Leave only the meshes in the scene, linked to its own collection."""
    scene = bpy.context.scene
    bpy.data.batch_remove([thing for thing in scene.objects if thing not in meshes])
    _link_to_scene(meshes)
    for thing in meshes:
        thing.hide_set(False)
        thing.hide_viewport = thing.hide_render = False


def _remove_helpers(meshes: list[bpy.types.Object]) -> None:
    """Leave the file's own objects as they are, without what the importer draws bones with."""
    scene = bpy.context.scene
    helpers = [
        thing
        for collection in scene.collection.children_recursive
        if collection.name.startswith(HELPERS)
        for thing in collection.all_objects
        if thing not in meshes
    ]
    bpy.data.batch_remove(helpers)
    _link_to_scene(list(scene.objects))


def _link_to_scene(things: list[bpy.types.Object]) -> None:
    scene = bpy.context.scene
    bpy.data.batch_remove(list(scene.collection.children_recursive))
    for thing in things:
        if thing.name not in scene.collection.objects:
            scene.collection.objects.link(thing)


def _smooth_if_faceted(mesh: bpy.types.Mesh, angle: float) -> None:
    """Shade smooth what came without normals; edges over the angle stay sharp.

    glTF 2.0 (3.7.2.1) asks for flat normals where a file has none, and Blender's importer obeys;
    TripoSR's meshes are such files and are meant to look round.
    """
    flat = mesh.attributes.get("sharp_face")
    if flat is None:
        return
    values = np.empty(len(mesh.polygons), np.bool_)
    flat.data.foreach_get("value", values)
    if values.all():
        _smooth(mesh, angle)


def _smooth(mesh: bpy.types.Mesh, angle: float) -> None:
    if mesh.has_custom_normals:  # Zeros stand for Blender's own.
        mesh.normals_split_custom_set(np.zeros((len(mesh.loops), 3), np.float32))
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=angle)


def _bounds(mesh: bpy.types.Mesh, world: Matrix) -> tuple[Floats, Floats]:
    positions = positions_of(mesh)
    if world != Matrix():
        turned = np.array(world, np.float32)
        positions = positions @ turned[:3, :3].T + turned[:3, 3]
    low, high = positions.min(axis=0), positions.max(axis=0)
    if not np.isfinite(high - low).all():
        raise Refusal("bad_mesh", "The mesh has points without a place.", "Generate it again.")
    return low, high


def _root(name: str, meshes: list[bpy.types.Object], *, alone: bool) -> bpy.types.Object:
    """Give the model one root whose origin is at the middle of its bottom, and names.

    `alone`: the meshes hold their own transforms, so that a single one can be the root.
    """
    low, high = bounds(meshes)
    offset = Matrix.Translation(-Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])))
    if alone:
        for thing in meshes:
            thing.data.transform(offset)
    if alone and len(meshes) == 1:
        meshes[0].name = meshes[0].data.name = name
        return meshes[0]
    tops = [thing for thing in bpy.context.scene.objects if thing.parent is None]
    _name_all(name, meshes)
    root = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(root)
    for thing in tops:
        if not alone:
            thing.matrix_world = offset @ thing.matrix_world
        thing.parent = root
    bpy.context.view_layer.update()
    return root


def _name_all(name: str, meshes: list[bpy.types.Object]) -> None:
    """Number the meshes after the picture; what else the file held keeps its own short name."""
    for thing in bpy.context.scene.objects:
        if thing not in meshes:
            thing.name = f"{name} {clear_name(thing.name)[:16]}".strip()
    for number, thing in enumerate(meshes, 1):
        thing.name = thing.data.name = f"{name} {number}"
