# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as they stand in the imported scene, turned into plain meshes that look the same."""

from __future__ import annotations

from collections import Counter

import bpy
import numpy as np
from mathutils import Matrix

from ..mesh.arrays import Floats, positions_of
from .gltf_normals import transform_normals

SAME = 1e-5
"""How far the parts of two matrices may differ, for rounding."""


def set_free(things: list[bpy.types.Object], *, apply: bool) -> None:
    """Take mesh objects out of their hierarchy, bones, keys and animation, without moving a point.

    `apply` moves location, rotation and scale into each one's own mesh.
    """
    hidden = [thing for thing in things if thing.hide_viewport]
    for thing in hidden:  # Blender computes neither place nor shape of what is hidden.
        thing.hide_viewport = False
    bpy.context.view_layer.update()
    worlds = [thing.matrix_world.copy() for thing in things]
    _settle_shapes([thing for thing in things if deforms(thing)])
    # Not `Mesh.users`: Blender's FBX importer leaves it at 1 for a mesh of several objects.
    uses = Counter(thing.data for thing in things)
    for thing, world in zip(things, worlds, strict=True):
        thing.animation_data_clear()
        thing.modifiers.clear()
        thing.constraints.clear()
        thing.vertex_groups.clear()
        thing.parent = None
        _take_materials(thing, uses)
        if apply:
            _apply(thing, world, uses)
        else:
            _place(thing, world, uses)
    for thing in hidden if len(hidden) < len(things) else ():
        thing.hide_viewport = True  # guard: hidden-stays-hidden


def deforms(thing: bpy.types.Object) -> bool:
    """Say whether the object shows another shape than its mesh has."""
    return bool(thing.data.shape_keys or thing.modifiers)


def shown_positions(thing: bpy.types.Object) -> Floats:
    """Return the points (n, 3) of the object as it is shown, in its own space."""
    if not deforms(thing):
        return positions_of(thing.data)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return positions_of(thing.evaluated_get(depsgraph).data)


def _settle_shapes(things: list[bpy.types.Object]) -> None:
    """Give objects meshes of the shape that their shape keys, bones and modifiers show."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    made = [
        bpy.data.meshes.new_from_object(
            thing.evaluated_get(depsgraph), preserve_all_data_layers=True, depsgraph=depsgraph
        )
        for thing in things
    ]
    for thing, mesh in zip(things, made, strict=True):
        thing.modifiers.clear()
        thing.shape_key_clear()
        thing.data = mesh  # guard: shape-as-shown


def _own(thing: bpy.types.Object, uses: Counter[bpy.types.Mesh]) -> None:
    """Give the object a mesh that no other object has."""
    if uses[thing.data] > 1:  # guard: shared-mesh-copied
        uses[thing.data] -= 1
        thing.data = thing.data.copy()


def _take_materials(thing: bpy.types.Object, uses: Counter[bpy.types.Mesh]) -> None:
    """Move materials of the object's own to its mesh: of two objects each may have another."""
    own = [slot for slot in thing.material_slots if slot.link == "OBJECT"]
    if not own:
        return
    materials = [slot.material for slot in thing.material_slots]
    _own(thing, uses)
    for slot in own:
        slot.link = "DATA"
    for number, material in enumerate(materials):
        thing.data.materials[number] = material  # guard: object-materials-kept


def _apply(thing: bpy.types.Object, world: Matrix, uses: Counter[bpy.types.Mesh]) -> None:
    _own(thing, uses)
    _transform(thing.data, world)
    thing.rotation_mode = "XYZ"  # the glTF importer's quaternions are nothing to turn by hand
    thing.matrix_world = Matrix()


def _place(thing: bpy.types.Object, world: Matrix, uses: Counter[bpy.types.Mesh]) -> None:
    """Give the object its place; what an object cannot hold, as a shear, goes into its mesh."""
    thing.matrix_world = world
    placed = thing.matrix_basis.copy()
    if abs(placed.determinant()) < 1e-30:
        return
    rest = placed.inverted() @ world
    if np.abs(np.array(rest) - np.eye(4)).max() > SAME:  # guard: shear-kept
        _own(thing, uses)
        _transform(thing.data, rest)


def _transform(mesh: bpy.types.Mesh, by: Matrix) -> None:
    mesh.transform(by)
    transform_normals(mesh, by)
    if by.determinant() < 0.0:
        mesh.flip_normals()
