# SPDX-License-Identifier: GPL-3.0-or-later
"""Remesh a model with quads, and bake its textures onto the new mesh."""

from __future__ import annotations

from typing import Any

import bmesh
import bpy
import numpy as np

from ..mesh.arrays import read, sides_of
from ..prepare.cleanup import model_meshes
from ..prepare.visible_surface import world_bounds
from ..progress import Report
from ..refusal import Message, Refusal
from .baking import bake_over, texture_side, unwrap
from .reduce import join_objects

HULL_FACES_PER_QUAD = 4.0
"""Faces of the closed hull per quad."""
MAX_HULL_FACES = 400_000
"""QuadriFlow's run time grows with the hull."""
MIN_QUAD_SHARE = 0.95
"""Smallest share of quads in a good result."""
SIZE_TOLERANCE = 0.06
"""Largest change of the bounding box in a good result, as a share of the diagonal."""
TRIES = 4
"""Number of voxel sizes that are tried to meet the number of faces."""


def remesh_quads(
    root: bpy.types.Object, asked: dict[str, Any], report: Report
) -> tuple[bpy.types.Object, list[str]]:
    """Replace the model with a mesh of about `asked["faces"]` quads.

    The model's materials are baked onto the mesh. Return the new root and notes for the user. Raise
    Refusal if the surface encloses no volume.
    """
    name, wanted = asked["name"], int(asked["faces"])
    sources = model_meshes(root)
    notes: list[str] = []
    report(0.0, "Closing the surface")
    made = join_objects([_copy(obj) for obj in sources], name)
    area = _area(made.data)
    _voxel_remesh(made, area, min(int(wanted * HULL_FACES_PER_QUAD), MAX_HULL_FACES))
    report(0.15, Message("Remeshing to {count} quads", count=f"{wanted:,}"))
    if not _quadriflow(made, wanted, sources):
        notes.append("QuadriFlow could not remesh this surface, so the quads follow a grid.")
        made = _voxel_quads(made, sources, area, wanted, name)
    _shrinkwrap(made, sources)
    made.data.shade_smooth()
    report(0.5, "Unwrapping")
    unwrap(made)
    side = texture_side(sources, len(made.data.polygons))
    material = bake_over(
        made, sources, name, side, lambda part, phase: report(0.6 + 0.4 * part, phase)
    )
    # Its name distinguishes it from the material of the other versions.
    material.name = f"{name} quads"
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


def _voxel_remesh(obj: bpy.types.Object, area: float, faces: int) -> None:
    """Voxel-remesh the object to a closed hull of about `faces` quads; small holes do not matter.

    `area` is the area of the object's surface. Raise Refusal if the result is empty.
    """
    mesh = obj.data
    # Not finer than a 2000th of the diagonal: a crumpled surface has much area in little space.
    mesh.remesh_voxel_size = max(float(np.sqrt(area / faces)), obj.dimensions.length / 2000.0)
    # Adaptivity would add triangles, and this hull is only an intermediate mesh.
    mesh.remesh_voxel_adaptivity = 0.0
    mesh.use_remesh_fix_poles = False
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.voxel_remesh()
    if not obj.data.polygons:
        message = "The model does not enclose a volume, so it cannot be remeshed."
        raise Refusal("failed", message, "Clean the mesh first, or reduce its faces instead.")


def _quadriflow(made: bpy.types.Object, wanted: int, sources: list[bpy.types.Object]) -> bool:
    """Remesh `made` to about `wanted` quads with QuadriFlow; return whether that succeeded.

    The quads follow the surface of `sources`. If QuadriFlow fails or its result is not good, the
    mesh is restored.
    """
    # Kept in case QuadriFlow fails: it may leave the mesh changed.
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
    # Some Blender versions return FINISHED although the mesh is unchanged.
    if not wanted / 4 < len(sizes) < wanted * 2 or (sizes == 4).mean() < MIN_QUAD_SHARE:
        return False
    if (np.bincount(sides_of(made.data)) != 2).any():  # QuadriFlow sometimes leaves gaps.
        return False
    new, old = world_bounds([made]), world_bounds(sources)
    diagonal = np.linalg.norm(old[1] - old[0])
    return bool(np.abs(np.subtract(new, old)).max() < diagonal * SIZE_TOLERANCE)


def _voxel_quads(
    made: bpy.types.Object,
    sources: list[bpy.types.Object],
    area: float,
    wanted: int,
    name: str,
) -> bpy.types.Object:
    """Replace `made` with a voxel hull of `sources`, and return the hull.

    `area` is the area of the surface. Up to TRIES voxel sizes are tried to get about `wanted`
    quads. Raise Refusal if the hull is empty.
    """
    faces = float(wanted)
    for _ in range(TRIES):
        bpy.data.objects.remove(made)
        made = join_objects([_copy(obj) for obj in sources], name)
        _voxel_remesh(made, area, max(16, round(faces)))
        count = len(made.data.polygons)
        if 0.8 < count / wanted < 1.25:
            break
        faces *= wanted / count
    return made


def _shrinkwrap(made: bpy.types.Object, sources: list[bpy.types.Object]) -> None:
    """Project the vertices of `made` onto the surface of `sources`.

    Also remove its materials, and recalculate its normals.
    """
    target = join_objects([_copy(obj) for obj in sources], "target")
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
