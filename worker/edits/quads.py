# SPDX-License-Identifier: GPL-3.0-or-later
"""A new mesh of quads over the old one, with the old one's looks baked onto it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bmesh
import bpy
import numpy as np

from ..mesh.arrays import read, sides_of
from ..prepare.cleanup import model_meshes
from ..prepare.visible_surface import bounds
from ..refusal import Message, Refusal
from .baking import bake_over, texture_side, unwrap
from .reduce import joined

FINER = 4.0
"""How many times more faces the closed hull has that the quads are laid over."""
MOST_HULL_FACES = 400_000
ENOUGH_QUADS = 0.95
SAME_SIZE = 0.06
"""By what part of its diagonal a good new mesh may be larger or smaller than the old one."""
TRIES = 4

Watch = Callable[[float, str], None]


def quads(
    root: bpy.types.Object, asked: dict[str, Any], report: Watch
) -> tuple[bpy.types.Object, list[str]]:
    """Make a mesh of about `asked["faces"]` quads in the model's place."""
    name, wanted = asked["name"], int(asked["faces"])
    sources = model_meshes(root)
    notes: list[str] = []
    report(0.0, "Closing the surface")
    made = joined([_copy(obj) for obj in sources], name)
    area = _area(made.data)
    _voxels(made, area, min(int(wanted * FINER), MOST_HULL_FACES))
    report(0.15, Message("Laying {count} quads", count=f"{wanted:,}"))
    if not _flow(made, wanted, sources):
        notes.append("The quads follow a grid: the surface is too broken for a flow of its own.")
        made = _grid(made, sources, area, wanted, name)
    _cling(made, sources)
    made.data.shade_smooth()
    report(0.5, "Unwrapping")
    unwrap(made)
    side = texture_side(sources, len(made.data.polygons))
    bake_over(made, sources, name, side, lambda part, phase: report(0.6 + 0.4 * part, phase))
    for obj in [root, *root.children_recursive]:
        bpy.data.objects.remove(obj)
    made.name = made.data.name = name
    return made, notes


def _copy(obj: bpy.types.Object) -> bpy.types.Object:
    copy = obj.copy()
    copy.data = obj.data.copy()
    bpy.context.scene.collection.objects.link(copy)
    return copy


def _area(mesh: bpy.types.Mesh) -> float:
    return float(read(mesh.polygons, "area", np.float32).sum())


def _voxels(obj: bpy.types.Object, area: float, faces: int) -> None:
    """Make the mesh a closed hull of about so many quads on a grid; holes stay without effect.

    Raise Refusal where nothing closed comes of it.
    """
    mesh = obj.data
    mesh.remesh_voxel_size = max(float(np.sqrt(area / faces)), obj.dimensions.length / 2000.0)
    mesh.remesh_voxel_adaptivity = 0.0
    mesh.use_remesh_fix_poles = False
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.voxel_remesh()
    if not obj.data.polygons:
        what = "The model has no inside that a new mesh could enclose."
        raise Refusal("failed", what, "Clean it first, or reduce its faces instead.")


def _flow(made: bpy.types.Object, wanted: int, sources: list[bpy.types.Object]) -> bool:
    """Let Blender lay quads along the surface; say whether that went well."""
    hull = made.data.copy()
    bpy.context.view_layer.update()
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj == made)
    bpy.context.view_layer.objects.active = made
    try:
        done = bpy.ops.object.quadriflow_remesh(
            mode="FACES", target_faces=wanted, use_mesh_symmetry=False, smooth_normals=True
        )
    except RuntimeError:
        done = {"CANCELLED"}
    if done == {"FINISHED"} and _is_good(made, wanted, sources):
        bpy.data.meshes.remove(hull)
        return True
    made.data = hull
    return False


def _is_good(made: bpy.types.Object, wanted: int, sources: list[bpy.types.Object]) -> bool:
    sizes = read(made.data.polygons, "loop_total", np.int32)
    # Some versions call it finished where they left the mesh as it was.
    if not wanted / 4 < len(sizes) < wanted * 2 or (sizes == 4).mean() < ENOUGH_QUADS:
        return False
    if (np.bincount(sides_of(made.data)) != 2).any():  # Now and then it leaves a gap in a hull.
        return False
    new, old = bounds([made]), bounds(sources)
    diagonal = np.linalg.norm(old[1] - old[0])
    return bool(np.abs(np.subtract(new, old)).max() < diagonal * SAME_SIZE)


def _grid(
    made: bpy.types.Object,
    sources: list[bpy.types.Object],
    area: float,
    wanted: int,
    name: str,
) -> bpy.types.Object:
    """Return the hull anew, as coarse as it has to be for so many quads."""
    faces = float(wanted)
    for _ in range(TRIES):
        bpy.data.objects.remove(made)
        made = joined([_copy(obj) for obj in sources], name)
        _voxels(made, area, max(16, round(faces)))
        count = len(made.data.polygons)
        if 0.8 < count / wanted < 1.25:
            break
        faces *= wanted / count
    return made


def _cling(made: bpy.types.Object, sources: list[bpy.types.Object]) -> None:
    """Pull the new points onto the old surface, from which the hull stands off a little."""
    target = joined([_copy(obj) for obj in sources], "target")
    modifier = made.modifiers.new("Cling", "SHRINKWRAP")
    modifier.target, modifier.wrap_method = target, "NEAREST_SURFACEPOINT"
    graph = bpy.context.evaluated_depsgraph_get()
    positions = read(made.evaluated_get(graph).data.vertices, "co", np.float32, 3)
    made.modifiers.remove(modifier)
    made.data.vertices.foreach_set("co", positions.ravel())
    made.data.materials.clear()
    bpy.data.objects.remove(target)
    work = bmesh.new()
    work.from_mesh(made.data)
    bmesh.ops.recalc_face_normals(work, faces=work.faces)
    work.to_mesh(made.data)
    work.free()
