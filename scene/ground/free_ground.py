# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ground for a model: beside what is visible, on the same ground, where the artist is looking.

Everything here is plain geometry of boxes; `surroundings` reads them from a scene.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mathutils import Matrix, Vector

Box = tuple[Vector, Vector]
"""Minimum and maximum corner, in world space."""

FLAT = 0.02
"""Maximum height of a ground plane, relative to its shorter side."""
WIDE = 3.0
"""Minimum width and depth of a ground plane or a room, in multiples of the model's larger one."""
ROOMS = 8
"""How many of the widest objects are considered as rooms or terrain."""
FAR = 8.0
"""Maximum distance of a spot along X or Y, in multiples of the model's longest side. Beyond that,
a grid around the start is tried first."""
RINGS = 12
"""Rings of spots around the start that are tried when the row is full."""
LEVEL, DEEP = 0.1, 4.0
"""How far ground may be above and below the nearest object's bottom, in model heights."""
WELL, IN_SIGHT = 0.9, 0.6
"""Share of a model's outline that is in sight at a good spot, and at an acceptable one."""


class Obstacle(NamedTuple):
    """A visible object: its box, whether it is a result, and its surface's height at the start.

    That height, `floor`, is None if no surface of the object is above or below the start.
    """

    box: Box
    is_result: bool = False
    floor: float | None = None


class View(NamedTuple):
    """The facts about a viewport that the search for free ground needs.

    `matrix` projects world space to clip space. `eye` is the position of the viewer, None in an
    orthographic view. `right` is the direction to the right of the screen in world space. `clear`
    is the part that no other region covers: left, bottom, right, top in normalized device
    coordinates (-1 to 1).
    """

    matrix: Matrix
    eye: Vector | None
    right: Vector
    clear: tuple[float, float, float, float] = (-1.0, -1.0, 1.0, 1.0)


class Surroundings(NamedTuple):
    """The facts about a scene that the search for free ground needs.

    `points` are the locations of objects without a surface, such as cameras: a box that contains
    one counts as a room. `start` is where the search begins.
    """

    obstacles: tuple[Obstacle, ...]
    points: tuple[Vector, ...]
    start: Vector
    view: View | None = None


def find_spot(around: Surroundings, sides: Sequence[float], spacing: float) -> Vector:
    """Return where to put the bottom center of a model with these sides (width, depth, height).

    This is `around.start`, at the height of the ground, if that is free. Otherwise, it is the first
    of these that exists:

    1. a free spot near the start along X or Y, in sight if possible. The axis along which more
       results are lined up with the start is tried first; in a tie, the one that is more horizontal
       in the viewport.
    2. the nearest free spot on a grid around the start.
    3. a free spot along X or Y, at any distance.

    `spacing` is the minimum distance from obstacles.
    """
    carriers = _carriers(around, sides)
    carrying = set(map(id, carriers))
    solid = [item for item in around.obstacles if id(item) not in carrying]
    ground = _ground(around.start, solid, carriers, sides)
    start = Vector((around.start.x, around.start.y, ground))
    level = [item for item in solid if _meets(item.box, ground, ground + sides[2], axis=2)]
    if not _blockers(level, start, sides, spacing):
        return start
    found = [spot for axis in _axes(around, level, sides)
             for spot in _row_spots(level, start, sides, spacing, axis)]  # fmt: skip
    limit = FAR * max(sides) + max((_reach(item.box, start) for item in level), default=0.0)
    near = [spot for spot in found if (spot - start).length <= limit]
    for share in (WELL, IN_SIGHT, 0.0):
        for spot in near:
            if _share_in_sight(around.view, spot, sides, level) >= share:
                return spot
    return _nearest_free(level, start, sides, spacing) or found[0]


def model_box(spot: Vector, sides: Sequence[float]) -> Box:
    """Return the box of a model with its bottom center at the spot."""
    half = Vector((sides[0] / 2, sides[1] / 2, 0.0))
    return spot - half, spot + half + Vector((0.0, 0.0, sides[2]))


def visible_share(view: View, box: Box) -> tuple[float, float]:
    """Return the share of a box's outline in the viewport, and the share of the viewport it fills.

    Both are 0 if the box is outside of the viewport, or one of its corners is behind the eye.
    """
    outline = screen_outline(view, box)
    if outline is None:
        return 0.0, 0.0
    left, bottom, right, top, _ = outline
    shown = _overlap((left, bottom, right, top), view.clear)
    area = max((right - left) * (top - bottom), 1e-12)
    return shown / area, shown / 4.0


