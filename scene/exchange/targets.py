# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and check the objects of a mesh tool, and write their meshes to a file for the worker."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Matrix

from ...jobs.custom_properties import JOB
from ...providers import LibraryProblem, Message

REPORTS = frozenset({"card", "print"})
"""Tools that only report, and change nothing."""
JOINING = frozenset({"quads", "levels"})
"""Tools that work on a single mesh."""
REMOVE = "Remove them first, or work on a copy without them."


def edited_objects(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the objects that a mesh tool works on.

    If the active object is a mesh, it is the only one. If it is another object of a generated
    model, they are the model's visible meshes below it. In all other cases, the list is empty.
    """
    active = context.view_layer.objects.active
    if active is None or active.type == "MESH":
        return [active] if active else []
    if JOB not in active:
        return []
    children = (child for child in active.children_recursive if child.get(JOB) == active[JOB])
    return [child for child in children if child.type == "MESH" and child.visible_get()]


def check_objects(context: bpy.types.Context, objects: list[bpy.types.Object], task: str) -> None:
    """Raise LibraryProblem, with what to do first, if the tool `task` cannot edit the objects."""
    if not objects:
        raise LibraryProblem("No mesh is active.", "Select a mesh object.")
    if any(obj.mode != "OBJECT" for obj in objects) or context.mode != "OBJECT":
        raise LibraryProblem("Mesh tools work in Object Mode only.", "Switch to Object Mode first.")
    if task in JOINING and len(objects) > 1:
        raise LibraryProblem(
            "This model has several meshes, but the tool works on one mesh at a time.",
            "Select one of them, or join them first (Object › Join).",
        )
    for obj in objects:
        _check_object(obj, task)


def write_meshes(objects: list[bpy.types.Object], path: str, task: str) -> list[dict[str, Any]]:
    """Write the objects' meshes, without modifiers, to a .blend file for the worker.

    Return a dictionary for each object, in order: the mesh's `name` in the file, and a 4×4 `matrix`
    as rows. This is the object's world matrix. A single object gets the identity matrix instead,
    unless `task` is a tool that only reports.
    """
    copies = {obj: _with_object_materials(obj) for obj in objects if _has_own_materials(obj)}
    meshes = [copies.get(obj, obj.data) for obj in objects]
    try:
        # Absolute, since the file is in another folder: baking reads textures that are not packed.
        bpy.data.libraries.write(path, set(meshes), path_remap="ABSOLUTE", compress=False)
        names = [mesh.name for mesh in meshes]
    finally:
        bpy.data.batch_remove(list(copies.values()))
    # Alone, a mesh is edited in its own space, so that its scale does not distort the result.
    alone = len(objects) == 1 and task not in REPORTS
    return [
        {
            "name": name,
            "matrix": rows_of(Matrix() if alone else obj.matrix_world),
        }
        for name, obj in zip(names, objects, strict=True)
    ]


def rows_of(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    """Return a 4×4 matrix as nested tuples, row by row."""
    return tuple(tuple(matrix[row]) for row in range(4))


def _check_object(obj: bpy.types.Object, task: str) -> None:
    name, mesh = obj.name, obj.data
    if obj.library or mesh.library or not obj.is_editable:
        raise LibraryProblem(
            Message("“{name}” is linked from another file.", name=name),
            "Make it local first (Object › Relations › Make Local).",
        )
    if not mesh.polygons:
        raise LibraryProblem(Message("“{name}” has no faces.", name=name), "Select another object.")
    if task in REPORTS:
        return
    sharing = _sharing_count(mesh)
    if sharing > 1:
        raise LibraryProblem(
            Message("“{name}” shares its mesh: {count} objects use it.", name=name, count=sharing),
            "Make it single-user first (Object › Relations › Make Single User › Object & Data).",
        )
    for is_lost, text, hint in (
        (mesh.shape_keys, "“{name}” has shape keys, which would be lost.", REMOVE),
        (
            task == "quads" and obj.vertex_groups,
            "“{name}” has vertex groups, which would be lost.",
            REMOVE,
        ),
        (
            any(modifier.type == "MULTIRES" for modifier in obj.modifiers),
            "“{name}” has a Multiresolution modifier, whose details would be lost.",
            "Apply the modifier first, or work on a copy without it.",
        ),
    ):
        if is_lost:
            raise LibraryProblem(Message(text, name=name), hint)


def _sharing_count(mesh: bpy.types.Mesh) -> int:
    # Versions count as users of a mesh as well, so `users` is not the number of objects.
    if mesh.users < 2:
        return mesh.users
    return sum(obj.data == mesh for obj in bpy.data.objects)


def _has_own_materials(obj: bpy.types.Object) -> bool:
    return any(slot.link == "OBJECT" for slot in obj.material_slots)


def _with_object_materials(obj: bpy.types.Object) -> bpy.types.Mesh:
    """Return a copy of an object's mesh with the materials that the object's slots show."""
    copy = obj.data.copy()
    for number, slot in enumerate(obj.material_slots):
        copy.materials[number] = slot.material
    return copy
