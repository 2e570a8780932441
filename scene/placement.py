# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a model shall stand, which way it looks, and how large it is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import bpy
from mathutils import Matrix, Vector

from ..jobs.custom_properties import JOB, SCALE
from ..jobs.import_plan import Placement

DOWN = Vector((0.0, 0.0, -1.0))
ABOVE = 1e-4
"""How far over the cursor the look down begins: a cursor snapped to a surface lies on it."""
FLAT = 0.01


def chosen_placement(context: bpy.types.Context, chosen: Any) -> Placement:
    """Return where the scene's choices put a new model now."""
    location, turn, height = _where(context, chosen)
    wanted = float(chosen.size) if chosen.use_size else 0.0
    return Placement(
        location=(location.x, location.y, location.z),
        rotation=turn,
        size=height or wanted,
        measure="height" if height else str(chosen.measure),
        spacing=float(chosen.spacing) if chosen.use_row else None,
        linked=chosen.storage == "linked",
        unpack=chosen.images == "unpacked",
    )


def unit_factor(scene: bpy.types.Scene) -> float:
    """Return how many of the scene's units a meter is."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else 1.0 / units.scale_length


def stand(
    context: bpy.types.Context, objects: list[bpy.types.Object], place: Placement, turn: float = 0.0
) -> None:
    """Put a model, its root first, to the place; `turn` is what its provider's front needs.

    The size goes into meshes that are the model's own, and into the root where they are linked.
    """
    root = objects[0]
    low, high = model_box(objects)
    factor = place.scale or _factor(place, low, high, unit_factor(context.scene))
    root[SCALE] = factor
    if not math.isclose(factor, 1.0, rel_tol=1e-6):
        _scale(objects, factor)
    root.rotation_mode = "XYZ"
    root.rotation_euler = (0.0, 0.0, place.rotation + turn)
    root.location = place.location
    if place.spacing is not None:
        root.location.x += _step_aside(context, objects, place.spacing)


def model_box(objects: list[bpy.types.Object]) -> tuple[Vector, Vector]:
    """Return the lowest and highest corner of a model, seen from its root."""
    root = objects[0]
    corners = [
        _to_root(obj, root) @ Vector(corner)
        for obj in objects
        if obj.type == "MESH"
        for corner in obj.bound_box
    ]
    return _box(corners or [Vector()])


def _where(context: bpy.types.Context, chosen: Any) -> tuple[Vector, float, float]:
    """Return the location, and where a reference gives them the turn and the height."""
    cursor = context.scene.cursor.location.copy()
    if chosen.position == "origin":
        return Vector(), 0.0, 0.0
    if chosen.position == "surface":
        return _surface_below(context, cursor), 0.0, 0.0
    if chosen.position == "reference" and chosen.reference is not None:
        return _beside(context, chosen.reference)
    return cursor, 0.0, 0.0


def _surface_below(context: bpy.types.Context, cursor: Vector) -> Vector:
    """Return the first point under the cursor, or the cursor where nothing is."""
    start = cursor - DOWN * ABOVE * unit_factor(context.scene)
    graph = context.evaluated_depsgraph_get()
    hit, point, *_ = context.scene.ray_cast(graph, start, DOWN)
    return point if hit else cursor


def _beside(context: bpy.types.Context, reference: bpy.types.Object) -> tuple[Vector, float, float]:
    context.view_layer.update()
    world = reference.matrix_world
    corners = list(_corners(reference))
    if not corners:
        return world.translation.copy(), _heading(world @ Vector((0, -1, 0, 0))), 0.0
    low, high = _box(corners)
    foot = Vector(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z))
    height = high.z - low.z
    front = Vector((0, -1, 0, 0))
    if _is_picture(reference):
        upright = (corners[3] - corners[0]).length
        if height < FLAT * upright:
            height = upright  # The picture lies on the ground.
        else:
            front = Vector((0, 0, 1, 0))
    return foot, _heading(world @ front), height


def _heading(front: Vector) -> float:
    """Return the turn about the vertical that lets a model's front, -Y, look along `front`."""
    if math.hypot(front.x, front.y) < 1e-6:
        return 0.0
    return math.atan2(front.x, -front.y)


