# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate the size of a mesh that does not exist yet, and find it a free location."""

from __future__ import annotations

import math
from collections.abc import Iterable

import bpy
from mathutils import Vector

from .. import jobs
from ..jobs.custom_properties import JOB

Point = tuple[float, float, float]
Span = tuple[Point, Point]
"""The lowest and the highest corner of a box along the world's axes."""
DEPTH = 0.5
"""Expected depth as a share of the smaller of width and height: a front view does not tell it."""
GAP = 0.25
"""Gap between two boxes as a share of the width, where the scene has no spacing."""


def expected_size(place: jobs.Placement, aspect: float, own: float) -> Point:
    """Return width, depth and height of a mesh whose image has this ratio of width to height.

    `own` is the height of a model that keeps its own size.
    """
    height = place.size or own
    if place.size and place.measure == "longest" and aspect > 1.0:
        height /= aspect
    width = height * aspect
    return width, DEPTH * min(width, height), height


def span_of(location: Point, rotation: float, size: Point) -> Span:
    """Return the box along the world's axes that holds a rotated one."""
    x, y, z = location
    sine, cosine = abs(math.sin(rotation)), abs(math.cos(rotation))
    right = (cosine * size[0] + sine * size[1]) / 2
    back = (sine * size[0] + cosine * size[1]) / 2
    return (x - right, y - back, z), (x + right, y + back, z + size[2])


def free_location(
    context: bpy.types.Context, place: jobs.Placement, size: Point, taken: Iterable[Span]
) -> Point:
    """Return the location, moved along X past boxes that are taken, and past results in a row."""
    spans = list(taken)
    gap = GAP * size[0]
    if place.spacing is not None:
        gap = place.spacing
        spans += _results(context)
    low, high = span_of(place.location, place.rotation, size)
    start, width = low[0], high[0] - low[0]
    beside = (span for span in spans if all(span[0][i] < high[i] and low[i] < span[1][i]
                                            for i in (1, 2)))  # fmt: skip
    for other_low, other_high in sorted(beside):
        if other_low[0] - gap < start + width and start < other_high[0] + gap:
            start = other_high[0] + gap
    x, y, z = place.location
    return x + start - low[0], y, z


def _results(context: bpy.types.Context) -> Iterable[Span]:
    for obj in context.view_layer.objects:
        if JOB in obj and obj.parent is None and obj.visible_get(view_layer=context.view_layer):
            whole = (obj, *obj.children_recursive)
            meshes = [part for part in whole if part.type == "MESH"]
            points = [
                part.matrix_world @ Vector(corner) for part in meshes for corner in part.bound_box
            ]
            if points:
                columns = list(zip(*points, strict=True))
                low, high = tuple(map(min, columns)), tuple(map(max, columns))
                yield (low[0], low[1], low[2]), (high[0], high[1], high[2])
