# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert objects of the imported scene to plain meshes that look the same."""

from __future__ import annotations

from collections import Counter

import bpy
import numpy as np
from mathutils import Matrix

from ..mesh.arrays import Floats, positions_of
from .gltf_normals import transform_normals

MATRIX_TOLERANCE = 1e-5
"""Largest difference between two matrices' elements that counts as rounding."""


def detach_objects(objects: list[bpy.types.Object], *, apply: bool) -> None:
    """Detach mesh objects from parents, armatures, shape keys, and animation; they look unchanged.

    Modifiers are applied, and constraints are removed. `apply` also applies location, rotation, and
    scale to each mesh. If all objects are hidden in the viewport, they become visible.
    """
    hidden = [obj for obj in objects if obj.hide_viewport]
    for obj in hidden:  # Hidden objects are not evaluated.
        obj.hide_viewport = False
    bpy.context.view_layer.update()
    worlds = [obj.matrix_world.copy() for obj in objects]
    _apply_deformation([obj for obj in objects if is_deformed(obj)])
    # Not `Mesh.users`: Blender's FBX importer leaves it at 1 for meshes that several objects share.
    uses = Counter(obj.data for obj in objects)
    for obj, world in zip(objects, worlds, strict=True):
        obj.animation_data_clear()
        obj.modifiers.clear()
        obj.constraints.clear()
        obj.vertex_groups.clear()
        obj.parent = None
        _move_materials_to_mesh(obj, uses)
        if apply:
            _apply(obj, world, uses)
        else:
            _place(obj, world, uses)
    for obj in hidden if len(hidden) < len(objects) else ():
        obj.hide_viewport = True  # guard: hidden-stays-hidden


def is_deformed(obj: bpy.types.Object) -> bool:
    """Return whether the object has shape keys or modifiers, which may change its shape."""
    return bool(obj.data.shape_keys or obj.modifiers)


def evaluated_positions(obj: bpy.types.Object) -> Floats:
    """Return the evaluated vertex positions (n, 3) in object space."""
    if not is_deformed(obj):
        return positions_of(obj.data)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return positions_of(obj.evaluated_get(depsgraph).data)


def _apply_deformation(objects: list[bpy.types.Object]) -> None:
    """Replace meshes with evaluated ones, with shape keys, armatures, and modifiers applied."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    # All before the first change, which would invalidate the evaluated objects.
    made = [
        bpy.data.meshes.new_from_object(
            obj.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
        )
        for obj in objects
    ]
    for obj, mesh in zip(objects, made, strict=True):
        obj.modifiers.clear()
        obj.shape_key_clear()
        obj.data = mesh  # guard: shape-as-shown


def _make_single_user(obj: bpy.types.Object, uses: Counter[bpy.types.Mesh]) -> None:
    """Give the object its own copy of its mesh if other objects use the same mesh.

    `uses` is the number of objects of each mesh; it is updated.
    """
    if uses[obj.data] > 1:  # guard: shared-mesh-copied
        uses[obj.data] -= 1
        obj.data = obj.data.copy()


def _move_materials_to_mesh(obj: bpy.types.Object, uses: Counter[bpy.types.Mesh]) -> None:
    """Move materials that are linked to the object to its mesh, which first becomes single-user."""
    own = [slot for slot in obj.material_slots if slot.link == "OBJECT"]
    if not own:
        return
    materials = [slot.material for slot in obj.material_slots]
    _make_single_user(obj, uses)
    for slot in own:
        slot.link = "DATA"
    for number, material in enumerate(materials):
        obj.data.materials[number] = material  # guard: object-materials-kept


def _apply(obj: bpy.types.Object, world: Matrix, uses: Counter[bpy.types.Mesh]) -> None:
    _make_single_user(obj, uses)
    _transform(obj.data, world)
    obj.rotation_mode = "XYZ"  # Easier to edit than the glTF importer's quaternions.
    obj.matrix_world = Matrix()


def _place(obj: bpy.types.Object, world: Matrix, uses: Counter[bpy.types.Mesh]) -> None:
    """Set the object's transform; a shear, which no object can hold, is applied to its mesh."""
    obj.matrix_world = world
    placed = obj.matrix_basis.copy()
    # A scale of zero flattens the object: there is no inverse.
    if abs(placed.determinant()) < 1e-30:
        return
    rest = placed.inverted() @ world
    if np.abs(np.array(rest) - np.eye(4)).max() > MATRIX_TOLERANCE:  # guard: shear-kept
        _make_single_user(obj, uses)
        _transform(obj.data, rest)


def _transform(mesh: bpy.types.Mesh, by: Matrix) -> None:
    mesh.transform(by)
    transform_normals(mesh, by)
    # Mirroring turns the faces inside out.
    if by.determinant() < 0.0:
        mesh.flip_normals()