def screen_outline(view: View, box: Box) -> tuple[float, float, float, float, float] | None:
    """Return a box's left, bottom, right, top, and depth on the screen.

    The sides are in normalized device coordinates; greater depths are farther away. Return None if
    a corner of the box is behind the eye.
    """
    low, high = box
    corners = [
        view.matrix @ Vector((x, y, z, 1.0))
        for x in (low.x, high.x)
        for y in (low.y, high.y)
        for z in (low.z, high.z)
    ]
    if min(corner.w for corner in corners) <= 1e-6:
        return None
    across = [corner.x / corner.w for corner in corners]
    up = [corner.y / corner.w for corner in corners]
    center = view.matrix @ Vector((*((low + high) / 2), 1.0))
    depth = center.w if view.eye is not None else center.z
    return min(across), min(up), max(across), max(up), depth


def _carriers(around: Surroundings, sides: Sequence[float]) -> list[Obstacle]:
    """Return the obstacles that a model stands on or in: ground planes, terrains, and rooms."""
    wide = [item for item in around.obstacles if _is_wide(item.box, sides)]
    flat = [item for item in wide if _is_flat(item.box)]
    # Rooms and terrains are the largest things around; each is compared with everything else.
    large = sorted((item for item in wide if not _is_flat(item.box)), key=_width, reverse=True)
    return flat + [item for item in large[:ROOMS] if _holds_something(item.box, around)]


def _is_wide(box: Box, sides: Sequence[float]) -> bool:
    width, depth, _ = box[1] - box[0]
    return min(width, depth) >= WIDE * max(sides[0], sides[1])


def _is_flat(box: Box) -> bool:
    width, depth, height = box[1] - box[0]
    return height <= FLAT * min(width, depth)


def _width(item: Obstacle) -> float:
    return float((item.box[1] - item.box[0]).xy.length)


def _holds_something(box: Box, around: Surroundings) -> bool:
    """Return whether a box contains the eye, a point such as a camera, or all of another object."""
    eye = around.view.eye if around.view else None
    inner = [*around.points, *([eye] if eye is not None else [])]
    return any(_contains(box, point) for point in inner) or any(
        _contains(box, other.box[0]) and _contains(box, other.box[1])
        for other in around.obstacles
        if other.box is not box
    )


def _ground(
    start: Vector, solid: list[Obstacle], carriers: list[Obstacle], sides: Sequence[float]
) -> float:
    """Return the height of the ground at the start.

    This is the highest ground near the bottom of the nearest object, or that bottom if no ground is
    near it. Without an object, it is the ground closest to Z = 0, or 0 if no ground is near.
    Ceilings are too high to count, and the bottom of a sky dome is too low.
    """
    floors = [item.floor for item in carriers if item.floor is not None]
    nearest = min(solid, key=lambda item: _gap(item.box, start), default=None)
    level = nearest.box[0].z if nearest else 0.0
    highest = level + LEVEL * sides[2] if nearest else math.inf
    near = [floor for floor in floors if abs(floor - level) <= DEEP * sides[2] and floor <= highest]
    if nearest:
        return max(near, default=level)
    return min(near, key=abs, default=level)


def _axes(around: Surroundings, level: list[Obstacle], sides: Sequence[float]) -> list[int]:
    """Return both axes (X is 0, Y is 1), ordered by how many results are lined up with the start.

    The axis along which more results are lined up comes first. In a tie, it is the axis that is
    more horizontal in the viewport.
    """
    right = around.view.right if around.view else Vector((1.0, 0.0, 0.0))
    across = 0 if abs(right.x) >= abs(right.y) else 1
    others = [item for item in level if item.is_result]
    counts = [
        sum(_meets(item.box, around.start[1 - axis] - sides[1 - axis] / 2,
                   around.start[1 - axis] + sides[1 - axis] / 2, axis=1 - axis) for item in others)
        for axis in (0, 1)
    ]  # fmt: skip
    return sorted((0, 1), key=lambda axis: (-counts[axis], axis != across))


