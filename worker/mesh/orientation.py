# SPDX-License-Identifier: GPL-3.0-or-later
"""Read meshes as arrays, and flip faces that point inward."""

from __future__ import annotations

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from .arrays import corners_of, edges_of, positions_of, read, sides_of, starts_of, triangles_of
from .topology import Shape, edge_uses, find_loose_parts, inward_parts, twisted_edges


def read_shape(mesh: bpy.types.Mesh) -> Shape:
    """Return the mesh's topology as arrays."""
    corners = corners_of(mesh)
    triangles, owners = triangles_of(mesh)
    return Shape(
        points=positions_of(mesh),
        edges=edges_of(mesh),
        corners=corners,
        sides=sides_of(mesh),
        starts=starts_of(mesh),
        triangles=corners[triangles],
        owners=owners,
    )


def recalculate_outside(mesh: bpy.types.Mesh) -> int:
    """Make the faces of closed parts point outward, and return the number of flipped faces.

    If neighboring faces of a part point to opposite sides, all normals of the part are
    recalculated, even if the part is not closed.
    """
    shape = read_shape(mesh)
    uses = edge_uses(shape)
    loose_parts = find_loose_parts(shape, uses)
    twisted = twisted_edges(shape, uses)
    broken = np.zeros(loose_parts.count, np.bool_)
    broken[loose_parts.vertices[shape.edges[twisted, 0]]] = True
    # The signed volume of a part with twisted edges says nothing: all its normals are recalculated.
    inward = inward_parts(loose_parts) & ~broken
    if not (broken.any() or inward.any()):
        return 0
    if inward.all():
        mesh.flip_normals()
        return len(mesh.polygons)
    return _flip_faces(mesh, inward[loose_parts.faces], broken[loose_parts.faces])


def _flip_faces(mesh: bpy.types.Mesh, inward: NDArray[np.bool_], broken: NDArray[np.bool_]) -> int:
    if mesh.has_custom_normals:  # They were made for the other side.
        mesh.normals_split_custom_set(np.zeros((len(mesh.loops), 3), np.float32))
    before = read(mesh.polygons, "normal", np.float32, 3)
    work = bmesh.new()
    work.from_mesh(mesh)
    work.faces.ensure_lookup_table()
    bmesh.ops.reverse_faces(work, faces=[work.faces[n] for n in np.flatnonzero(inward)])
    bmesh.ops.recalc_face_normals(work, faces=[work.faces[n] for n in np.flatnonzero(broken)])
    work.to_mesh(mesh)
    # Now, not when it is garbage collected: it may take hundreds of megabytes.
    work.free()
    after = read(mesh.polygons, "normal", np.float32, 3)
    return int((np.einsum("ij,ij->i", before, after) < 0.0).sum())
