# SPDX-License-Identifier: GPL-3.0-or-later
"""Read visible objects, the 3D cursor, and the viewport from a scene."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite

import bpy
from mathutils import Matrix, Vector

from ...jobs.custom_properties import JOB
from .free_ground import Box, Obstacle, Surroundings, View, model_box, visible_share

NO_SURFACE = frozenset(
    {"ARMATURE", "CAMERA", "EMPTY", "LATTICE", "LIGHT", "LIGHT_PROBE", "SPEAKER"}
)
"""Types of objects that do not block a model."""
OUTLINES = frozenset({"BOUNDS", "WIRE"})
"""Display types of objects that hide nothing, such as a Boolean cutter."""
MOST = 5000
"""Maximum number of instances to examine: a meadow may have millions, and would freeze Blender."""
SMALLEST = 5e-4
"""Share of a viewport that a model has to fill to be seen."""
DOWN = Vector((0.0, 0.0, -1.0))


def read_surroundings(
    context: bpy.types.Context, sides: Sequence[float], ours: Iterable[bpy.types.Object] = ()
) -> Surroundings:
    """Return the facts about the scene that the search for free ground needs.

    The objects in `ours` are left out. `sides` are the model's width, depth, and height.
    """
    view = find_view(context)
    start = _start(context, view, sides)
    without = set(ours)
    obstacles = tuple(_obstacles(context, start, without))
    points = tuple(
        obj.matrix_world.translation.copy()
        for obj in context.view_layer.objects
        if obj.type in NO_SURFACE and obj not in without
    )
    return Surroundings(obstacles, points, start, view)


def floor_under(context: bpy.types.Context, spot: Vector, height: float) -> float | None:
    """Return the Z of the first surface below the top of a model at `spot`.

    `height` is the model's height. Return None if there is no surface.
    """
    graph = context.evaluated_depsgraph_get()
    hit, point, *_ = context.scene.ray_cast(graph, spot + Vector((0.0, 0.0, height)), DOWN)
    return float(point.z) if hit else None


def find_view(context: bpy.types.Context) -> View | None:
    """Return the viewport that the artist works in: the context's, or else the largest.

    Return None without a viewport, and in background mode.
    """
    area = context.area
    if bpy.app.background:
        return None
    if area is None or area.type != "VIEW_3D":
        areas = visible_viewports(context)
        area = max(areas, key=lambda area: area.width * area.height, default=None)
    return view_of(area) if area else None


def visible_viewports(context: bpy.types.Context) -> list[bpy.types.Area]:
    """Return the 3D viewports of all windows that show the scene, those of the context's first."""
    manager = context.window_manager
    windows = sorted(manager.windows, key=lambda window: window != context.window)
    return [
        area
        for window in windows
        if window.scene == context.scene
        for area in window.screen.areas
        if area.type == "VIEW_3D"
    ]


def view_of(area: bpy.types.Area) -> View:
    """Return a viewport's projection, eye, right direction, and part not covered by regions."""
    region = next(region for region in area.regions if region.type == "WINDOW")
    data = area.spaces.active.region_3d
    inverse = data.view_matrix.inverted_safe()
    return View(
        data.perspective_matrix.copy(),
        inverse.translation.copy() if data.is_perspective else None,
        inverse.col[0].to_3d(),
        _clear_part(area, region),
    )


def _clear_part(
    area: bpy.types.Area, region: bpy.types.Region
) -> tuple[float, float, float, float]:
    left, bottom = float(region.x), float(region.y)
    right, top = left + region.width, bottom + region.height
    middle = (left + right) / 2
    for other in area.regions:
        if other.type in ("UI", "TOOLS") and other.width > 1 and other.height > 1:
            if other.x > middle:
                right = min(right, float(other.x))
            else:
                left = max(left, float(other.x + other.width))
    wide, high = max(region.width, 1) / 2, max(region.height, 1) / 2
    return (
        (left - region.x) / wide - 1.0,
        (bottom - region.y) / high - 1.0,
        (right - region.x) / wide - 1.0,
        (top - region.y) / high - 1.0,
    )


def _start(context: bpy.types.Context, view: View | None, sides: Sequence[float]) -> Vector:
    """Return where the search for free ground begins.

    It is the 3D cursor if there is no viewport, or if a model at the cursor would be in sight.
    Otherwise, it is the point that the viewport orbits.
    """
    cursor = context.scene.cursor.location.copy()
    if view is None:
        return cursor
    shown, filled = visible_share(view, model_box(cursor, sides))
    if shown > 0.0 and filled >= SMALLEST:
        return cursor
    area = context.area
    if area is None or area.type != "VIEW_3D":
        areas = visible_viewports(context)
        area = max(areas, key=lambda area: area.width * area.height)
    return area.spaces.active.region_3d.view_location.copy()


def _obstacles(
    context: bpy.types.Context, start: Vector, without: set[bpy.types.Object]
) -> Iterator[Obstacle]:
    graph = context.evaluated_depsgraph_get()
    for instance in islice(graph.object_instances, MOST):
        obj = instance.object
        if obj.type in NO_SURFACE or obj.display_type in OUTLINES:
            continue
        own = obj.original
        if own in without or not (instance.is_instance or own.visible_get()):
            continue
        box = world_box(instance.matrix_world, obj.bound_box)
        if box is not None:
            yield Obstacle(box, JOB in own, _floor_at(obj, instance.matrix_world, box, start))


def world_box(matrix: Matrix, corners: Sequence[Sequence[float]]) -> Box | None:
    """Return the box around a transformed bounding box; None if it is a point or not finite."""
    low, high = Vector(corners[0]), Vector(corners[6])
    center = matrix @ ((low + high) / 2)
    side = (high - low) / 2
    half = Vector([sum(abs(row[axis]) * side[axis] for axis in range(3)) for row in matrix[:3]])
    if not all(isfinite(value) for value in (*center, *half)) or max(half) <= 0.0:
        return None
    return center - half, center + half


def _floor_at(obj: bpy.types.Object, matrix: Matrix, box: Box, start: Vector) -> float | None:
    """Return the height of an object's surface at the start's X and Y; None if it has none there.

    In a room, it is the height of the floor. For flat objects, and for those that are not meshes,
    it is the top of the box.
    """
    low, high = box
    if not (low.x <= start.x <= high.x and low.y <= start.y <= high.y):
        return None
    if obj.type != "MESH" or high.z - low.z <= 1e-6:
        return float(high.z)
    inverse = matrix.inverted_safe()
    down = (inverse.to_3x3() @ DOWN).normalized()
    # First from inside, at the start's height, for a room; then from above, for terrain.
    inside = Vector((start.x, start.y, min(max(start.z, low.z), high.z)))
    lift = (high.z - low.z) * 1e-3
    hit, point, *_ = obj.ray_cast(inverse @ (inside + Vector((0.0, 0.0, lift))), down)
    if not hit:
        above = Vector((start.x, start.y, high.z + lift))
        hit, point, *_ = obj.ray_cast(inverse @ above, down)
    return float((matrix @ point).z) if hit else None
