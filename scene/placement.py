# SPDX-License-Identifier: GPL-3.0-or-later
"""A model's placement: location, heading, and size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import bpy
from mathutils import Matrix, Vector

from .. import jobs
from ..jobs.custom_properties import APPLIED, JOB, SCALE

if TYPE_CHECKING:
    from .ground.free_ground import Box

DOWN = Vector((0.0, 0.0, -1.0))
RAY_OFFSET = 1e-4
"""Meters above the cursor at which the ray starts: a cursor snapped to a surface lies on it."""
GAP = 0.25
"""Meters between a model on free ground and its neighbors, if the scene sets no spacing."""
SLOPE = 1.0
"""Maximum height difference between the ground at a spot and the estimate, in model heights."""
LYING_FLAT = 0.01
"""Height of an image empty, relative to its side, below which it counts as lying on the ground."""


class Stand(NamedTuple):
    """A model's bottom center, rotation about Z in radians, and dimensions before the rotation."""

    location: Vector
    rotation: float
    sides: Vector

    def box(self) -> Box:
        """Return the model's box in world space."""
        half = _rotated_sides(self.sides, self.rotation) / 2
        return (
            self.location - Vector((half.x, half.y, 0.0)),
            self.location + Vector((half.x, half.y, self.sides.z)),
        )


def expected_stand(
    context: bpy.types.Context,
    place: jobs.Placement,
    own: Sequence[float] = (1.0, 1.0, 1.0),
    reserved: Iterable[Box] = (),
) -> Stand:
    """Return where a model will stand, without changing anything.

    `own` is the model's width, depth, and height in meters. `reserved` are the boxes of models that
    will arrive earlier.
    """
    sides = Vector(own)
    half = Vector((sides.x / 2, sides.y / 2, 0.0))
    factor = place.scale or _factor(
        place, -half, half + Vector((0.0, 0.0, sides.z)), unit_factor(context.scene)
    )
    stand = Stand(Vector(place.location), place.rotation, sides * factor)
    return stand._replace(location=_find_stand(context, place, stand, (), reserved))


def chosen_placement(context: bpy.types.Context, chosen: Any) -> jobs.Placement:
    """Return the placement that the settings in `chosen` ask for now."""
    location, rotation, height = _find_location(context, chosen)
    wanted = float(chosen.size) if chosen.use_size else 0.0
    return jobs.Placement(
        location=(location.x, location.y, location.z),
        rotation=rotation,
        size=height or wanted,
        measure="height" if height else str(chosen.measure),
        spacing=float(chosen.spacing) if chosen.use_row else None,
        free=chosen.current_position() == "free",
        linked=chosen.storage == "linked",
        unpack=chosen.images == "unpacked",
    )


def unit_factor(scene: bpy.types.Scene) -> float:
    """Return the number of Blender units per meter in a scene."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else 1.0 / units.scale_length


def move_to_place(
    context: bpy.types.Context,
    objects: list[bpy.types.Object],
    place: jobs.Placement,
    rotation: float = 0.0,
) -> None:
    """Scale, rotate, and move a model to the placement; record its scale and rotation on it.

    `objects` has the root first. `rotation`, in radians, makes the provider's models face front.
    The meshes are scaled and rotated; where that is impossible, as for linked ones, the root is.
    """
    root = objects[0]
    low, high = model_box(objects)
    factor = place.scale or _factor(place, low, high, unit_factor(context.scene))
    root[SCALE] = factor
    if not math.isclose(factor, 1.0, rel_tol=1e-6):
        _scale(objects, factor)
    applied = rotation != 0.0 and _rotate_meshes(objects, rotation)
    for obj in objects:
        obj[APPLIED] = round(math.degrees(rotation)) if applied else 0
    root.rotation_mode = "XYZ"
    root.rotation_euler = (0.0, 0.0, place.rotation + (0.0 if applied else rotation))
    low, high = model_box(objects)
    sides = _rotated_sides(high - low, root.rotation_euler.z)
    stand = Stand(Vector(place.location), 0.0, sides)
    root.location = _find_stand(context, place, stand, objects, ())


def model_box(objects: list[bpy.types.Object]) -> tuple[Vector, Vector]:
    """Return a model's box (minimum, maximum) in the root's space; zero vectors without a mesh."""
    root = objects[0]
    corners = [
        _to_root(obj, root) @ Vector(corner)
        for obj in objects
        if obj.type == "MESH"
        for corner in obj.bound_box
    ]
    return _box(corners or [Vector()])


def model_world_box(root: bpy.types.Object) -> Box:
    """Return the box of a model in world space; the root's location if the model has no mesh."""
    # Not from `matrix_world`, which has not been evaluated yet.
    objects = [root, *root.children_recursive]
    corners = [
        root.matrix_basis @ _to_root(obj, root) @ Vector(corner)
        for obj in objects
        if obj.type == "MESH"
        for corner in obj.bound_box
    ]
    return _box(corners or [root.location.copy()])


