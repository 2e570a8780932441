# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes read as arrays, and their faces turned outward."""

from __future__ import annotations

from typing import Any

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from .topology import Shape, edge_uses, inward_parts, parts_of, twisted_edges


def read(items: Any, name: str, dtype: type[np.generic], width: int = 1) -> NDArray[Any]:
    """Return one property of all items: (n,), or (n, width) where each has several values."""
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width) if width > 1 else values


def read_shape(mesh: bpy.types.Mesh) -> Shape:
    """Return the mesh as arrays."""
    mesh.calc_loop_triangles()
    return Shape(
        points=read(mesh.vertices, "co", np.float32, 3),
        edges=read(mesh.edges, "vertices", np.int32, 2),
        corners=read(mesh.loops, "vertex_index", np.int32),
        sides=read(mesh.loops, "edge_index", np.int32),
        starts=read(mesh.polygons, "loop_start", np.int32),
        triangles=read(mesh.loop_triangles, "vertices", np.int32, 3),
        owners=read(mesh.loop_triangles, "polygon_index", np.int32),
    )


def turn_outward(mesh: bpy.types.Mesh) -> int:
    """Make closed parts show their outside; return how many faces were turned."""
    shape = read_shape(mesh)
    uses = edge_uses(shape)
    parts = parts_of(shape, uses)
    twisted = twisted_edges(shape, uses)
    broken = np.zeros(parts.count, np.bool_)
    broken[parts.vertices[shape.edges[twisted, 0]]] = True
    inward = inward_parts(parts) & ~broken
    if not (broken.any() or inward.any()):
        return 0
    if inward.all():
        mesh.flip_normals()
        return len(mesh.polygons)
    return _turn(mesh, inward[parts.faces], broken[parts.faces])


def _turn(mesh: bpy.types.Mesh, inward: NDArray[np.bool_], broken: NDArray[np.bool_]) -> int:
    if mesh.has_custom_normals:  # They belong to the sides that the faces showed.
        mesh.normals_split_custom_set(np.zeros((len(mesh.loops), 3), np.float32))
    before = read(mesh.polygons, "normal", np.float32, 3)
    work = bmesh.new()
    work.from_mesh(mesh)
    work.faces.ensure_lookup_table()
    bmesh.ops.reverse_faces(work, faces=[work.faces[n] for n in np.flatnonzero(inward)])
    bmesh.ops.recalc_face_normals(work, faces=[work.faces[n] for n in np.flatnonzero(broken)])
    work.to_mesh(mesh)
    work.free()
    after = read(mesh.polygons, "normal", np.float32, 3)
    return int((np.einsum("ij,ij->i", before, after) < 0.0).sum())