def _is_picture(obj: bpy.types.Object) -> bool:
    return obj.type == "EMPTY" and obj.empty_display_type == "IMAGE" and obj.data is not None


def _corners(obj: bpy.types.Object) -> Iterable[Vector]:
    """Return world corners of a picture, or of an object and all that hangs on it."""
    if _is_picture(obj):
        width, height = (max(side, 1) for side in obj.data.size)
        scale = obj.empty_display_size / max(width, height)
        left, bottom = (offset * scale * side for offset, side in
                        zip(obj.empty_image_offset, (width, height), strict=True))  # fmt: skip
        right, top = left + width * scale, bottom + height * scale
        flat = ((left, bottom), (right, bottom), (right, top), (left, top))
        return [obj.matrix_world @ Vector((x, y, 0.0)) for x, y in flat]
    return [
        each.matrix_world @ Vector(corner)
        for each in (obj, *obj.children_recursive)
        if each.type not in ("EMPTY", "LIGHT", "CAMERA", "SPEAKER")
        for corner in each.bound_box
    ]


def _box(corners: Iterable[Vector]) -> tuple[Vector, Vector]:
    columns = list(zip(*corners, strict=True))
    return Vector(map(min, columns)), Vector(map(max, columns))


def _factor(place: Placement, low: Vector, high: Vector, units: float) -> float:
    sides = high - low
    longest = max(sides)
    if place.size <= 0.0 or longest <= 0.0:
        return units
    own = longest if place.measure == "longest" or sides.z < longest * 1e-6 else sides.z
    return place.size / own


def _scale(objects: list[bpy.types.Object], factor: float) -> None:
    meshes = {obj.data for obj in objects if obj.type == "MESH"}
    if any(mesh.library or mesh.users > 1 or mesh.shape_keys for mesh in meshes):
        objects[0].scale = (factor,) * 3
        return
    whole = Matrix.Scale(factor, 4)
    for mesh in meshes:
        mesh.transform(whole)
    for obj in objects[1:]:
        obj.matrix_parent_inverse.translation *= factor
        obj.location *= factor


def _to_root(obj: bpy.types.Object, root: bpy.types.Object) -> Matrix:
    """Return where an object is within its root; nothing has been evaluated yet."""
    matrix = Matrix()
    while obj is not None and obj != root:
        matrix = obj.matrix_parent_inverse @ obj.matrix_basis @ matrix
        obj = obj.parent
    return matrix


def _step_aside(
    context: bpy.types.Context, objects: list[bpy.types.Object], spacing: float
) -> float:
    """Return how far along X the model has to move to stand free of the results in its row."""
    context.view_layer.update()
    root = objects[0]
    around = root.matrix_basis
    low, high = _box([around @ _to_root(obj, root) @ Vector(corner)
                      for obj in objects if obj.type == "MESH"
                      for corner in obj.bound_box])  # fmt: skip
    taken = sorted(
        (other_low.x, other_high.x)
        for other_low, other_high in _results(context, objects)
        if other_low.y < high.y and other_high.y > low.y
    )
    left, width = low.x, high.x - low.x
    touch = width * 1e-4
    for start, end in taken:
        if start - spacing < left + width - touch and end + spacing > left + touch:
            left = end + spacing
    return float(left - low.x)


def _results(
    context: bpy.types.Context, without: list[bpy.types.Object]
) -> Iterable[tuple[Vector, Vector]]:
    """Return the boxes of all results in the view layer that can be seen."""
    ours = set(without)
    for obj in context.view_layer.objects:
        is_root = JOB in obj and obj.parent is None
        if is_root and obj not in ours and obj.visible_get(view_layer=context.view_layer):
            corners = list(_corners(obj))
            if corners:
                yield _box(corners)
