# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write mesh geometry as numpy arrays.

Attributes are copied in one block; the same values from `mesh.loops` or `mesh.edges` take Blender
two hundred times as long, one property access at a time.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

# data_type of an attribute: property of its items, values per item, dtype.
LAYOUTS: dict[str, tuple[str, int, type[np.generic]]] = {
    "FLOAT": ("value", 1, np.float32),
    "INT": ("value", 1, np.int32),
    "BOOLEAN": ("value", 1, np.bool_),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "INT16_2D": ("value", 2, np.int16),
    "INT32_2D": ("value", 2, np.int32),
    "BYTE_COLOR": ("color", 4, np.float32),
}


def read(items: Any, name: str, dtype: type[np.generic], width: int = 1) -> NDArray[Any]:
    """Return one property of all items as (n,), or (n, width) if each item has several values."""
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width) if width > 1 else values


def positions_of(mesh: bpy.types.Mesh) -> Floats:
    """Return the vertex positions (n, 3)."""
    return read(mesh.attributes["position"].data, "vector", np.float32, 3)


def corners_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the vertex index of each face corner (c,), face by face."""
    return read(mesh.attributes[".corner_vert"].data, "value", np.int32)


def sides_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the index of the edge from each face corner to the next one (c,)."""
    return read(mesh.attributes[".corner_edge"].data, "value", np.int32)


def edges_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the two vertex indices of each edge (e, 2)."""
    attribute = mesh.attributes.get(".edge_verts")
    return (
        np.empty((0, 2), np.int32)
        if attribute is None
        else read(attribute.data, "value", np.int32, 2)
    )


def starts_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the index of each face's first corner (f,)."""
    if has_triangles_only(mesh):
        return np.arange(0, len(mesh.loops), 3, dtype=np.int32)
    return read(mesh.polygons, "loop_start", np.int32)


def triangles_of(mesh: bpy.types.Mesh) -> tuple[Ints, Ints]:
    """Return the triangulated faces as corner indices (t, 3), and each triangle's face (t,)."""
    if has_triangles_only(mesh):
        corners = np.arange(len(mesh.loops), dtype=np.int32).reshape(-1, 3)
        return corners, np.arange(len(corners), dtype=np.int32)
    mesh.calc_loop_triangles()
    corners = read(mesh.loop_triangles, "loops", np.int32, 3)
    return corners, read(mesh.loop_triangles, "polygon_index", np.int32)


def has_triangles_only(mesh: bpy.types.Mesh) -> bool:
    """Return whether all faces are triangles. (A face never has fewer than three corners.)"""
    return len(mesh.loops) == 3 * len(mesh.polygons)


def drop_selections(mesh: bpy.types.Mesh) -> None:
    """Remove the selection attributes: fewer attributes take less time to append."""
    for name in (".select_vert", ".select_edge", ".select_poly"):
        if name in mesh.attributes:
            mesh.attributes.remove(mesh.attributes[name])
