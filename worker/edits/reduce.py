# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduce the number of faces while keeping textures: to a number, or as levels of detail."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..mesh.arrays import corners_of, edges_of, positions_of, read, starts_of
from ..prepare.cleanup import model_meshes
from ..progress import Report
from ..refusal import Message, Refusal

TOLERANCE = 0.02
"""Share of triangles above the target that is accepted."""
TRIES = 3
"""Maximum passes of the modifier: an open mesh, or one with many seams, may need several."""
SEAMS = "Seams"
CURVATURE = 8.0
"""How much more a generated surface bends than a sphere of its size, found by experiment. With
more, seams stay at the expense of everything else; with less, they fray."""
UV_TOLERANCE = 1e-5
"""Largest difference between UV coordinates that counts as equal."""
SEAM_WEIGHT = 0.5
"""Vertex group weight of seams: at full weight they would stay at any cost."""


def decimate(
    root: bpy.types.Object, asked: dict[str, Any], report: Report
) -> tuple[bpy.types.Object, list[str]]:
    """Decimate the model to about `asked["faces"]` triangles; return its root and no notes.

    Each mesh keeps the same share of its triangles, but at least four. Raise Refusal if the model
    does not have more triangles than `asked["faces"]`.
    """
    meshes = model_meshes(root)
    counts = [triangle_count(obj.data) for obj in meshes]
    total, wanted = sum(counts), int(asked["faces"])
    if wanted >= total:
        message = Message("The model has only {count} triangles.", count=f"{total:,}")
        raise Refusal("invalid_settings", message, "Set Faces to a lower number.")
    for number, (obj, count) in enumerate(zip(meshes, counts, strict=True)):
        report(number / len(meshes), Message("Reducing to {count} triangles", count=f"{wanted:,}"))
        # Four triangles are the smallest closed mesh.
        decimate_object(obj, max(4, round(count * wanted / total)))
    return root, []


def detail_levels(
    root: bpy.types.Object, asked: dict[str, Any], report: Report
) -> tuple[bpy.types.Object, list[str]]:
    """Create `asked["levels"]` levels of detail; return their parent, an Empty, and no notes.

    The finest level is the whole model. The coarsest has `asked["faces"]` triangles, or half as
    many as the model if that is fewer. The levels are objects named “name LOD0”, “name LOD1”, and
    so on; only the first is visible.
    """
    name, levels = asked["name"], int(asked.get("levels", 4))
    finest = join_objects(model_meshes(root), f"{name} LOD0")
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
        # Each level keeps the same share of the one before it.
        wanted = round(total * (coarsest / total) ** (level / (levels - 1)))
        report(
            level / levels,
            Message("Level {level}: {count} triangles", level=level, count=f"{wanted:,}"),
        )
        made = finest.copy()
        made.data = finest.data.copy()
        made.name = made.data.name = f"{name} LOD{level}"
        bpy.context.scene.collection.objects.link(made)
        decimate_object(made, wanted)
        made.hide_viewport = made.hide_render = True
    return top, []


def decimate_object(obj: bpy.types.Object, triangles: int) -> None:
    """Decimate the object's mesh to about `triangles` if it has more; keep seams of textures.

    More triangles remain if no others can be collapsed, or if TRIES passes are not enough.
    """
    before = obj.data
    for _ in range(TRIES):
        count = triangle_count(obj.data)
        if count <= triangles * (1.0 + TOLERANCE):
            break
        _collapse(obj, triangles / count)
        if triangle_count(obj.data) == count:
            break  # Nothing can be collapsed any more.
    if obj.data != before and not before.users:
        name = before.name
        bpy.data.meshes.remove(before)
        obj.data.name = name


def join_objects(meshes: list[bpy.types.Object], name: str) -> bpy.types.Object:
    """Join mesh objects into a new object at the world origin, and return it.

    A single object is not replaced: it is renamed, loses its parent, and stays in place.
    """
    bpy.context.view_layer.update()
    for obj in meshes:
        # Without a parent the object would jump: its own transform is relative to that.
        world = obj.matrix_world.copy()
        obj.parent = None
        obj.matrix_world = world
    first = meshes[0]
    if len(meshes) > 1:
        target = bpy.data.objects.new(name, bpy.data.meshes.new(name))
        bpy.context.scene.collection.objects.link(target)
        bpy.context.view_layer.update()
        for obj in bpy.context.view_layer.objects:
            obj.select_set(obj in meshes or obj == target)
        bpy.context.view_layer.objects.active = first = target
        bpy.ops.object.join()
    first.name = first.data.name = name
    return first


def triangle_count(mesh: bpy.types.Mesh) -> int:
    """Return the number of triangles that the mesh has once it is triangulated."""
    return len(mesh.loops) - 2 * len(mesh.polygons)


def _collapse(obj: bpy.types.Object, ratio: float) -> None:
    modifier = obj.modifiers.new("Reduce", "DECIMATE")
    modifier.ratio = ratio
    modifier.use_collapse_triangulate = True
    seams = _protect_seams(obj, modifier)
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
    """Remove the vertex group if it exists: some Blender versions copy it to the new mesh."""
    group = obj.vertex_groups.get(name)
    if group is not None:
        obj.vertex_groups.remove(group)


def _protect_seams(obj: bpy.types.Object, modifier: bpy.types.DecimateModifier) -> str:
    """Weight the modifier against collapsing seams of textures and materials.

    Return the name of the vertex group that marks the seams, or "" if there are no seams.

    A triangle across a seam would show the texture between two UV islands. The modifier adds an
    edge's length, times the factor, to the squared distance by which its collapse moves the
    surface. The factor is chosen so that seams collapse last among equally good candidates.
    """
    mesh = obj.data
    seam = np.flatnonzero(_on_seams(mesh))
    if not len(seam):
        return ""
    positions = positions_of(mesh)
    ends = positions[edges_of(mesh)]
    diagonal = max(float(np.linalg.norm(np.ptp(positions, axis=0))), 1e-9)
    edge = max(float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean()), 1e-9)
    group = obj.vertex_groups.new(name=SEAMS)
    group.add(seam.tolist(), SEAM_WEIGHT, "REPLACE")
    modifier.vertex_group, modifier.invert_vertex_group = group.name, True
    sag = edge**2 / modifier.ratio / diagonal
    modifier.vertex_group_factor = CURVATURE * sag**2 / modifier.ratio / (SEAM_WEIGHT * edge)
    return str(group.name)


def _on_seams(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    """Return a mask of vertices whose corners differ in UV or material."""
    corners = corners_of(mesh)
    sizes = np.diff(starts_of(mesh), append=len(corners))
    values = [np.repeat(read(mesh.polygons, "material_index", np.int32), sizes)]
    for layer in mesh.uv_layers:
        values.extend(read(layer.uv, "vector", np.float32, 2).T)
    seam = np.zeros(len(mesh.vertices), bool)
    for value in values:
        any_of = np.zeros(len(seam), value.dtype)
        any_of[corners] = value
        seam[corners[np.abs(value - any_of[corners]) > UV_TOLERANCE]] = True
    return seam
