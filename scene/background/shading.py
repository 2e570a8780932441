# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes and their base colours as arrays, as far as a small preview needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .drawing import Floats, Seen
from .pixels import buffer_of
from .surfaces import source_of, surface_of

TEXTURE_SIDE = 512
GREY = (0.6, 0.6, 0.6)


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles of one or several meshes, world space, three corners each.

    `corners` and `normals` (m, 3, 3), `uv` (m, 3, 2), `colors` (m, 3, 3) linear, and for each
    triangle the number of its material in `materials`.
    """

    corners: Floats
    normals: Floats
    uv: Floats
    colors: Floats
    material: NDArray[np.int32]
    materials: tuple[bpy.types.Material | None, ...]


def read_surface(things: list[bpy.types.Object]) -> Surface:
    """Read the triangles of mesh objects whose transforms are applied."""
    parts = []
    materials: list[bpy.types.Material | None] = []
    for thing in things:
        parts.append(_read_mesh(thing.data, len(materials)))
        materials.extend(thing.data.materials or [None])
    corners, normals, uv, colors, material = map(np.concatenate, zip(*parts, strict=True))
    return Surface(corners, normals, uv, colors, material, tuple(materials))


def base_colors(surface: Surface, seen: Seen) -> Floats:
    """Return the linear base colour (k, 3) of each seen pixel."""
    colors = np.empty((len(seen.pixels), 3), np.float32)
    used = surface.material[seen.triangles]
    for number in np.unique(used):
        here = np.flatnonzero(used == number)
        material = surface.materials[min(number, len(surface.materials) - 1)]
        colors[here] = _colors_of(material, surface, seen, here)
    return colors


def _read_mesh(mesh: bpy.types.Mesh, first_material: int) -> tuple[NDArray[Any], ...]:
    mesh.calc_loop_triangles()
    triangles = mesh.loop_triangles
    loops = _read(triangles, "loops", np.int32, 3)
    points = _read(mesh.vertices, "co", np.float32, 3)
    vertices = _read(triangles, "vertices", np.int32, 3)
    normals = _read(mesh.corner_normals, "vector", np.float32, 3)
    material = _read(triangles, "material_index", np.int32, 1)[:, 0] + first_material
    return (
        points[vertices],
        normals[loops],
        _uv(mesh)[loops],
        _attribute_colors(mesh, loops, vertices),
        material,
    )


def _uv(mesh: bpy.types.Mesh) -> Floats:
    if mesh.uv_layers.active is None:
        return np.zeros((len(mesh.loops), 2), np.float32)
    return _read(mesh.uv_layers.active.uv, "vector", np.float32, 2)


def _attribute_colors(mesh: bpy.types.Mesh, loops: Any, vertices: Any) -> Floats:
    if not mesh.color_attributes:
        return np.broadcast_to(np.float32(1.0), (*loops.shape, 3))
    attribute = mesh.color_attributes[0]
    colors = _read(attribute.data, "color", np.float32, 4)[:, :3]
    return colors[loops if attribute.domain == "CORNER" else vertices]


def _read(items: Any, name: str, dtype: type[np.generic], width: int) -> NDArray[Any]:
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


def _colors_of(
    material: bpy.types.Material | None, surface: Surface, seen: Seen, here: NDArray[np.intp]
) -> Floats:
    node = surface_of(material)
    if node is None:
        return np.array(GREY, np.float32)
    base = node.inputs["Base Color"]
    source = source_of(base)
    weights, triangles = seen.weights[here], seen.triangles[here]
    if source is None:
        return np.array(base.default_value[:3], np.float32)
    if source.type == "VERTEX_COLOR":
        return np.einsum("ij,ijk->ik", weights, surface.colors[triangles])
    uv = np.einsum("ij,ijk->ik", weights, surface.uv[triangles])
    return _linear(_sampled(source.image, uv))


def _sampled(image: bpy.types.Image, uv: Floats) -> Floats:
    """Look up sRGB colours (k, 3) in the image, scaled down to what the preview can show."""
    small = image.copy()
    try:
        if min(small.size) < 1:
            return np.full((len(uv), 3), GREY, np.float32)
        factor = min(1.0, TEXTURE_SIDE / max(small.size))
        small.scale(*(max(1, round(side * factor)) for side in small.size))
        buffer = buffer_of(small)[..., :3]
    finally:
        bpy.data.images.remove(small)
    height, width = buffer.shape[:2]
    column = np.floor(uv[:, 0] * width).astype(np.int64) % width
    row = np.floor(uv[:, 1] * height).astype(np.int64) % height
    return buffer[row, column]


def _linear(encoded: Floats) -> Floats:
    """Decode the sRGB curve (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )
