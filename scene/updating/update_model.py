# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap the mesh of a result for a newer one; everything that belongs to the object stays.

Name, transform, parent, children, modifiers, constraints, collections, and selection are untouched.
The old mesh stays in the file as a version, and *Restore Replaced Model* brings it back.

`scene.exchange.mesh_data.exchange_mesh` is for one object that shares its mesh with no other. An
update changes linked duplicates, too, keeps the artist's materials, and leaves the old mesh to
*Restore Replaced Model*. Both share the list of versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
from mathutils import Matrix, Vector

from ...jobs.custom_properties import MADE_BY, SHAPE, SIDES
from ...jobs.mesh_versions import UPDATE
from ..exchange.provenance import object_rotation, provenance_keys
from ..replace import (
    REPLACED,
    find_model_objects,
    is_single_mesh,
    replace_model,
    replaced_name,
)
from .imported_state import shape_of, sides_of
from .kept_materials import keep_materials
from .version_list import note_shown, store_shown

EVEN = 1e-3
"""Relative difference between the axes up to which a mesh counts as scaled evenly."""


def update_model(
    context: bpy.types.Context, target: bpy.types.Object, new: Sequence[bpy.types.Object]
) -> bpy.types.Object:
    """Give a result's object the mesh of a newly imported model; return the resulting root.

    `new` are the imported model's objects, the root first. Linked duplicates show the new mesh,
    too. If either model has several objects, the old one is replaced as by *Replace Selected with
    Result*.
    """
    old = find_model_objects(target)
    if not (is_single_mesh(old) and is_single_mesh(new)):
        return replace_model(context, old, new, keep_height=False)
    before, mesh = target.data, new[0].data
    is_linked = bool(mesh.library or before.library)
    if not mesh.library:  # Linked meshes are read-only.
        mesh.transform(_change(target, new[0]))
    _exchange(target, new[0])
    if not is_linked:
        name = before.name
        before.name = replaced_name(name)
        mesh.name = name
    return target


def linked_duplicates(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Return all other editable objects that use the same mesh."""
    others = (other for other in bpy.data.objects if other.type == "MESH" and other != obj)
    return [other for other in others if other.data == obj.data and other.is_editable]


def _exchange(target: bpy.types.Object, new: bpy.types.Object) -> None:
    before, mesh = target.data, new.data
    duplicates = linked_duplicates(target)
    if SHAPE in target and list(target[SHAPE]) != shape_of(before):
        # The artist's own work, which stays even if the object is deleted.
        before.use_fake_user = True
    keep_materials(target, new)
    new[MADE_BY] = UPDATE
    if not before.library:
        for key in provenance_keys(target):
            before[key] = target[key]
    for obj in (target, *duplicates):
        for key in provenance_keys(obj):
            del obj[key]
        for key in provenance_keys(new, with_versions=True):
            obj[key] = new[key]
        obj[REPLACED] = store_shown(obj)
        note_shown(obj)
        _assign(obj, mesh)
    bpy.data.objects.remove(new)


def _assign(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    """Give an object another mesh; materials in slots linked to the object stay."""
    own = [(slot.link, slot.material) for slot in obj.material_slots]
    obj.data = mesh
    for slot, (link, material) in zip(obj.material_slots, own, strict=False):
        if link == "OBJECT":
            slot.link, slot.material = link, material


def _change(target: bpy.types.Object, new: bpy.types.Object) -> Matrix:
    """Return the transform that gives the new mesh the size and rotation of the old one."""
    rotation = math.radians(object_rotation(new) - object_rotation(target))
    return Matrix.Scale(_resize(target), 4) @ Matrix.Rotation(rotation, 4, "Z")


def _resize(target: bpy.types.Object) -> float:
    """Return the factor by which the old mesh has grown since its import.

    A mesh grows, for example, when the user applies its object's scale. The factor is 1.0 if the
    sides on import are unknown, or did not change by the same factor.
    """
    if SIDES not in target:
        return 1.0
    then, now = Vector(target[SIDES]), Vector(sides_of(target.data))
    ratios = [side / first for side, first in zip(now, then, strict=True) if first > 1e-9]
    if not ratios or max(ratios) - min(ratios) > EVEN * max(ratios):
        return 1.0
    # Differences this small come from the file's precision and are no change.
    return 1.0 if math.isclose(ratios[0], 1.0, rel_tol=EVEN) else ratios[0]
