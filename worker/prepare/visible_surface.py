# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that a model has a visible surface: finite positions, and faces with an area."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ..mesh.arrays import Floats, corners_of, triangles_of
from ..refusal import Message, Refusal
from .evaluated_objects import evaluated_positions

MAX_DISTANCE, MIN_SIZE = 1e9, 1e-9
"""Limits in meters. Beyond them, Blender's normals overflow or vanish: they are computed from
fourth powers in 32 bits."""
MIN_AREA = 1e-7
"""Minimum total area of all faces, as a share of the squared diagonal; a line has less, as rounding
noise."""
BATCH = 1 << 14
"""Triangles per batch: bounds the memory for double precision."""

ANOTHER = "Generate the mesh again."


def check_surface(objects: list[bpy.types.Object]) -> None:
    """Raise Refusal if the objects have no surface that Blender can display."""
    low, high = world_bounds(objects)
    if max(np.abs(low).max(), np.abs(high).max()) > MAX_DISTANCE:  # guard: mesh-not-too-far
        message = Message(
            "The mesh has vertices more than {distance} m away, which Blender cannot display.",
            distance=f"{MAX_DISTANCE:,.0f}",
        )
        raise Refusal("bad_mesh", message, ANOTHER)
    diagonal = float(np.linalg.norm((high - low).astype(np.float64)))
    if diagonal < MIN_SIZE:  # guard: mesh-not-a-point
        raise Refusal("bad_mesh", "All vertices of the mesh are at the same location.", ANOTHER)
    if not _has_area(objects, MIN_AREA * diagonal**2):  # guard: mesh-has-area
        raise Refusal("bad_mesh", "The faces of the mesh have no area.", ANOTHER)


def world_bounds(objects: list[bpy.types.Object]) -> tuple[Floats, Floats]:
    """Return the minimum and maximum corner (3,) of the evaluated objects in world space.

    Raise Refusal if a position is not finite.
    """
    bpy.context.view_layer.update()
    boxes = [_bounds(evaluated_positions(obj), obj.matrix_world) for obj in objects]
    low = np.min([low for low, _ in boxes], axis=0)
    return low, np.max([high for _, high in boxes], axis=0)


def _bounds(positions: Floats, world: Matrix) -> tuple[Floats, Floats]:
    placed = _to_world(positions, world)
    low, high = placed.min(axis=0), placed.max(axis=0)
    if not np.isfinite(high - low).all():  # guard: points-have-a-place
        raise Refusal("bad_mesh", "The mesh has vertices with invalid coordinates.", ANOTHER)
    return low, high


def _to_world(positions: Floats, world: Matrix) -> Floats:
    if world == Matrix():
        return positions
    matrix = np.array(world, np.float32)
    with np.errstate(all="ignore"):  # Overflow becomes inf, which is refused.
        return positions @ matrix[:3, :3].T + matrix[:3, 3]


def _has_area(objects: list[bpy.types.Object], least: float) -> bool:
    """Return whether the triangles' total area exceeds `least`; usually the first batch does."""
    total = 0.0
    for obj in objects:
        corners = corners_of(obj.data)
        triangles, _ = triangles_of(obj.data)
        positions = _to_world(evaluated_positions(obj), obj.matrix_world)
        for first in range(0, len(triangles), BATCH):
            points = positions[corners[triangles[first : first + BATCH]]].astype(np.float64)
            sides = points[:, 1:] - points[:, :1]
            total += np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2.0
            if total > least:
                return True
    return False
