# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in the scene a point of the 3D viewport is: on what is seen there, else on the ground."""

from __future__ import annotations

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector
from mathutils.geometry import intersect_line_plane

FAR = 4.0
"""How many times the view's distance the ground may be away to be meant."""


def point_under(
    context: bpy.types.Context, region: bpy.types.Region, coordinate: tuple[float, float]
) -> tuple[float, float, float]:
    """Return the place in the world under a pixel of a 3D view's region."""
    view = context.space_data.region_3d
    origin = view3d_utils.region_2d_to_origin_3d(region, view, coordinate)
    direction = view3d_utils.region_2d_to_vector_3d(region, view, coordinate)
    depsgraph = context.evaluated_depsgraph_get()
    hit, location, *_ = context.scene.ray_cast(depsgraph, origin, direction)
    if not hit:
        location = _on_ground(view, origin, direction)
    if location is None:
        depth = view.view_location
        location = view3d_utils.region_2d_to_location_3d(region, view, coordinate, depth)
    return tuple(location)


def _on_ground(view: bpy.types.RegionView3D, origin: Vector, direction: Vector) -> Vector | None:
    """Return where the line of sight meets the ground, if that is in front and near enough."""
    point = intersect_line_plane(origin, origin + direction, Vector(), Vector((0.0, 0.0, 1.0)))
    if point is None or (view.is_perspective and (point - origin).dot(direction) <= 0.0):
        return None
    is_near = (point - view.view_location).length <= FAR * view.view_distance
    return point if is_near else None
