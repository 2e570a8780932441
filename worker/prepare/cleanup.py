# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the objects that an importer created into one tidy model on the ground."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..import_options import ImportOptions
from ..mesh.arrays import drop_selections, read
from ..mesh.merge_vertices import merge_vertices
from ..mesh.orientation import recalculate_outside
from ..names import short_name
from ..refusal import Refusal
from .evaluated_objects import detach_objects
from .visible_surface import check_surface, world_bounds

DEFAULT = ImportOptions()

# Collection in which Blender's glTF importer puts the custom shapes of bones.
BONE_SHAPES = "glTF_not_exported"


def clean_up(name: str, format_: str, options: ImportOptions = DEFAULT) -> bpy.types.Object:
    """Clean up the imported scene, and return the model's root object.

    With `options.tidy`, everything but meshes is removed. With `options.apply_transforms` as well,
    a single mesh is its own root. Otherwise, the root is an Empty. Raise Refusal if there are no
    faces or no visible surface.
    """
    meshes = _imported_meshes()
    if not meshes:
        raise Refusal("bad_mesh", "The mesh file has no faces.", "Generate the mesh again.")
    if options.tidy:
        detach_objects(meshes, apply=options.apply_transforms)
        _remove_all_but(meshes)
    else:
        _remove_bone_shapes(meshes)
    # Merging rebuilds the mesh from its attributes, which do not include vertex groups.
    skinned = {obj.data for obj in meshes if obj.vertex_groups}
    check_surface(meshes)
    for mesh in dict.fromkeys(obj.data for obj in meshes):
        _clean_mesh(mesh, format_, options, merge_doubles=options.weld and mesh not in skinned)
    empty = [obj for obj in meshes if not obj.data.polygons]
    bpy.data.batch_remove(empty)
    meshes = [obj for obj in meshes if obj not in empty]
    return _root(name, meshes, alone=options.tidy and options.apply_transforms)


def model_objects(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the root and all its descendants."""
    return [root, *root.children_recursive]


def model_meshes(root: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the model's mesh objects."""
    return [obj for obj in model_objects(root) if obj.type == "MESH"]


def face_count(root: bpy.types.Object) -> int:
    """Return the total number of faces in the model's meshes."""
    return sum(len(obj.data.polygons) for obj in model_meshes(root))


def height(root: bpy.types.Object) -> float:
    """Return the height in meters of a model that stands at zero; hidden objects do not count."""
    return float(world_bounds([obj for obj in model_meshes(root) if not obj.hide_viewport])[1][2])


def _clean_mesh(
    mesh: bpy.types.Mesh, format_: str, options: ImportOptions, *, merge_doubles: bool
) -> None:
    if merge_doubles and not mesh.shape_keys:
        merge_vertices(mesh)
    if options.outward:
        recalculate_outside(mesh)
    if options.normals == "angle":
        _smooth(mesh, options.angle)
    elif options.normals == "auto" and format_ in ("glb", "gltf"):
        _smooth_if_faceted(mesh, options.angle)
    _drop_redundant_attributes(mesh)


def _drop_redundant_attributes(mesh: bpy.types.Mesh) -> None:
    """Remove attributes without information: selections, and a face sharpness that is all False.

    Each attribute costs time when the artist's Blender appends the model.
    """
    drop_selections(mesh)
    flat = mesh.attributes.get("sharp_face")
    if flat is not None and not read(flat.data, "value", np.bool_).any():
        mesh.attributes.remove(flat)


def _imported_meshes() -> list[bpy.types.Object]:
    """Return the scene's mesh objects that have faces, without the custom shapes of bones."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    hidden = {
        obj
        for collection in scene.collection.children_recursive
        if collection.name.startswith(BONE_SHAPES)
        for obj in collection.all_objects
    }
    return [
        obj
        for obj in scene.objects
        if obj.type == "MESH" and obj.data.polygons and obj not in hidden
    ]


def _remove_all_but(meshes: list[bpy.types.Object]) -> None:
    """Remove all other objects and all collections; link the meshes to the scene itself."""
    scene = bpy.context.scene
    bpy.data.batch_remove([obj for obj in scene.objects if obj not in meshes])
    _link_to_scene(meshes)


def _remove_bone_shapes(meshes: list[bpy.types.Object]) -> None:
    """Remove the custom shapes of bones and all collections; link other objects to the scene."""
    scene = bpy.context.scene
    helpers = [
        obj
        for collection in scene.collection.children_recursive
        if collection.name.startswith(BONE_SHAPES)
        for obj in collection.all_objects
        if obj not in meshes
    ]
    bpy.data.batch_remove(helpers)
    _link_to_scene(list(scene.objects))


def _link_to_scene(objects: list[bpy.types.Object]) -> None:
    scene = bpy.context.scene
    bpy.data.batch_remove(list(scene.collection.children_recursive))
    for obj in objects:
        if obj.name not in scene.collection.objects:
            scene.collection.objects.link(obj)


def _smooth_if_faceted(mesh: bpy.types.Mesh, angle: float) -> None:
    """Shade smooth if all faces are flat; edges sharper than `angle` radians stay sharp.

    For files without normals, glTF 2.0 (section 3.7.2.1) requires flat shading, and Blender's
    importer complies. But generated meshes may lack normals and still be meant to look round.
    """
    flat = mesh.attributes.get("sharp_face")
    if flat is None:
        return
    values = np.empty(len(mesh.polygons), np.bool_)
    flat.data.foreach_get("value", values)
    if values.all():
        _smooth(mesh, angle)


def _smooth(mesh: bpy.types.Mesh, angle: float) -> None:
    if mesh.has_custom_normals:  # Zero vectors reset to Blender's own normals.
        mesh.normals_split_custom_set(np.zeros((len(mesh.loops), 3), np.float32))
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=angle)


def _root(name: str, meshes: list[bpy.types.Object], *, alone: bool) -> bpy.types.Object:
    """Name the objects and return the model's root, its origin at the center of the bottom.

    `alone`: transforms are applied to the meshes, so that a single mesh can be the root itself.
    """
    low, high = world_bounds([obj for obj in meshes if not obj.hide_viewport])
    offset = Matrix.Translation(-Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2])))
    if alone:
        for obj in meshes:
            obj.data.transform(offset)
    if alone and len(meshes) == 1:
        meshes[0].name = meshes[0].data.name = name
        return meshes[0]
    # Before the root exists: it must not become its own child.
    tops = [obj for obj in bpy.context.scene.objects if obj.parent is None]
    _name_all(name, meshes)
    root = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(root)
    for obj in tops:
        obj.parent = root
        if not alone:  # Its own transform may be animated.
            obj.matrix_parent_inverse = offset  # guard: offset-beside-animation
    bpy.context.view_layer.update()
    return root


def _name_all(name: str, meshes: list[bpy.types.Object]) -> None:
    """Give all objects the model's name: meshes with a number, others with their own short name."""
    for obj in bpy.context.scene.objects:
        if obj not in meshes:
            obj.name = f"{name} {short_name(obj.name)[:16]}".strip()
    for number, obj in enumerate(meshes, 1):
        obj.name = obj.data.name = f"{name} {number}"
