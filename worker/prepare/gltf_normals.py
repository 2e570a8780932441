# SPDX-License-Identifier: GPL-3.0-or-later
"""A glTF file's normals, brought through Blender's importer as plain values.

For a million triangles the importer spends three quarters of its time on turning them into custom
normals, most of which `weld` finds to be what smooth shading gives anyway. As an attribute of the
file's own they cost next to nothing, and what is needed of them is set afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..mesh.arrays import Floats, read

NAME = "_file_normal"
FLOAT, TRIANGLES = 5126, (None, 4, 5, 6)
UPRIGHT = Matrix(((1, 0, 0), (0, 0, -1), (0, 1, 0)))
"""From the file's axes, where Y is up, to Blender's."""
FLAT = 0.9999999
"""Blender's importer, too, takes a face whose corners look this much its own way for a flat one."""
SAME_SHADING = np.cos(np.radians(8.0))
SHADING_TOLERATED = 0.002


class glTF2ImportUserExtension:  # noqa: N801 - the importer looks for this name
    """What the glTF importer asks before it makes anything."""

    def gather_import_gltf_before_hook(self, gltf: Any) -> None:
        """Rename the normals where every mesh of the file allows it."""
        parts = [part for mesh in gltf.data.meshes or () for part in mesh.primitives]
        if gltf.data.skins or not all(_can_carry(part, gltf.data.accessors) for part in parts):
            return
        gltf.import_settings["import_shading"] = "SMOOTH"
        for part in parts:
            part.attributes[NAME] = part.attributes.pop("NORMAL")


def _can_carry(part: Any, accessors: list[Any]) -> bool:
    """Say whether a part's normals are plain, and the only attribute that has no place of its own.

    The importer mixes several of those up.
    """
    normals = part.attributes.get("NORMAL")
    if normals is None or part.mode not in TRIANGLES or part.targets:
        return False
    if "KHR_draco_mesh_compression" in (part.extensions or {}):
        return False
    if any(name.startswith(("_", "KHR_")) for name in part.attributes):
        return False
    return accessors[normals].component_type == FLOAT and accessors[normals].type == "VEC3"


@contextmanager
def carried_normals() -> Iterator[None]:
    """Let the glTF importer find the extension above; for a process that has no preferences."""
    addons = bpy.context.preferences.addons
    entry = addons.new()
    entry.module = __name__
    try:
        yield
    finally:
        addons.remove(entry)


def transform_normals(mesh: bpy.types.Mesh, world: Matrix) -> None:
    """Turn the normals that came along, if any, as `Mesh.transform` does the points."""
    found = mesh.attributes.get(NAME)
    if found is None or world == Matrix():
        return
    turn = UPRIGHT.transposed() @ world.to_3x3().inverted_safe().transposed() @ UPRIGHT
    normals = read(found.data, "vector", np.float32, 3) @ np.array(turn, np.float32).T
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    np.divide(normals, lengths, out=normals, where=lengths > 0.0)
    found.data.foreach_set("vector", normals.ravel())


def take_normals(mesh: bpy.types.Mesh) -> Floats | None:
    """Return the vertex normals that came along and remove them, or None if none did."""
    found = mesh.attributes.get(NAME)
    if found is None:
        return None
    normals = read(found.data, "vector", np.float32, 3)
    mesh.attributes.remove(found)
    if "sharp_face" in mesh.attributes:  # Without normals of their own all were taken for flat.
        mesh.attributes.remove(mesh.attributes["sharp_face"])
    turned = normals[:, (0, 2, 1)]
    np.negative(turned[:, 1], out=turned[:, 1])
    return turned


def mark_flat_faces(mesh: bpy.types.Mesh, normals: Floats) -> None:
    """Mark the triangles whose corners' normals (n, 3) are the face's own."""
    own = read(mesh.polygon_normals, "vector", np.float32, 3)
    flat = (np.einsum("tcj,tj->tc", normals.reshape(-1, 3, 3), own) > FLAT).all(axis=1)
    if flat.any():
        marks = mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
        marks.data.foreach_set("value", flat)


def keep_shading(mesh: bpy.types.Mesh, normals: Floats) -> None:
    """Set corner normals only where smooth shading would look different.

    Normals of no length, and such as are no numbers, stand for Blender's own.
    """
    smooth = read(mesh.corner_normals, "vector", np.float32, 3)
    lengths = np.sqrt(np.einsum("ij,ij->i", normals, normals))
    differs = np.einsum("ij,ij->i", smooth, normals) < lengths * np.float32(SAME_SHADING)
    if differs.sum() > SHADING_TOLERATED * len(differs):
        mesh.normals_split_custom_set(normals)
