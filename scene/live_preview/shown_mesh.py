# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a preview on an object in place of its mesh, and restore the mesh.

A preview is a separate mesh with a reference to the original. The reference keeps the original in
the file and identifies it, even in a recovered file.
"""

from __future__ import annotations

from array import array

import bpy

from ... import jobs
from ...jobs.custom_properties import DRAGGED, LIVE, SIDES

UV_MAP = "UVMap"
"""The name of the UV map in generated meshes; a preview needs it to show their texture."""

MOST_MEASURED = 100_000
"""Maximum number of vertices of a mesh that is measured: more would take longer than a frame."""
EVEN = 1e-3
"""Relative difference up to which ratios count as equal."""


def show_preview(obj: bpy.types.Object, arrays: jobs.LiveArrays) -> None:
    """Show a preview on an object, which must be in Object Mode.

    Record in the preview that its settings are being dragged. Materials and slots stay.
    """
    preview = obj.data
    if LIVE not in preview:
        preview = _new_preview(obj.data)
    preview[DRAGGED] = True
    fill(preview, arrays)
    # Only now: a mesh without faces would be evaluated for nothing.
    obj.data = preview


def growth_since_import(mesh: bpy.types.Mesh, obj: bpy.types.Object) -> float:
    """Return the factor by which a mesh has grown since its import.

    A mesh grows, for example, when the user applies its object's scale. The factor is 1.0 if the
    axes grew by different factors, the mesh has too many vertices, or its size on import is
    unknown.
    """
    if SIDES not in obj or len(mesh.vertices) > MOST_MEASURED:
        return 1.0
    points = array("f", bytes(12 * len(mesh.vertices)))
    mesh.vertices.foreach_get("co", points)
    axes = [points[axis::3] for axis in range(3)]
    ratios = [
        (max(axis) - min(axis)) / side
        for axis, side in zip(axes, obj[SIDES], strict=True)
        if side > 0.0 and axis
    ]
    is_even = bool(ratios) and max(ratios) - min(ratios) <= EVEN * max(ratios)
    return ratios[0] if is_even else 1.0


def is_preview(mesh: bpy.types.ID | None) -> bool:
    """Return whether a mesh is a preview of another one."""
    return mesh is not None and LIVE in mesh


def end_drag(obj: bpy.types.Object) -> None:
    """Record that the settings of an object's preview are no longer being dragged."""
    if is_preview(obj.data):
        obj.data.pop(DRAGGED, None)


def put_originals_back() -> bool:
    """Replace all previews with the original meshes, and delete the previews.

    Return whether the settings of any preview were still being dragged. Two kinds of previews
    become ordinary meshes instead: those whose original is gone, and those on an object that is not
    in Object Mode, since the artist may have changed them. In the second case, *Restore Replaced
    Model* brings the original back.
    """
    previews = [mesh for mesh in bpy.data.meshes if LIVE in mesh]
    is_dragged = any(DRAGGED in mesh for mesh in previews)
    for preview in previews:
        original = preview[LIVE]
        users = [obj for obj in bpy.data.objects if obj.data == preview]
        if isinstance(original, bpy.types.Mesh) and all(obj.mode == "OBJECT" for obj in users):
            # All its users: the object may have been duplicated meanwhile.
            preview.user_remap(original)
            bpy.data.meshes.remove(preview)  # guard: no-preview-is-left
        else:
            _keep(preview, users)  # guard: edited-preview-stays
    return is_dragged


def fill(mesh: bpy.types.Mesh, arrays: jobs.LiveArrays) -> None:
    """Replace a mesh's geometry with the triangles in `arrays`; its materials stay."""
    mesh.clear_geometry()
    mesh.vertices.add(len(arrays.vertices) // 3)
    mesh.vertices.foreach_set("co", arrays.vertices)
    mesh.loops.add(len(arrays.corners))
    mesh.loops.foreach_set("vertex_index", arrays.corners)
    mesh.polygons.add(arrays.faces)
    mesh.polygons.foreach_set("loop_start", array("i", range(0, len(arrays.corners), 3)))
    layer = mesh.uv_layers.new(name=UV_MAP, do_init=False)
    layer.uv.foreach_set("vector", arrays.uvs)
    # Only faces were set; Blender derives the edges.
    mesh.update(calc_edges=True)


def _keep(preview: bpy.types.Mesh, users: list[bpy.types.Object]) -> None:
    """Turn a preview into an ordinary mesh.

    *Restore Replaced Model* brings back its original, if any.
    """
    from ..replace import note_replaced

    original = preview[LIVE]
    del preview[LIVE]
    preview.pop(DRAGGED, None)
    for obj in users if isinstance(original, bpy.types.Mesh) else ():
        note_replaced(obj, original)


def _new_preview(original: bpy.types.Mesh) -> bpy.types.Mesh:
    preview = bpy.data.meshes.new(original.name)
    for material in original.materials:
        preview.materials.append(material)
    preview[LIVE] = original
    return preview