def _row_spots(
    level: list[Obstacle], start: Vector, sides: Sequence[float], spacing: float, axis: int
) -> list[Vector]:
    """Return the nearest free spot in each direction along an axis, the nearer of the two first."""
    across, touch = 1 - axis, _touch(sides)
    reach, room = (sides[side] / 2 + spacing - touch for side in (axis, across))
    row = [
        (item.box[0][axis] - reach, item.box[1][axis] + reach)
        for item in level
        if _meets(item.box, start[across] - room, start[across] + room, axis=across)
    ]
    # Each interval is passed once, in the order in which it is met. Searching again for blockers
    # would not end where rounding leaves the model inside of what it has just passed.
    right = left = float(start[axis])
    for low, high in sorted(row):
        if low < right < high:
            right = high + touch
    for low, high in sorted(row, key=lambda interval: -interval[1]):
        if low < left < high:
            left = low - touch
    spots = [start.copy(), start.copy()]
    spots[0][axis], spots[1][axis] = right, left
    return sorted(spots, key=lambda spot: (round((spot - start).length, 4), -spot[axis]))


def _touch(sides: Sequence[float]) -> float:
    """Return how much closer than the spacing a model may be, to allow for rounding errors."""
    return 1e-4 * max(sides)


def _blockers(
    level: list[Obstacle], spot: Vector, sides: Sequence[float], spacing: float
) -> list[Box]:
    """Return the boxes that are closer than the spacing to a model at the spot."""
    touch = _touch(sides)
    x, y = sides[0] / 2 + spacing - touch, sides[1] / 2 + spacing - touch
    return [
        item.box
        for item in level
        if item.box[0].x < spot.x + x
        and item.box[1].x > spot.x - x
        and item.box[0].y < spot.y + y
        and item.box[1].y > spot.y - y
    ]


def _nearest_free(
    level: list[Obstacle], start: Vector, sides: Sequence[float], spacing: float
) -> Vector | None:
    """Return the nearest free spot on a grid of RINGS steps around the start, or None."""
    step = max(sides[0], sides[1]) + spacing
    offsets = sorted(
        ((x, y) for x in range(-RINGS, RINGS + 1) for y in range(-RINGS, RINGS + 1)),
        key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, -offset[0]),
    )
    for x, y in offsets:
        spot = start + Vector((x * step, y * step, 0.0))
        if not _blockers(level, spot, sides, spacing):
            return spot
    return None


def _share_in_sight(
    view: View | None, spot: Vector, sides: Sequence[float], level: list[Obstacle]
) -> float:
    """Return the share of a model's outline that is inside the viewport and not covered.

    It is 1 without a viewport, and 0 if a corner of the model is behind the eye. An area that
    several obstacles cover is subtracted several times, so the share may be negative.
    """
    if view is None:
        return 1.0
    box = model_box(spot, sides)
    outline = screen_outline(view, box)
    if outline is None:
        return 0.0
    *rectangle, depth = outline
    area = max((rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1]), 1e-12)
    others = (screen_outline(view, item.box) for item in level)
    covered = sum(_overlap(rectangle, other[:4]) for other in others if other and other[4] < depth)
    return visible_share(view, box)[0] - covered / area


def _overlap(rectangle: Sequence[float], other: Sequence[float]) -> float:
    width = min(rectangle[2], other[2]) - max(rectangle[0], other[0])
    height = min(rectangle[3], other[3]) - max(rectangle[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _meets(box: Box, low: float, high: float, *, axis: int) -> bool:
    return box[0][axis] < high and box[1][axis] > low


def _contains(box: Box, point: Vector) -> bool:
    return all(box[0][axis] <= point[axis] <= box[1][axis] for axis in range(3))


def _covers(box: Box, point: Vector) -> bool:
    return all(box[0][axis] <= point[axis] <= box[1][axis] for axis in (0, 1))


def _gap(box: Box, point: Vector) -> float:
    """Return the horizontal distance from a point to a box; 0 if it is above, below, or inside."""
    x, y = (max(box[0][axis] - point[axis], 0.0, point[axis] - box[1][axis]) for axis in (0, 1))
    return float((x * x + y * y) ** 0.5)


def _reach(box: Box, start: Vector) -> float:
    """Return how far a box extends from the start in X or Y; 0 if it does not cover the start."""
    if not _covers(box, start):
        return 0.0
    return max(abs(box[side][axis] - start[axis]) for side in (0, 1) for axis in (0, 1))


def boxes_as_obstacles(boxes: Iterable[Box]) -> tuple[Obstacle, ...]:
    """Return the boxes of expected models as obstacles, marked as results."""
    return tuple(Obstacle(box, is_result=True) for box in boxes)
