# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh's geometry as arrays, read and written the quick way.

Attributes are copied whole; the same values from `mesh.loops` or `mesh.edges` take Blender two
hundred times as long, one property at a time.
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
    """Return one property of all items: (n,), or (n, width) where each has several values."""
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width) if width > 1 else values


def positions_of(mesh: bpy.types.Mesh) -> Floats:
    """Return the points (n, 3)."""
    return read(mesh.attributes["position"].data, "vector", np.float32, 3)


def corners_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the vertex of each corner, face by face."""
    return read(mesh.attributes[".corner_vert"].data, "value", np.int32)


def sides_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the edge from each corner to the next one."""
    return read(mesh.attributes[".corner_edge"].data, "value", np.int32)


def edges_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the two vertices of each edge (e, 2)."""
    found = mesh.attributes.get(".edge_verts")
    return np.empty((0, 2), np.int32) if found is None else read(found.data, "value", np.int32, 2)


def starts_of(mesh: bpy.types.Mesh) -> Ints:
    """Return the first corner of each face."""
    if has_triangles_only(mesh):
        return np.arange(0, len(mesh.loops), 3, dtype=np.int32)
    return read(mesh.polygons, "loop_start", np.int32)


def triangles_of(mesh: bpy.types.Mesh) -> tuple[Ints, Ints]:
    """Return the corners (t, 3) of the triangles that faces are drawn as, and their faces (t,)."""
    if has_triangles_only(mesh):
        corners = np.arange(len(mesh.loops), dtype=np.int32).reshape(-1, 3)
        return corners, np.arange(len(corners), dtype=np.int32)
    mesh.calc_loop_triangles()
    corners = read(mesh.loop_triangles, "loops", np.int32, 3)
    return corners, read(mesh.loop_triangles, "polygon_index", np.int32)


def has_triangles_only(mesh: bpy.types.Mesh) -> bool:
    """Say whether no face has more than three corners; none has fewer."""
    return len(mesh.loops) == 3 * len(mesh.polygons)


def drop_selections(mesh: bpy.types.Mesh) -> None:
    """Remove what says which points, edges and faces are selected: less to append."""
    for name in (".select_vert", ".select_edge", ".select_poly"):
        if name in mesh.attributes:
            mesh.attributes.remove(mesh.attributes[name])
