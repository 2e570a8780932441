# SPDX-License-Identifier: GPL-3.0-or-later
"""Adjust a model that was just imported: shading and cleanup, on the main thread.

*Cleanup on Import* does more, in the background Blender. These adjustments are fast enough to
follow a slider.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bmesh
import bpy
import numpy as np

from ...worker.mesh.orientation import recalculate_outside


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Adjustments of a model's meshes.

    `shading` is "KEEP", "SMOOTH", "ANGLE", or "FLAT"; `angle`, in radians, belongs to "ANGLE".
    `merge` is a distance in the mesh's units, 0 to merge nothing. `outward` recalculates normals.
    """

    shading: str = "KEEP"
    angle: float = 0.0
    merge: float = 0.0
    outward: bool = False


def adjust_model(objects: Iterable[bpy.types.Object], wanted: Adjustments) -> None:
    """Merge vertices, recalculate normals, and shade, as wanted; linked meshes stay as they are."""
    meshes = dict.fromkeys(obj.data for obj in objects if obj.type == "MESH")
    for mesh in meshes:
        if mesh.library is not None:
            continue
        if wanted.merge > 0.0:
            _merge_by_distance(mesh, wanted.merge)
        if wanted.outward:
            recalculate_outside(mesh)
        if wanted.shading != "KEEP":
            _shade(mesh, wanted)


def _merge_by_distance(mesh: bpy.types.Mesh, distance: float) -> None:
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.remove_doubles(work, verts=work.verts, dist=distance)
    work.to_mesh(mesh)
    # Free it now, not when it is garbage-collected: it may take hundreds of megabytes.
    work.free()
    mesh.update()


def _shade(mesh: bpy.types.Mesh, wanted: Adjustments) -> None:
    if mesh.has_custom_normals:  # They override the shading. Zero vectors reset them.
        mesh.normals_split_custom_set(np.zeros((len(mesh.loops), 3), np.float32))
    if wanted.shading == "FLAT":
        mesh.shade_flat()
        return
    mesh.shade_smooth()
    if wanted.shading == "ANGLE":
        mesh.set_sharp_from_angle(angle=wanted.angle)
    elif "sharp_edge" in mesh.attributes:
        mesh.attributes.remove(mesh.attributes["sharp_edge"])
