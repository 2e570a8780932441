# SPDX-License-Identifier: GPL-3.0-or-later
"""Put meshes that the worker edited into their objects, or add them as levels of detail."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from mathutils import Matrix, Vector

from ...jobs.custom_properties import JOB, VERSION
from ..append import append
from ..ground.free_ground import Box, find_spot
from ..ground.surroundings import read_surroundings, world_box
from .mesh_data import exchange_mesh, inherit
from .provenance import provenance_keys

GAP = 0.25
"""Gap between levels of detail, as a fraction of the object's longest side."""


def find_objects(session_uids: Sequence[int]) -> list[bpy.types.Object]:
    """Return the mesh objects with these `session_uid`s, in the same order; omit deleted ones."""
    found = {obj.session_uid: obj for obj in bpy.data.objects if obj.type == "MESH"}
    return [found[uid] for uid in session_uids if uid in found]


def load_meshes(path: str, names: Sequence[str]) -> list[bpy.types.Mesh]:
    """Append the named meshes from the worker's file; raise OSError if it cannot be opened."""
    return list(append(path, "meshes", names).values())


def exchange_edited(
    objects: Sequence[bpy.types.Object],
    meshes: Sequence[bpy.types.Mesh],
    made_by: str,
    version: str,
) -> None:
    """Give each object its edited mesh; its former mesh becomes a version.

    `made_by` is the worker's name for the edit; `version` is the mesh's file in the job's folder,
    or empty.
    """
    for obj, mesh in zip(objects, meshes, strict=True):
        inherit(obj, mesh, made_by)
        if version:
            mesh[VERSION] = version
        exchange_mesh(obj, mesh)


def place_levels(
    context: bpy.types.Context, finest: bpy.types.Object, meshes: Sequence[bpy.types.Mesh]
) -> list[bpy.types.Object]:
    """Add an object for each mesh, and return the new objects.

    Each is placed on free ground beside the finest level, and has its materials and collections.
    The new names are the finest level's name followed by LOD1, LOD2, and so on.
    """
    made = []
    for level, mesh in enumerate(meshes, start=1):
        name = f"{finest.name} LOD{level}"
        for number, slot in enumerate(finest.material_slots):
            if number < len(mesh.materials):
                mesh.materials[number] = slot.material
        mesh.name = name
        obj = bpy.data.objects.new(name, mesh)
        for key in provenance_keys(finest):
            if key in (JOB, VERSION):
                obj[key] = finest[key]
        obj.matrix_world = finest.matrix_world
        for collection in finest.users_collection:
            collection.objects.link(obj)
        _move_beside(context, finest, obj)
        made.append(obj)
    return made


def _move_beside(
    context: bpy.types.Context, finest: bpy.types.Object, obj: bpy.types.Object
) -> None:
    context.view_layer.update()
    box, row = (world_box(item.matrix_world, item.bound_box) for item in (obj, finest))
    if box is None or row is None:
        return
    sides = box[1] - box[0]
    around = read_surroundings(context, sides, [obj])._replace(start=_foot(row))
    spot = find_spot(around, sides, GAP * max(sides))
    # Level with the finest one, which may float.
    spot.z = box[0].z
    obj.matrix_world = Matrix.Translation(spot - _foot(box)) @ obj.matrix_world
    context.view_layer.update()


def _foot(box: Box) -> Vector:
    low, high = box
    return Vector(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z))
