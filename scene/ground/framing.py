# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a viewport to a new mesh if no viewport shows it, or to any objects on request."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
from mathutils import Vector

from ..placement import model_world_box
from .free_ground import visible_share
from .surroundings import SMALLEST, view_of, visible_viewports, world_box

SHOWN = 0.5
"""Share of a mesh's outline that a viewport has to show."""
MARGIN = 1.6
"""How many times the mesh's radius fits between its center and the border of the viewport."""


def frame_if_out_of_sight(context: bpy.types.Context, root: bpy.types.Object) -> bool:
    """Center a viewport on the model if none shows enough of it; return whether one moved.

    The largest viewport of the context's screen moves. If that screen has no viewport, the largest
    of all windows moves. In background mode, nothing moves.
    """
    if bpy.app.background:
        return False
    areas = visible_viewports(context)
    box = model_world_box(root)
    for area in areas:
        shown, filled = visible_share(view_of(area), box)
        if shown >= SHOWN and filled >= SMALLEST:
            return False
    if not areas:
        return False
    here = [area for area in areas if area in list(context.screen.areas)] if context.screen else []
    _frame(max(here or areas, key=lambda area: area.width * area.height), box)
    return True


def frame_objects(context: bpy.types.Context, objects: Sequence[bpy.types.Object]) -> None:
    """Center the context's viewport on these objects; do nothing if none has a size."""
    context.view_layer.update()  # A new object has no matrix before.
    found = (world_box(obj.matrix_world, obj.bound_box) for obj in objects)
    boxes = [box for box in found if box]
    if not boxes:
        return
    low = Vector(min(box[0][axis] for box in boxes) for axis in range(3))
    high = Vector(max(box[1][axis] for box in boxes) for axis in range(3))
    _frame(context.area, (low, high))


def _frame(area: bpy.types.Area, box: tuple[Vector, Vector]) -> None:
    """Center a viewport on a box without turning it; a camera view becomes a perspective view."""
    space = area.spaces.active
    view = space.region_3d
    low, high = box
    if view.view_perspective == "CAMERA":
        view.view_perspective = "PERSP"
    view.view_location = (low + high) / 2
    # The viewport is `sensor / lens` times as wide as it is far away.
    radius = max((high - low).length / 2, 1e-6)
    view.view_distance = max(MARGIN * radius * space.lens / 18.0, space.clip_start * 4)
    area.tag_redraw()
