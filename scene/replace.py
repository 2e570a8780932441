# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace a model in the scene. The previous one stays in the file and can be restored.

If both are single meshes, the object stays and gets the new mesh: transform, parent, modifiers,
constraints, collections, name, and references to it are kept. A model of several objects takes over
the old root's transform, parent, constraints, collections, and children. Each model refers to the
one that it replaced, so replacements form a stack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..jobs.custom_properties import JOB, PREFIX, VERSIONS
from .exchange.provenance import object_rotation, provenance_keys
from .updating.version_list import find_version, note_shown, store_shown

REPLACED = f"{PREFIX}before"
"""Custom property: the replaced mesh, the collection of replaced objects, or a version's key."""


def find_job_objects(job: str, view_layer: bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """Return the objects in the view layer that a job created."""
    return [obj for obj in view_layer.objects if obj.get(JOB) == job]


def find_model_objects(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Return all objects of the model that an object belongs to, the root first.

    For an object that no job created, return that object only.
    """
    job, root = obj.get(JOB), obj
    while job and root.parent and root.parent.get(JOB) == job:
        root = root.parent
    return [root, *(child for child in root.children_recursive if job and child.get(JOB) == job)]


def has_replaced_model(obj: bpy.types.Object) -> bool:
    """Return whether the object's model replaced another one."""
    return _former_model(find_model_objects(obj)[0]) is not None


def _former_model(root: bpy.types.Object) -> Any:
    """Return the mesh or the collection that a model replaced, or None."""
    stored = root.get(REPLACED)
    return find_version(root, stored) if isinstance(stored, str) else stored


def replace_model(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
    *,
    keep_height: bool,
) -> bpy.types.Object:
    """Put a newly appended model in place of another one; return the resulting root.

    Both models are lists of objects, the root first. `keep_height` scales the new one to the old
    one's height.
    """
    context.view_layer.update()
    # Matrices of objects appended in this step have not been evaluated yet.
    factor = _factor(old, new) if keep_height else 1.0
    rotation = math.radians(object_rotation(new[0]) - object_rotation(old[0]))
    if is_single_mesh(old) and is_single_mesh(new):
        return _change_mesh(
            old[0], new[0], Matrix.Scale(factor, 4) @ Matrix.Rotation(rotation, 4, "Z")
        )
    for constraint in old[0].constraints:
        new[0].constraints.copy(constraint)
    _take_over(context, old, new, factor, rotation)
    _copy_modifiers(context, old, new)
    new[0][REPLACED] = _store_replaced(old)
    return new[0]


def restore_replaced(context: bpy.types.Context, obj: bpy.types.Object) -> bpy.types.Object:
    """Restore the replaced model where its replacement is now; return its root.

    Call this only if `has_replaced_model` is true. The replacement is removed from the scene, or
    its mesh from the object; its job still has it.
    """
    current = find_model_objects(obj)
    before = _former_model(current[0])
    if isinstance(before, bpy.types.Mesh):
        return _change_mesh_back(current[0], before)
    context.view_layer.update()
    # A list, because a collection's `in` takes names only.
    old = sorted(before.objects, key=lambda obj: obj.parent in list(before.objects))
    rotation = math.radians(object_rotation(old[0]) - object_rotation(current[0]))
    _take_over(context, current, old, _factor(current, old), rotation)
    for obj in reversed(current):
        bpy.data.objects.remove(obj)
    bpy.data.collections.remove(before)
    return old[0]


def note_replaced(obj: bpy.types.Object, before: bpy.types.Mesh) -> None:
    """Record that an object's mesh replaced `before`, a mesh of the same job.

    The object's provenance properties are copied to `before`.
    """
    for name in provenance_keys(obj, with_versions=True):
        before[name] = obj[name]
    obj[REPLACED] = before


# -- one mesh ------------------------------------------------------------------------------------


def is_single_mesh(objects: Sequence[bpy.types.Object]) -> bool:
    """Return whether a model is one mesh object."""
    return len(objects) == 1 and objects[0].type == "MESH"


def _change_mesh(old: bpy.types.Object, new: bpy.types.Object, change: Matrix) -> bpy.types.Object:
    """Show the new object's mesh, transformed by `change`, on the old one; remove the new object.

    The old mesh becomes a property of the old object and takes along the properties that record its
    provenance; those of the new mesh move to the object.
    """
    before, mesh = old.data, new.data
    move_provenance(old, before)
    move_provenance(new, old)
    bpy.data.objects.remove(new)
    # Linked meshes are read-only; the new model then keeps its own size and rotation.
    if change != Matrix() and mesh.library is None:
        mesh.transform(change)
    old.data = mesh
    old[REPLACED] = before
    for slot in old.material_slots:
        # Slots linked to the object would show the old mesh's materials.
        slot.link = "DATA"
    return old


def _change_mesh_back(obj: bpy.types.Object, before: bpy.types.Mesh) -> bpy.types.Object:
    mesh = obj.data
    # An update has changed the linked duplicates as well.
    shown = [
        other
        for other in bpy.data.objects
        if other.type == "MESH" and other.data == mesh and _former_model(other) == before
    ]
    _take_name_back(mesh, before)
    if VERSIONS in obj and not mesh.library:
        for name in provenance_keys(obj):
            mesh[name] = obj[name]
    for other in shown:
        _show_before(other, before)
    for name in provenance_keys(before, with_versions=True) if not before.library else ():
        del before[name]
    return obj


def _take_name_back(mesh: bpy.types.Mesh, before: bpy.types.Mesh) -> None:
    """Give the mesh `before` its name back if an update moved that to the newer `mesh`."""
    name = mesh.name
    if before.name.startswith(f"{name} (") and not mesh.library:
        mesh.name = replaced_name(name)
        before.name = name


def _show_before(obj: bpy.types.Object, before: bpy.types.Mesh) -> None:
    key = obj[REPLACED]
    if isinstance(key, str):
        store_shown(obj)
        note_shown(obj, key)
    for name in provenance_keys(obj, with_versions=VERSIONS in before):
        del obj[name]
    obj.data = before
    for name in provenance_keys(before, with_versions=True):
        obj[name] = before[name]


def replaced_name(name: str) -> str:
    """Return the new name for a replaced mesh whose former name, `name`, the newer mesh gets."""
    return f"{name} (replaced)"


def move_provenance(source: bpy.types.ID, target: bpy.types.ID) -> None:
    """Move the provenance properties, the list of versions included, to another data-block."""
    for name in provenance_keys(source, with_versions=True):
        target[name] = source[name]
        del source[name]


# -- several parts -------------------------------------------------------------------------------


def _take_over(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
    factor: float,
    rotation: float,
) -> None:
    """Replace the old objects with the new ones; unlink the old ones from all collections.

    The new root gets the old one's parent and transform, changed by `factor` and `rotation` (about
    Z in radians), and the children of the old model that are not part of it. All new objects move
    to the old root's collections.
    """
    root, own = old[0], set(old)
    others = [(child, child.matrix_world.copy()) for obj in old for child in obj.children]
    new[0].parent, new[0].parent_type = root.parent, root.parent_type
    new[0].parent_bone = root.parent_bone
    new[0].matrix_parent_inverse = root.matrix_parent_inverse.copy()
    new[0].rotation_mode = root.rotation_mode
    change = Matrix.Rotation(rotation, 4, "Z") @ Matrix.Scale(factor, 4)
    new[0].matrix_basis = root.matrix_basis @ change
    collections = root.users_collection
    for obj in new:
        for collection in obj.users_collection:
            collection.objects.unlink(obj)
        for collection in collections:
            collection.objects.link(obj)
    context.view_layer.update()
    # Assigning a parent keeps the local transform, so the world transform is restored afterwards.
    for child, world in others:
        if child not in own:
            child.parent = new[0]
            child.matrix_world = world
    for obj in old:
        for collection in obj.users_collection:
            collection.objects.unlink(obj)


def _copy_modifiers(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
) -> None:
    """Copy the modifiers of the first old mesh object that has any to all new mesh objects."""
    source = next((obj for obj in old if obj.type == "MESH" and obj.modifiers), None)
    meshes = [obj for obj in new if obj.type == "MESH"]
    if source is None or not meshes:
        return
    collection = new[0].users_collection[0]
    # The operator needs its source in the view layer, which replaced objects have left.
    collection.objects.link(source)
    chosen = [source, *meshes]
    with context.temp_override(
        object=source,
        active_object=source,
        selected_objects=chosen,
        selected_editable_objects=chosen,
    ):
        bpy.ops.object.make_links_data(type="MODIFIERS")
    collection.objects.unlink(source)


def _store_replaced(objects: Sequence[bpy.types.Object]) -> bpy.types.Collection:
    """Link the objects to a new collection outside of all scenes and return it.

    The caller has to store it in a custom property, which keeps it in the file.
    """
    collection = bpy.data.collections.new(f"{objects[0].name} (replaced)")
    for obj in objects:
        collection.objects.link(obj)
    return collection


def _factor(old: Sequence[bpy.types.Object], new: Sequence[bpy.types.Object]) -> float:
    """Return the scale that makes the new model as tall as the old one; 1.0 if either is flat.

    Heights are measured in the space of each model's root.
    """
    before, after = _height(old), _height(new)
    # A flat model has no height to compare.
    return before / after if before > 1e-9 and after > 1e-9 else 1.0


def _height(objects: Sequence[bpy.types.Object]) -> float:
    heights = list(_heights(objects))
    return max(heights) - min(heights) if heights else 0.0


def _heights(objects: Sequence[bpy.types.Object]) -> Iterator[float]:
    """Yield the lowest, then the highest Z of each mesh in the root's space, without modifiers."""
    to_root = objects[0].matrix_world.inverted_safe()
    for obj in objects:
        if obj.type == "MESH" and len(obj.data.vertices):
            points = np.empty(len(obj.data.vertices) * 3, np.float32)
            obj.data.vertices.foreach_get("co", points)
            row = np.array(to_root @ obj.matrix_world, np.float32)[2]
            heights = points.reshape(-1, 3) @ row[:3] + row[3]
            yield from (float(heights.min()), float(heights.max()))
