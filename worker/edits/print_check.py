# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a model for 3D printing: watertight, wall thickness, and size in millimeters."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from ..mesh.orientation import read_shape

SAMPLES = 6000
"""Maximum number of points on the surface at which the wall is measured."""
MILLIMETERS = 1000.0
THIN_TOLERATED = 0.005
"""Share of the surface whose wall may be too thin: it always is at sharp edges."""


def print_check(
    meshes: list[bpy.types.Object], card: dict[str, Any], asked: dict[str, Any]
) -> dict[str, Any]:
    """Return a model's figures for 3D printing: lengths in millimeters, the volume in cm³.

    `card` is the model's report. The figures are for a print that is `asked["print_height"]`
    millimeters tall. If that is 0, a scene unit counts as a meter. `thin_share` is the share of the
    surface whose wall is thinner than `asked["wall"]`. On all but THIN_TOLERATED of the surface,
    the wall is at least as thick as `thinnest`.
    """
    wanted, tallest = float(asked.get("print_height", 0.0)), card["size"][2]
    scale = wanted / tallest if wanted > 0.0 and tallest > 0.0 else MILLIMETERS
    wall = float(asked.get("wall", 0.8))
    thickness = np.concatenate([_thickness(obj) for obj in meshes]) * scale
    thin = float((thickness < wall).mean()) if len(thickness) else 0.0
    thinnest = float(np.quantile(thickness, THIN_TOLERATED)) if len(thickness) else 0.0
    sound = card["watertight"] and not card["flipped_faces"]
    return {
        "size": [round(side * scale, 2) for side in card["size"]],
        "watertight": bool(card["watertight"]),
        "wall": wall,
        "thinnest": round(thinnest, 3),
        "thin_share": round(thin, 4),
        # A cubic centimeter has a thousand cubic millimeters.
        "volume": round(sum(_volume(obj) for obj in meshes) * scale**3 / MILLIMETERS, 3),
        "printable": bool(sound and thin <= THIN_TOLERATED),
    }


def _thickness(obj: bpy.types.Object) -> NDArray[Any]:
    """Return the wall thickness, in scene units, at random points of the surface: an array (n,).

    It is measured along the inward normal. Points whose ray leaves through a hole are left out. The
    array is empty if the surface has no area.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    tree = BVHTree.FromObject(obj, graph)
    shape = read_shape(obj.data)
    all_corners = shape.points[shape.triangles].astype(np.float64)
    sides = all_corners[:, 1:] - all_corners[:, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    if area.sum() <= 0.0:
        return np.empty(0)
    # A fixed seed: the same model always gets the same figures.
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(area), min(SAMPLES, len(area) * 4), p=area / area.sum())
    corners = all_corners[chosen]
    weights = rng.dirichlet((1.0, 1.0, 1.0), len(chosen))
    points = np.einsum("ij,ijk->ik", weights, corners)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    # A ray that starts on the surface would hit the face that it starts from.
    start = obj.dimensions.length * 1e-6
    distances = []
    for point, normal in zip(points, normals, strict=True):
        inward = Vector(-normal)
        hit, _, _, distance = tree.ray_cast(Vector(point) + inward * start, inward)
        if hit is not None:
            distances.append(distance + start)
    return np.array(distances)


def _volume(obj: bpy.types.Object) -> float:
    shape = read_shape(obj.data)
    corner = shape.points[shape.triangles].astype(np.float64)
    normal = np.cross(corner[:, 1], corner[:, 2])
    return float(np.einsum("ij,ij->", corner[:, 0], normal)) / 6.0