def _find_location(context: bpy.types.Context, chosen: Any) -> tuple[Vector, float, float]:
    """Return the chosen location, a rotation about Z in radians, and a height.

    For a reference, these are its own; for any other location, rotation and height are 0.
    """
    cursor = context.scene.cursor.location.copy()
    position, reference = chosen.current_position(), chosen.current_reference()
    if position == "origin":
        return Vector(), 0.0, 0.0
    if position == "surface":
        return _surface_below(context, cursor), 0.0, 0.0
    if position == "reference" and reference is not None:
        return _match_reference(context, reference)
    return cursor, 0.0, 0.0


def _surface_below(context: bpy.types.Context, cursor: Vector) -> Vector:
    """Return the first surface point below the cursor, or the cursor if nothing is below."""
    start = cursor - DOWN * RAY_OFFSET * unit_factor(context.scene)
    graph = context.evaluated_depsgraph_get()
    hit, point, *_ = context.scene.ray_cast(graph, start, DOWN)
    return point if hit else cursor


def _match_reference(
    context: bpy.types.Context, reference: bpy.types.Object
) -> tuple[Vector, float, float]:
    """Return a reference's bottom center, rotation in radians, and height (0 without a surface)."""
    # An object that a script has just moved keeps its old matrix until it is evaluated.
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
        if height < LYING_FLAT * upright:
            height = upright  # The image lies on the ground.
        else:
            front = Vector((0, 0, 1, 0))
    return foot, _heading(world @ front), height


def _heading(front: Vector) -> float:
    """Return the rotation about Z in radians that turns -Y to `front`; 0 if `front` is vertical."""
    if math.hypot(front.x, front.y) < 1e-6:
        return 0.0
    return math.atan2(front.x, -front.y)


def _is_picture(obj: bpy.types.Object) -> bool:
    return obj.type == "EMPTY" and obj.empty_display_type == "IMAGE" and obj.data is not None


def _corners(obj: bpy.types.Object) -> Iterable[Vector]:
    """Return the world corners of an image empty, or of the boxes of an object and its children."""
    if _is_picture(obj):
        width, height = (max(side, 1) for side in obj.data.size)
        scale = obj.empty_display_size / max(width, height)
        left, bottom = (offset * scale * side for offset, side in
                        zip(obj.empty_image_offset, (width, height), strict=True))  # fmt: skip
        right, top = left + width * scale, bottom + height * scale
        flat = ((left, bottom), (right, bottom), (right, top), (left, top))
        return [obj.matrix_world @ Vector((x, y, 0.0)) for x, y in flat]
    return [
        child.matrix_world @ Vector(corner)
        for child in (obj, *obj.children_recursive)
        # These types have a point as bounding box, perhaps far from any surface.
        if child.type not in ("EMPTY", "LIGHT", "CAMERA", "SPEAKER")
        for corner in child.bound_box
    ]


def _box(corners: Iterable[Vector]) -> tuple[Vector, Vector]:
    columns = list(zip(*corners, strict=True))
    return Vector(map(min, columns)), Vector(map(max, columns))


def _factor(place: jobs.Placement, low: Vector, high: Vector, units: float) -> float:
    sides = high - low
    longest = max(sides)
    if place.size <= 0.0 or longest <= 0.0:
        return units
    # A flat model has no height to scale to the wanted size.
    own = longest if place.measure == "longest" or sides.z < longest * 1e-6 else sides.z
    return place.size / own


def _scale(objects: list[bpy.types.Object], factor: float) -> None:
    meshes = {obj.data for obj in objects if obj.type == "MESH"}
    # Linked and shared meshes belong to other objects, too; `Mesh.transform` skips shape keys.
    if any(mesh.library or mesh.users > 1 or mesh.shape_keys for mesh in meshes):
        objects[0].scale = (factor,) * 3
        return
    whole = Matrix.Scale(factor, 4)
    for mesh in meshes:
        mesh.transform(whole)
    # The root's scale stays 1, so its children's offsets have to grow with their meshes.
    for obj in objects[1:]:
        obj.matrix_parent_inverse.translation *= factor
        obj.location *= factor


