# SPDX-License-Identifier: GPL-3.0-or-later
"""One click: doubles, debris, inner shells, holes, faces without area, faces inside out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from ..mesh.merge_vertices import weld
from ..mesh.orientation import read_shape, turn_outward
from ..mesh.topology import Parts, Shape, edge_uses, parts_of
from ..prepare.cleanup import model_meshes
from ..prepare.visible_surface import bounds
from ..refusal import Message
from .report import inner_shells

DEGENERATE = 1e-7
"""Edges shorter than this part of the model's diagonal are none."""

Watch = Callable[[float, str], None]
Counts = dict[str, int]


def clean(
    root: bpy.types.Object, asked: dict[str, Any], report: Watch
) -> tuple[bpy.types.Object, list[str]]:
    """Clean every mesh of the model in place; textures and materials stay."""
    meshes = model_meshes(root)
    low, high = bounds(meshes)
    diagonal = float(np.linalg.norm(high - low))
    done: Counts = {}
    for number, obj in enumerate(meshes):
        report(number / len(meshes), "Cleaning the mesh")
        for what, count in _clean_mesh(obj, asked, diagonal).items():
            done[what] = done.get(what, 0) + count
    notes: list[str] = [Message(what, count=f"{count:,}") for what, count in done.items() if count]
    return root, notes or ["There was nothing to clean."]


def _clean_mesh(obj: bpy.types.Object, asked: dict[str, Any], diagonal: float) -> Counts:
    mesh = obj.data
    points = len(mesh.vertices)
    if not mesh.shape_keys:
        weld(mesh)
    done = {"Doubles merged: {count}.": points - len(mesh.vertices)}
    debris, shells, gone = _unwanted_faces(obj, asked, diagonal)
    done |= {"Loose bits removed: {count}.": debris, "Inner shells removed: {count}.": shells}
    work = bmesh.new()
    work.from_mesh(mesh)
    work.faces.ensure_lookup_table()
    bmesh.ops.delete(work, geom=[work.faces[n] for n in np.flatnonzero(gone)], context="FACES")
    faces = len(work.faces)
    bmesh.ops.dissolve_degenerate(work, dist=diagonal * DEGENERATE, edges=work.edges)
    done |= {"Faces without area removed: {count}.": faces - len(work.faces)}
    _remove_loose(work)
    done |= {"Holes filled: {count}.": _fill_holes(work, int(asked.get("fill", 64)))}
    work.to_mesh(mesh)
    work.free()
    done |= {"Faces turned outward: {count}.": turn_outward(mesh)}
    return done


def _unwanted_faces(
    obj: bpy.types.Object, asked: dict[str, Any], diagonal: float
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return how many parts are debris and how many lie inside, and mark the faces of both."""
    shape = read_shape(obj.data)
    parts = parts_of(shape, edge_uses(shape))
    debris = _extents(shape, parts) < diagonal * float(asked.get("debris", 0.01))
    debris[np.argmax(parts.sizes)] = False
    shells = np.zeros(parts.count, np.bool_)
    if asked.get("shells", True):
        shells = inner_shells(obj, shape, parts) & ~debris
    return int(debris.sum()), int(shells.sum()), (debris | shells)[parts.faces]


def _extents(shape: Shape, parts: Parts) -> NDArray[Any]:
    """Return the diagonal of each part."""
    here = parts.vertices >= 0
    own, points = parts.vertices[here], shape.points[here]
    order = np.argsort(own, kind="stable")
    first = np.searchsorted(own[order], np.arange(parts.count))
    high = np.maximum.reduceat(points[order], first)
    return np.linalg.norm(high - np.minimum.reduceat(points[order], first), axis=1)


def _remove_loose(work: bmesh.types.BMesh) -> None:
    wires = [edge for edge in work.edges if not edge.link_faces]
    bmesh.ops.delete(work, geom=wires, context="EDGES")
    points = [vertex for vertex in work.verts if not vertex.link_faces]
    bmesh.ops.delete(work, geom=points, context="VERTS")


def _fill_holes(work: bmesh.types.BMesh, sides: int) -> int:
    """Fill holes with at most so many edges; their colors come from the faces around them."""
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
            around = (one for one in loop.vert.link_loops if one.face not in new)
            beside = next(around, None)
            if beside is not None:
                loop.copy_from(beside)
                face.material_index = beside.face.material_index
    count = len(filled)
    bmesh.ops.triangulate(work, faces=filled)
    return count
