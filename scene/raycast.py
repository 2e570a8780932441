# SPDX-License-Identifier: GPL-3.0-or-later
"""The world position under a pixel of the 3D viewport: on a visible object, else on the ground."""

from __future__ import annotations

import bpy
from bpy_extras import view3d_utils
from mathutils import Vector
from mathutils.geometry import intersect_line_plane

MAX_DISTANCE = 4.0
"""Ground farther away than this many view distances is ignored: near the horizon it is arbitrary.
"""


def point_under(
    context: bpy.types.Context, region: bpy.types.Region, coordinate: tuple[float, float]
) -> tuple[float, float, float]:
    """Return the world position under a pixel (x, y) of a 3D viewport's region.

    If neither an object nor near ground is under the pixel, the position is at the depth of the
    view's pivot.
    """
    # In a quad view, each of the four regions has a view of its own.
    view = (region == context.region and context.region_data) or context.space_data.region_3d
    ray_start = view3d_utils.region_2d_to_origin_3d(region, view, coordinate)
    direction = view3d_utils.region_2d_to_vector_3d(region, view, coordinate)
    depsgraph = context.evaluated_depsgraph_get()
    hit, location, *_ = context.scene.ray_cast(depsgraph, ray_start, direction)
    if not hit:
        location = _on_ground(view, ray_start, direction)
    if location is None:
        depth = view.view_location
        location = view3d_utils.region_2d_to_location_3d(region, view, coordinate, depth)
    return tuple(location)


def _on_ground(view: bpy.types.RegionView3D, ray_start: Vector, direction: Vector) -> Vector | None:
    """Return where the ray meets the ground plane, or None.

    It is None if the ray is parallel to the ground, meets it behind a perspective view, or meets it
    too far away.
    """
    point = intersect_line_plane(
        ray_start, ray_start + direction, Vector(), Vector((0.0, 0.0, 1.0))
    )
    # In an orthographic view a ray starts at no particular depth: ground behind it is visible, too.
    if point is None or (view.is_perspective and (point - ray_start).dot(direction) <= 0.0):
        return None
    is_near = (point - view.view_location).length <= MAX_DISTANCE * view.view_distance
    return point if is_near else None