def _to_root(obj: bpy.types.Object, root: bpy.types.Object) -> Matrix:
    """Return an object's matrix relative to the root, even if it has not been evaluated yet."""
    matrix = Matrix()
    while obj is not None and obj != root:
        matrix = obj.matrix_parent_inverse @ obj.matrix_basis @ matrix
        obj = obj.parent
    return matrix


def _rotate_meshes(objects: list[bpy.types.Object], angle: float) -> bool:
    """Rotate a model about Z through its meshes, so that the rotation of its objects is zero.

    Return False, and rotate nothing, if a mesh is linked, shared, or has shape keys, or if an
    object is animated or has a transform of its own below the root. The angle is in radians.
    """
    meshes = [obj.data for obj in objects if obj.type == "MESH"]
    shared = any(mesh.library or mesh.users > 1 or mesh.shape_keys for mesh in meshes)
    moved = any(
        obj.animation_data or not _is_identity(_to_root(obj, objects[0])) for obj in objects
    )
    if shared or moved:
        return False
    matrix = Matrix.Rotation(angle, 4, "Z")
    for mesh in meshes:
        mesh.transform(matrix)
    return True


def _is_identity(matrix: Matrix) -> bool:
    return all(
        math.isclose(value, row == column, abs_tol=1e-6)
        for row, values in enumerate(matrix)
        for column, value in enumerate(values)
    )


def _rotated_sides(sides: Vector, angle: float) -> Vector:
    """Return the sides of the axis-aligned box around a box that is rotated about Z, in radians."""
    across, along = abs(math.cos(angle)), abs(math.sin(angle))
    return Vector((sides.x * across + sides.y * along, sides.x * along + sides.y * across, sides.z))


def _find_stand(
    context: bpy.types.Context,
    place: jobs.Placement,
    stand: Stand,
    ours: Sequence[bpy.types.Object],
    reserved: Iterable[Box],
) -> Vector:
    """Return a model's bottom center: on free ground if `place` asks for that, else `stand`'s.

    The latter is moved along X past other results if a spacing is set.
    """
    box, taken = stand.box(), list(reserved)
    sides = box[1] - box[0]
    if not place.free:
        offset = 0.0
        if place.spacing is not None:
            context.view_layer.update()
            others = [*_result_boxes(context, ours), *taken]
            offset = _row_offset(box, others, place.spacing)
        return stand.location + Vector((offset, 0.0, 0.0))
    from .ground.free_ground import boxes_as_obstacles, find_spot
    from .ground.surroundings import floor_under, read_surroundings

    context.view_layer.update()
    around = read_surroundings(context, sides, ours)
    around = around._replace(obstacles=(*around.obstacles, *boxes_as_obstacles(taken)))
    gap = GAP * unit_factor(context.scene) if place.spacing is None else place.spacing
    spot = find_spot(around, sides, gap)
    if any(item.floor is not None for item in around.obstacles):
        floor = floor_under(context, spot, sides.z)
        if floor is not None and abs(floor - spot.z) <= SLOPE * sides.z:
            spot.z = floor
    return spot


def _row_offset(box: Box, others: Iterable[Box], spacing: float) -> float:
    """Return the shift toward +X that keeps the model clear of other results in its row."""
    low, high = box
    occupied = sorted(
        (other_low.x, other_high.x)
        for other_low, other_high in others
        if other_low.y < high.y and other_high.y > low.y
    )
    start, width = low.x, high.x - low.x
    # Because of rounding, a model that exactly touches its neighbor must not be moved.
    touch = width * 1e-4
    for low_x, high_x in occupied:
        if low_x - spacing < start + width - touch and high_x + spacing > start + touch:
            start = high_x + spacing
    return float(start - low.x)


def _result_boxes(context: bpy.types.Context, without: Iterable[bpy.types.Object]) -> Iterable[Box]:
    """Yield the boxes of the visible results in the view layer, except for roots in `without`."""
    ours = set(without)
    for obj in context.view_layer.objects:
        is_root = JOB in obj and obj.parent is None
        if is_root and obj not in ours and obj.visible_get(view_layer=context.view_layer):
            corners = list(_corners(obj))
            if corners:
                yield _box(corners)
