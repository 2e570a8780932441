# SPDX-License-Identifier: GPL-3.0-or-later
"""Read meshes of the artist's scene from a file of the add-on, and write the edited ones for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from ..atomic_files import atomic_path
from ..refusal import Message, Refusal

Rows = Sequence[Sequence[float]]


def open_meshes(
    path: str, items: list[dict[str, Any]], name: str, *, apply: bool
) -> bpy.types.Object:
    """Append meshes from the file at `path` to the open file; return the root of their objects.

    `items` hold the names and world matrices of the meshes. With `apply`, the matrices are applied
    to the meshes, as measuring needs; otherwise, they are set on the objects. A single object is
    its own root; several get an Empty as their parent. Raise Refusal if the file is missing.
    """
    if not Path(path).is_file():
        message = Message("The file “{path}” is missing.", path=path)
        raise Refusal("library", message, "Try again.")
    with bpy.data.libraries.load(path, link=False) as (_, target):
        target.meshes = [item["name"] for item in items]
    for library in list(bpy.data.libraries):
        bpy.data.libraries.remove(library)
    objects = [_new_object(name, mesh) for mesh in target.meshes]
    for obj, item in zip(objects, items, strict=True):
        matrix = Matrix(item["matrix"])
        if apply:
            _apply(obj.data, matrix)
        else:
            obj.matrix_world = matrix
    root = objects[0] if len(objects) == 1 else _new_object(name, None)
    for obj in objects:
        if obj != root:
            obj.parent = root
    bpy.context.view_layer.update()
    return root


def write_meshes(path: str, meshes: list[bpy.types.Mesh], originals: set[int]) -> list[str]:
    """Write edited meshes for the add-on and return their names in the file.

    `originals` holds the `session_uid` of each material that came with the meshes. The scene has
    these materials already, so their slots are empty in the file; afterwards, the slots are filled
    again. Animation, texture meshes, and custom properties are removed for good.
    """
    taken: list[tuple[bpy.types.Mesh, int, bpy.types.Material]] = []
    for mesh in meshes:
        for slot, material in enumerate(mesh.materials):
            if material and material.session_uid in originals:
                taken.append((mesh, slot, material))
                mesh.materials[slot] = None
    for mesh in meshes:
        # The data-blocks that these refer to would be written as well, and arrive in the scene a
        # second time.
        mesh.animation_data_clear()
        mesh.texture_mesh = None
        for key in list(mesh.keys()):
            del mesh[key]
    with atomic_path(path) as side:
        bpy.data.libraries.write(side, set(meshes), compress=False)
    for mesh, slot, material in taken:
        mesh.materials[slot] = material
    return [mesh.name for mesh in meshes]


def write_version(path: str, root: bpy.types.Object, to_model: Rows) -> None:
    """Write the edited model as a version of its job.

    `to_model` is the matrix that takes the model from its size and rotation in the scene to those
    of the job's model. It is applied to the mesh. Animation and drivers are removed, since drivers
    could run scripts when the version is opened.
    """
    root.matrix_world = Matrix()
    root.data.transform(Matrix(to_model))
    for data in (root, root.data, *(item for item in root.data.materials if item)):
        for owner in (data, getattr(data, "node_tree", None)):
            if owner is not None:
                owner.animation_data_clear()
    with atomic_path(path) as side:
        bpy.data.libraries.write(side, {root}, compress=False)


def _apply(mesh: bpy.types.Mesh, matrix: Matrix) -> None:
    mesh.transform(matrix)
    if matrix.determinant() < 0.0:
        # Blender draws mirrored objects with their faces outward, too.
        mesh.flip_normals()


def _new_object(name: str, data: bpy.types.Mesh | None) -> bpy.types.Object:
    obj = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(obj)
    return obj
