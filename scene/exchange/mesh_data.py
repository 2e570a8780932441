# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap an object's mesh. Name, transform, modifiers, and references to the object stay.

An object lists its versions, the current one included, in a custom property, which keeps them in
the file as long as the object exists. Each mesh that is not shown holds its own provenance.
"""

from __future__ import annotations

import bpy

from ...jobs.custom_properties import MADE_BY, PREFIX, VERSIONS
from ...jobs.mesh_versions import versions_of
from ..updating.version_list import note_shown, store_shown
from .provenance import provenance_keys


def exchange_mesh(obj: bpy.types.Object, mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Give an object another mesh and return the former one, which becomes a version.

    The new mesh takes the former one's name. Provenance properties describe the mesh that is shown:
    the object's move to the former mesh, and the new mesh's to the object. The object must be in
    Object Mode.
    """
    former = obj.data
    # Versions are marked by key, since the mesh that is shown is not stored.
    key = next((key for key, stored in versions_of(obj) if stored == mesh), "")
    store_shown(obj)
    note_shown(obj, key)
    _move_provenance(obj, former)
    has_other_materials = list(former.materials) != list(mesh.materials)
    _swap_names(former, mesh)
    obj.data = mesh
    _move_provenance(mesh, obj)
    if has_other_materials:
        # Slots linked to the object would show the former mesh's materials.
        for slot in obj.material_slots:
            slot.link = "DATA"
    return former


def inherit(obj: bpy.types.Object, mesh: bpy.types.Mesh, made_by: str) -> None:
    """Copy provenance, custom properties, and missing materials from an object to its edited mesh.

    `made_by` is the worker's name for the edit.
    """
    former = obj.data
    for owner in (former, obj):
        for name in owner.keys():  # noqa: SIM118 - an ID is not a dict
            is_own = name.startswith(PREFIX)
            if name != VERSIONS and is_own == (owner == obj):
                mesh[name] = owner[name]
    mesh[MADE_BY] = made_by
    for slot, material in enumerate(former.materials):
        # The worker leaves the slots of materials that it did not change empty.
        if slot < len(mesh.materials) and mesh.materials[slot] is None:
            mesh.materials[slot] = material


def forget_versions(obj: bpy.types.Object) -> int:
    """Forget all versions except the one shown; remove their meshes if nothing else uses them.

    Return the number of forgotten versions.
    """
    others = [mesh for _, mesh in versions_of(obj) if mesh != obj.data]
    if VERSIONS in obj:
        del obj[VERSIONS]
    # Copies of the object may list them as well, and other objects may show them.
    unused = [mesh for mesh in others if not mesh.users]
    bpy.data.batch_remove(unused)
    return len(others)


def _move_provenance(source: bpy.types.ID, target: bpy.types.ID) -> None:
    for name in provenance_keys(target):
        del target[name]
    for name in provenance_keys(source):
        target[name] = source[name]
        del source[name]


def _swap_names(former: bpy.types.Mesh, mesh: bpy.types.Mesh) -> None:
    name = former.name
    label = str(former.get(MADE_BY, "")) or "original"
    former.name = f"{name} ({label})"
    mesh.name = name
