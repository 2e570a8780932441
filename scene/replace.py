# SPDX-License-Identifier: GPL-3.0-or-later
"""A model takes another's place in the scene; the one before stays in the file and can come back.

Where both are one mesh the object stays and gets the other's mesh: its place, parent, modifiers,
constraints, collections, name and whatever points to it are untouched. Models of several parts
take over what their root had. What was replaced hangs on what replaced it, like a pile of plates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import bpy
import numpy as np
from mathutils import Matrix

MARK = "image_to_mesh_"
"""The beginning of all custom properties that tell where a model came from."""
JOB = f"{MARK}job"
TURN = f"{MARK}turn"
BEFORE = f"{MARK}before"
"""The mesh, or the collection of parts, that was there before."""


def made_by(job: str, view_layer: bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """Return the objects that a job made and that the view layer has."""
    return [obj for obj in view_layer.objects if obj.get(JOB) == job]


def model_of(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Return all parts of the model that an object belongs to, the root first."""
    job, root = obj.get(JOB), obj
    while job and root.parent and root.parent.get(JOB) == job:
        root = root.parent
    return [root, *(one for one in root.children_recursive if job and one.get(JOB) == job)]


def can_come_back(obj: bpy.types.Object) -> bool:
    """Say whether something was replaced by this model."""
    return model_of(obj)[0].get(BEFORE) is not None


def replace_model(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
    *,
    keep_height: bool,
) -> bpy.types.Object:
    """Put a model that has just come in where another one is; return the root that is there now.

    Both are lists of parts, the root first.
    """
    context.view_layer.update()
    factor = _factor(old, new) if keep_height else 1.0
    turned = math.radians(new[0].get(TURN, 0) - old[0].get(TURN, 0))
    if _is_one_mesh(old) and _is_one_mesh(new):
        return _change_mesh(
            old[0], new[0], Matrix.Scale(factor, 4) @ Matrix.Rotation(turned, 4, "Z")
        )
    for constraint in old[0].constraints:
        new[0].constraints.copy(constraint)
    _take_over(context, old, new, factor, turned)
    _copy_modifiers(context, old, new)
    new[0][BEFORE] = _put_away(old)
    return new[0]


def bring_back(context: bpy.types.Context, obj: bpy.types.Object) -> bpy.types.Object:
    """Let what was replaced come back to where its successor stands now; return its root.

    The successor goes: its job still has it.
    """
    now = model_of(obj)
    before = now[0][BEFORE]
    if isinstance(before, bpy.types.Mesh):
        return _change_mesh_back(now[0], before)
    context.view_layer.update()
    old = sorted(before.objects, key=lambda one: one.parent in list(before.objects))
    turned = math.radians(old[0].get(TURN, 0) - now[0].get(TURN, 0))
    _take_over(context, now, old, _factor(now, old), turned)
    for one in reversed(now):
        bpy.data.objects.remove(one)
    bpy.data.collections.remove(before)
    return old[0]


# -- one mesh ------------------------------------------------------------------------------------


def _is_one_mesh(parts: Sequence[bpy.types.Object]) -> bool:
    return len(parts) == 1 and parts[0].type == "MESH"


def _change_mesh(old: bpy.types.Object, new: bpy.types.Object, change: Matrix) -> bpy.types.Object:
    """Give the old object the new one's mesh, which keeps the old mesh and what it came from."""
    before, mesh = old.data, new.data
    _move_marks(old, before)
    _move_marks(new, old)
    bpy.data.objects.remove(new)
    if change != Matrix() and mesh.library is None:
        mesh.transform(change)
    old.data = mesh
    old[BEFORE] = before
    for slot in old.material_slots:
        slot.link = "DATA"
    return old


def _change_mesh_back(obj: bpy.types.Object, before: bpy.types.Mesh) -> bpy.types.Object:
    for name in _marks(obj):
        del obj[name]
    obj.data = before
    _move_marks(before, obj)
    return obj


def _marks(owner: bpy.types.ID) -> list[str]:
    return [name for name in owner.keys() if name.startswith(MARK)]  # noqa: SIM118 - an ID's


def _move_marks(source: bpy.types.ID, target: bpy.types.ID) -> None:
    for name in _marks(source):
        target[name] = source[name]
        del source[name]


# -- several parts -------------------------------------------------------------------------------


def _take_over(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
    factor: float,
    turned: float,
) -> None:
    """Let new parts have the place, parent, collections and children of the old ones."""
    root, own = old[0], set(old)
    others = [(one, one.matrix_world.copy()) for part in old for one in part.children]
    new[0].parent, new[0].parent_type = root.parent, root.parent_type
    new[0].parent_bone = root.parent_bone
    new[0].matrix_parent_inverse = root.matrix_parent_inverse.copy()
    new[0].rotation_mode = root.rotation_mode
    change = Matrix.Rotation(turned, 4, "Z") @ Matrix.Scale(factor, 4)
    new[0].matrix_basis = root.matrix_basis @ change
    homes = root.users_collection
    for part in new:
        for collection in part.users_collection:
            collection.objects.unlink(part)
        for collection in homes:
            collection.objects.link(part)
    context.view_layer.update()
    for one, world in others:
        if one not in own:
            one.parent = new[0]
            one.matrix_world = world
    for part in old:
        for collection in part.users_collection:
            collection.objects.unlink(part)


def _copy_modifiers(
    context: bpy.types.Context,
    old: Sequence[bpy.types.Object],
    new: Sequence[bpy.types.Object],
) -> None:
    """Give the new meshes the modifiers of the first old one that has any."""
    source = next((part for part in old if part.type == "MESH" and part.modifiers), None)
    meshes = [part for part in new if part.type == "MESH"]
    if source is None or not meshes:
        return
    collection = new[0].users_collection[0]
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


def _put_away(parts: Sequence[bpy.types.Object]) -> bpy.types.Collection:
    """Keep parts in a collection of no scene; it lives as long as something points to it."""
    kept = bpy.data.collections.new(f"{parts[0].name} (replaced)")
    for part in parts:
        kept.objects.link(part)
    return kept


def _factor(old: Sequence[bpy.types.Object], new: Sequence[bpy.types.Object]) -> float:
    """Return what makes the new model as tall as the old one, both seen from their roots."""
    before, after = _height(old), _height(new)
    return before / after if before > 1e-9 and after > 1e-9 else 1.0


def _height(parts: Sequence[bpy.types.Object]) -> float:
    heights = list(_heights(parts))
    return max(heights) - min(heights) if heights else 0.0


def _heights(parts: Sequence[bpy.types.Object]) -> Iterator[float]:
    """Yield the lowest and the highest point of each part's mesh, modifiers left out."""
    home = parts[0].matrix_world.inverted_safe()
    for part in parts:
        if part.type == "MESH" and len(part.data.vertices):
            points = np.empty(len(part.data.vertices) * 3, np.float32)
            part.data.vertices.foreach_get("co", points)
            row = np.array(home @ part.matrix_world, np.float32)[2]
            heights = points.reshape(-1, 3) @ row[:3] + row[3]
            yield from (float(heights.min()), float(heights.max()))
