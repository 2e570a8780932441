# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer faces, the texture kept: to a number, or as a set of levels of detail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..mesh.arrays import corners_of, edges_of, positions_of, read, starts_of
from ..prepare.cleanup import model_meshes
from ..refusal import Message, Refusal

TOLERANCE = 0.02
TRIES = 3
SEAMS = "Seams"
BENT = 8.0
"""How much more a generated surface bends than a ball of its size, by trying: more of it and the
seams stay at the cost of all else, less and they fray."""
NO_STEP = 1e-5
"""What two texture coordinates of one place may differ by."""
HALF = 0.5
"""Weight of a seam's points: with all of it they would stay whatever it costs the rest."""

Watch = Callable[[float, str], None]


def decimate(
    root: bpy.types.Object, asked: dict[str, Any], report: Watch
) -> tuple[bpy.types.Object, list[str]]:
    """Collapse edges until about `asked["faces"]` triangles are left, shared out by size."""
    meshes = model_meshes(root)
    counts = [triangle_count(obj.data) for obj in meshes]
    total, wanted = sum(counts), int(asked["faces"])
    if wanted >= total:
        what = Message("The model has {count} triangles already.", count=f"{total:,}")
        raise Refusal("invalid_settings", what, "Ask for fewer.")
    for number, (obj, count) in enumerate(zip(meshes, counts, strict=True)):
        report(number / len(meshes), Message("Reducing to {count} triangles", count=f"{wanted:,}"))
        reduce(obj, max(4, round(count * wanted / total)))
    return root, []


def detail_levels(
    root: bpy.types.Object, asked: dict[str, Any], report: Watch
) -> tuple[bpy.types.Object, list[str]]:
    """Make a set of levels, from the model as it is to `asked["faces"]` triangles.

    Each is an object “name LOD0”, “name LOD1” and so on under one Empty; only the first shows.
    """
    name, levels = asked["name"], int(asked.get("levels", 4))
    finest = joined(model_meshes(root), f"{name} LOD0")
    total = triangle_count(finest.data)
    coarsest = min(int(asked["faces"]), max(4, total // 2))
    if root != finest:
        for obj in [root, *root.children_recursive]:
            if obj != finest:
                bpy.data.objects.remove(obj)
    top = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(top)
    finest.parent = top
    for level in range(1, levels):
        wanted = round(total * (coarsest / total) ** (level / (levels - 1)))
        report(
            level / levels,
            Message("Level {level}: {count} triangles", level=level, count=f"{wanted:,}"),
        )
        made = finest.copy()
        made.data = finest.data.copy()
        made.name = made.data.name = f"{name} LOD{level}"
        bpy.context.scene.collection.objects.link(made)
        reduce(made, wanted)
        made.hide_viewport = made.hide_render = True
    return top, []


def reduce(obj: bpy.types.Object, triangles: int) -> None:
    """Collapse the object's mesh to about so many triangles; seams of its texture stay."""
    before = obj.data
    for _ in range(TRIES):  # An open mesh, or one with many seams, ends with more than was asked.
        count = triangle_count(obj.data)
        if count <= triangles * (1.0 + TOLERANCE):
            break
        _collapse(obj, triangles / count)
        if triangle_count(obj.data) == count:
            break
    if obj.data != before and not before.users:
        name = before.name
        bpy.data.meshes.remove(before)
        obj.data.name = name


def joined(meshes: list[bpy.types.Object], name: str) -> bpy.types.Object:
    """Make one object of several meshes, its origin the model's; a single one stays itself."""
    bpy.context.view_layer.update()
    for obj in meshes:
        world = obj.matrix_world.copy()
        obj.parent = None
        obj.matrix_world = world
    first = meshes[0]
    if len(meshes) > 1:
        origin = bpy.data.objects.new(name, bpy.data.meshes.new(name))
        bpy.context.scene.collection.objects.link(origin)
        bpy.context.view_layer.update()
        for obj in bpy.context.view_layer.objects:
            obj.select_set(obj in meshes or obj == origin)
        bpy.context.view_layer.objects.active = first = origin
        bpy.ops.object.join()
    first.name = first.data.name = name
    return first


def triangle_count(mesh: bpy.types.Mesh) -> int:
    """Count the triangles that the mesh's faces are made of."""
    return len(mesh.loops) - 2 * len(mesh.polygons)


def _collapse(obj: bpy.types.Object, ratio: float) -> None:
    modifier = obj.modifiers.new("Reduce", "DECIMATE")
    modifier.ratio = ratio
    modifier.use_collapse_triangulate = True
    seams = _spare_seams(obj, modifier)
    graph = bpy.context.evaluated_depsgraph_get()
    made = bpy.data.meshes.new_from_object(
        obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
    )
    obj.modifiers.remove(modifier)
    _drop_group(obj, seams)
    old = obj.data
    obj.data = made
    _drop_group(obj, seams)
    if old.users == 0 and old.name.endswith(".reduced"):
        bpy.data.meshes.remove(old)


def _drop_group(obj: bpy.types.Object, name: str) -> None:
    """Remove a vertex group, which a new mesh of some versions has taken over."""
    group = obj.vertex_groups.get(name)
    if group is not None:
        obj.vertex_groups.remove(group)


def _spare_seams(obj: bpy.types.Object, modifier: bpy.types.DecimateModifier) -> str:
    """Let the modifier keep the points where the texture or the material changes, while it can.

    A triangle that reaches over a seam shows what lies between two islands of the texture. The
    modifier adds the length of an edge, times the factor, to the squares of the distances by which
    its collapse moves the surface: a seam shall go when that is what the rest would cost, too.
    Return the name of the vertex group that says so, empty where there are no seams.
    """
    mesh = obj.data
    found = np.flatnonzero(_on_seams(mesh))
    if not len(found):
        return ""
    positions = positions_of(mesh)
    ends = positions[edges_of(mesh)]
    diagonal = max(float(np.linalg.norm(np.ptp(positions, axis=0))), 1e-9)
    edge = max(float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean()), 1e-9)
    group = obj.vertex_groups.new(name=SEAMS)
    group.add(found.tolist(), HALF, "REPLACE")
    modifier.vertex_group, modifier.invert_vertex_group = group.name, True
    sag = edge**2 / modifier.ratio / diagonal
    modifier.vertex_group_factor = BENT * sag**2 / modifier.ratio / (HALF * edge)
    return str(group.name)


def _on_seams(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    """Say of each point whether its corners differ in texture coordinates or material."""
    corners = corners_of(mesh)
    sizes = np.diff(starts_of(mesh), append=len(corners))
    values = [np.repeat(read(mesh.polygons, "material_index", np.int32), sizes)]
    for layer in mesh.uv_layers:
        values.extend(read(layer.uv, "vector", np.float32, 2).T)
    found = np.zeros(len(mesh.vertices), bool)
    for value in values:
        any_of = np.zeros(len(found), value.dtype)
        any_of[corners] = value
        found[corners[np.abs(value - any_of[corners]) > NO_STEP]] = True
    return found
