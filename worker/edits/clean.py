# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean up a finished model.

It merges vertices; removes debris, inner shells, and degenerate faces; fills holes; and fixes
normals.
"""

from __future__ import annotations

from typing import Any

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from ..mesh.merge_vertices import merge_vertices
from ..mesh.orientation import read_shape, recalculate_outside
from ..mesh.topology import LooseParts, Shape, edge_uses, find_loose_parts
from ..prepare.cleanup import model_meshes
from ..prepare.visible_surface import world_bounds
from ..progress import Report
from ..refusal import Message
from .report import inner_shells

DEGENERATE = 1e-7
"""Edges shorter than this share of the model's diagonal are collapsed."""

EDGE_MARKS = ("crease_edge", "bevel_weight_edge", ".uv_seam", "uv_seam", "freestyle_edge")
"""Edge attributes that artists set; merging has to keep them."""

Counts = dict[str, int]


def clean_model(
    root: bpy.types.Object, asked: dict[str, Any], report: Report
) -> tuple[bpy.types.Object, list[str]]:
    """Clean every mesh of the model in place; textures and materials are kept.

    `asked` may set:
    - `fill`: holes with up to this many edges are filled
    - `debris`: loose parts smaller than this share of the model's diagonal are removed
    - `shells`: whether to remove inner shells

    Return the root, and notes for the user on what was done; without notes, nothing was changed.
    """
    meshes = model_meshes(root)
    low, high = world_bounds(meshes)
    diagonal = float(np.linalg.norm(high - low))
    done: Counts = {}
    for number, obj in enumerate(meshes):
        report(number / len(meshes), "Cleaning the mesh")
        for template, count in _clean_mesh(obj, asked, diagonal).items():
            done[template] = done.get(template, 0) + count
    notes: list[str] = [
        Message(template, count=f"{count:,}") for template, count in done.items() if count
    ]
    return root, notes


def _clean_mesh(obj: bpy.types.Object, asked: dict[str, Any], diagonal: float) -> Counts:
    mesh = obj.data
    points = len(mesh.vertices)
    _merge_vertices(obj, diagonal)
    done = {"Vertices merged: {count}.": points - len(mesh.vertices)}
    debris, shells, gone = _unwanted_faces(obj, asked, diagonal)
    done |= {"Loose parts removed: {count}.": debris, "Inner shells removed: {count}.": shells}
    work = bmesh.new()
    work.from_mesh(mesh)
    # Without this, indexing a BMesh sequence raises an error.
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=[work.faces[n] for n in np.flatnonzero(gone)], context="FACES")
    faces = len(work.faces)
    bmesh.ops.dissolve_degenerate(work, dist=diagonal * DEGENERATE, edges=work.edges)
    done |= {"Zero-area faces removed: {count}.": faces - len(work.faces)}
    done |= {"Loose vertices and edges removed: {count}.": _remove_loose(work)}
    done |= {"Holes filled: {count}.": _fill_holes(work, int(asked.get("fill", 64)))}
    work.to_mesh(mesh)
    work.free()
    done |= {"Faces flipped outward: {count}.": recalculate_outside(mesh)}
    return done


def _merge_vertices(obj: bpy.types.Object, diagonal: float) -> None:
    """Merge vertices at (almost) the same position, unless the mesh has shape keys."""
    mesh = obj.data
    if mesh.shape_keys:
        return
    marks = [mesh.attributes.get(name) for name in EDGE_MARKS]
    if not (obj.vertex_groups or any(marks)):
        merge_vertices(mesh)
        return
    # Slower, but it keeps weights, seams, and creases, which the arrays do not hold.
    work = bmesh.new()
    work.from_mesh(mesh)
    bmesh.ops.remove_doubles(work, verts=work.verts, dist=diagonal * DEGENERATE)
    work.to_mesh(mesh)
    work.free()


def _unwanted_faces(
    obj: bpy.types.Object, asked: dict[str, Any], diagonal: float
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return the number of debris parts and of inner shells, and a mask of their faces."""
    shape = read_shape(obj.data)
    loose_parts = find_loose_parts(shape, edge_uses(shape))
    debris = _extents(shape, loose_parts) < diagonal * float(asked.get("debris", 0.01))
    # The largest part stays even if it is tiny compared to a scattered model.
    debris[np.argmax(loose_parts.sizes)] = False
    shells = np.zeros(loose_parts.count, np.bool_)
    if asked.get("shells", True):
        shells = inner_shells(obj, shape, loose_parts) & ~debris
    return int(debris.sum()), int(shells.sum()), (debris | shells)[loose_parts.faces]


def _extents(shape: Shape, loose_parts: LooseParts) -> NDArray[Any]:
    """Return the diagonals of the parts' bounding boxes as an array (parts,)."""
    here = loose_parts.vertices >= 0
    own, points = loose_parts.vertices[here], shape.points[here]
    order = np.argsort(own, kind="stable")
    first = np.searchsorted(own[order], np.arange(loose_parts.count))
    high = np.maximum.reduceat(points[order], first)
    return np.linalg.norm(high - np.minimum.reduceat(points[order], first), axis=1)


def _remove_loose(work: bmesh.types.BMesh) -> int:
    """Remove edges and vertices without faces, and return how many there were."""
    wires = [edge for edge in work.edges if not edge.link_faces]
    bmesh.ops.delete(work, geom=wires, context="EDGES")
    points = [vertex for vertex in work.verts if not vertex.link_faces]
    bmesh.ops.delete(work, geom=points, context="VERTS")
    return len(wires) + len(points)


def _fill_holes(work: bmesh.types.BMesh, sides: int) -> int:
    """Fill holes of up to `sides` edges, and return how many were filled.

    The new faces are triangles with the material, UVs, and colors of adjacent faces. If `sides` is
    0, nothing is filled.
    """
    if sides <= 0:
        return 0
    rims = [edge for edge in work.edges if edge.is_boundary]
    if not rims:
        return 0
    filled = bmesh.ops.holes_fill(work, edges=rims, sides=sides)["faces"]
    new = set(filled)
    bmesh.ops.recalc_face_normals(work, faces=filled)
    for face in filled:
        face.smooth = True
        for loop in face.loops:
            outer = (other for other in loop.vert.link_loops if other.face not in new)
            neighbor = next(outer, None)
            if neighbor is not None:
                loop.copy_from(neighbor)
                face.material_index = neighbor.face.material_index
    count = len(filled)
    bmesh.ops.triangulate(work, faces=filled)
    return count
