# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a glTF file's normals through Blender's importer as a plain attribute.

For a million triangles, the importer spends three quarters of its time on converting normals to
custom normals. Most of these equal smooth shading once `merge_vertices` has run. A plain attribute
costs next to nothing; afterwards, custom normals are set only if they make a visible difference.
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
"""The attribute's name: the importer copies those with a leading underscore to the mesh."""
FLOAT, TRIANGLES = 5126, (None, 4, 5, 6)
"""glTF constants: the component type FLOAT, and the primitive modes that consist of triangles."""
UPRIGHT = Matrix(((1, 0, 0), (0, 0, -1), (0, 1, 0)))
"""Rotation from glTF's axes, Y up, to Blender's, Z up."""
FLAT = 0.9999999
"""Cosine above which a corner normal equals the face normal; the same as in Blender's importer."""
SAME_SHADING = np.cos(np.radians(8.0))
"""Cosine of 8°: a smaller difference between two normals cannot be seen."""
SHADING_TOLERATED = 0.002
"""Share of corners that may differ by a larger angle before custom normals are set."""


class glTF2ImportUserExtension:  # noqa: N801 - the importer looks for this name
    """Hook of Blender's glTF importer, which finds it by this class name."""

    def gather_import_gltf_before_hook(self, gltf: Any) -> None:
        """Rename the NORMAL attributes to NAME before the import, if every mesh allows it.

        If so, also have the importer shade all faces smooth.
        """
        primitives = [primitive for mesh in gltf.data.meshes or () for primitive in mesh.primitives]
        if gltf.data.skins or not all(
            _can_carry(primitive, gltf.data.accessors) for primitive in primitives
        ):
            return
        gltf.import_settings["import_shading"] = "SMOOTH"
        for primitive in primitives:
            primitive.attributes[NAME] = primitive.attributes.pop("NORMAL")


def _can_carry(primitive: Any, accessors: list[Any]) -> bool:
    """Return whether the primitive's normals can be carried as a custom attribute.

    They must be floats of triangles, without morph targets or Draco compression. There must be no
    other custom attribute, since the importer mixes up the values of several.
    """
    normals = primitive.attributes.get("NORMAL")
    if normals is None or primitive.mode not in TRIANGLES or primitive.targets:
        return False
    if "KHR_draco_mesh_compression" in (primitive.extensions or {}):
        return False
    if any(name.startswith(("_", "KHR_")) for name in primitive.attributes):
        return False
    return accessors[normals].component_type == FLOAT and accessors[normals].type == "VEC3"


@contextmanager
def normals_as_attribute() -> Iterator[None]:
    """Register the extension above with the glTF importer while the block runs.

    It is added to the list of enabled add-ons, where the importer looks for extensions. Use this
    only in a process whose preferences are never saved.
    """
    addons = bpy.context.preferences.addons
    entry = addons.new()
    entry.module = __name__
    try:
        yield
    finally:
        addons.remove(entry)


def transform_normals(mesh: bpy.types.Mesh, world: Matrix) -> None:
    """Apply the transform `world` to the carried normals, as `Mesh.transform` does to positions."""
    attribute = mesh.attributes.get(NAME)
    if attribute is None or world == Matrix():
        return
    # Normals transform by the inverse transpose, here within glTF's axes, in which they are stored.
    rotation = UPRIGHT.transposed() @ world.to_3x3().inverted_safe().transposed() @ UPRIGHT
    normals = read(attribute.data, "vector", np.float32, 3) @ np.array(rotation, np.float32).T
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    np.divide(normals, lengths, out=normals, where=lengths > 0.0)
    attribute.data.foreach_set("vector", normals.ravel())


def pop_normals(mesh: bpy.types.Mesh) -> Floats | None:
    """Remove and return the carried vertex normals (n, 3), in Blender's axes.

    Also remove the flat shading that the importer has set because it saw no normals. Return None if
    the mesh carries no normals.
    """
    attribute = mesh.attributes.get(NAME)
    if attribute is None:
        return None
    normals = read(attribute.data, "vector", np.float32, 3)
    mesh.attributes.remove(attribute)
    if "sharp_face" in mesh.attributes:  # Set because the importer saw no normals.
        mesh.attributes.remove(mesh.attributes["sharp_face"])
    upright = normals[:, (0, 2, 1)]
    np.negative(upright[:, 1], out=upright[:, 1])
    return upright


def mark_flat_faces(mesh: bpy.types.Mesh, normals: Floats) -> None:
    """Mark triangles as flat whose corner normals all equal the face normal.

    `normals` (n, 3) are those of all corners; all faces must be triangles.
    """
    own = read(mesh.polygon_normals, "vector", np.float32, 3)
    flat = (np.einsum("tcj,tj->tc", normals.reshape(-1, 3, 3), own) > FLAT).all(axis=1)
    if flat.any():
        marks = mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
        marks.data.foreach_set("value", flat)


def keep_shading(mesh: bpy.types.Mesh, normals: Floats) -> None:
    """Set the corners' custom normals (n, 3) only if smooth shading would look visibly different.

    Zero and NaN normals stand for Blender's own.
    """
    smooth = read(mesh.corner_normals, "vector", np.float32, 3)
    lengths = np.sqrt(np.einsum("ij,ij->i", normals, normals))
    differs = np.einsum("ij,ij->i", smooth, normals) < lengths * np.float32(SAME_SHADING)
    if differs.sum() > SHADING_TOLERATED * len(differs):
        mesh.normals_split_custom_set(normals)
