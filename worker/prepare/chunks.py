# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model in parts: the artist's Blender takes one at a time, and draws between them.

Memory that is used for the first time costs Blender more than reading the file into it: what comes
in at once makes it stand still. So there is a frame of the model, a .blend file whose meshes have
faces but no points yet and are of no object, and an array for each of their attributes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..atomic_files import FRAME, LIST, whole
from ..mesh.arrays import LAYOUTS, drop_selections, read, starts_of

ROOM = 6
"""How many times its size must be free on the disk: the model itself is written twice, too."""
QUICK = frozenset(LAYOUTS) - {"BYTE_COLOR"}
"""Types of attributes whose values are copied as they are."""

# In this order the numbers of points and edges are never out of range.
FIRST = ("position", ".edge_verts", ".corner_vert", ".corner_edge")


def write_parts(folder: Path, objects: list[bpy.types.Object], least: int) -> None:
    """Write a model of at least so many bytes to the folder; its list comes last.

    A model that has what no array can carry is left alone: it comes in at once.
    """
    (folder / LIST).unlink(missing_ok=True)
    owners: dict[bpy.types.Mesh, list[bpy.types.Object]] = {}
    for obj in objects:
        if obj.type == "MESH":
            owners.setdefault(obj.data, []).append(obj)
    if not all(_can_part(mesh, owners[mesh]) for mesh in owners):
        return
    size = sum(_size(mesh) for mesh in owners)
    if size < least or shutil.disk_usage(folder.parent).free < size * ROOM:
        return
    folder.mkdir(exist_ok=True)
    listed = [
        {
            "mesh": mesh.name,
            "objects": [owner.name for owner in owners[mesh]],
            "materials": [material and material.name for material in mesh.materials],
            "values": list(_write_values(mesh, folder, number)),
        }
        for number, mesh in enumerate(owners)
    ]
    names = _write_frame(str(folder / FRAME), objects, list(owners))
    for one, name in zip(listed, names, strict=True):
        one["frame"] = name
    with whole(str(folder / LIST)) as side:
        Path(side).write_text(json.dumps(listed), "utf-8")


def _can_part(mesh: bpy.types.Mesh, owners: list[bpy.types.Object]) -> bool:
    """Say whether attributes are all that the mesh has, and all of a kind that is quick to copy.

    Which of several UV maps or colours is shown is no attribute, nor are an object's own materials.
    """
    if not mesh.polygons or any(
        slot.link == "OBJECT" for one in owners for slot in one.material_slots
    ):
        return False
    if mesh.shape_keys or any(owner.vertex_groups for owner in owners):
        return False
    if len(mesh.uv_layers) > 1 or len(mesh.color_attributes) > 1:
        return False
    if mesh.has_custom_normals and "custom_normal" not in mesh.attributes:  # before 4.5
        return False
    return all(attribute.data_type in QUICK for attribute in mesh.attributes)


def _size(mesh: bpy.types.Mesh) -> int:
    return sum(_bytes(attribute) for attribute in mesh.attributes)


def _bytes(attribute: bpy.types.Attribute) -> int:
    _, width, dtype = LAYOUTS[attribute.data_type]
    return len(attribute.data) * width * np.dtype(dtype).itemsize


def _write_values(mesh: bpy.types.Mesh, folder: Path, number: int) -> Iterator[dict[str, Any]]:
    attributes = sorted(mesh.attributes, key=lambda one: _place(one.name))
    for count, attribute in enumerate(attributes):
        name, width, dtype = LAYOUTS[attribute.data_type]
        file = f"{number}-{count}.raw"
        read(attribute.data, name, dtype, width).tofile(folder / file)
        yield {
            "file": file,
            "name": attribute.name,
            "type": attribute.data_type,
            "domain": attribute.domain,
            "count": len(attribute.data),
            "bytes": _bytes(attribute),
            "property": name,
            # What numpy calls l on Windows, Blender copies as i alone.
            "format": np.dtype(dtype).char.replace("l", "i"),
        }


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _write_frame(
    path: str, objects: list[bpy.types.Object], meshes: list[bpy.types.Mesh]
) -> list[str]:
    """Write frames of the meshes, and the objects without any; return the frames' names.

    Afterwards the objects are as they were.
    """
    frames, nothing = [_frame(mesh) for mesh in meshes], bpy.data.meshes.new(".")
    before = {obj: obj.data for obj in objects if obj.type == "MESH"}
    try:
        for obj in before:
            obj.data = nothing
        bpy.data.libraries.write(path, {*objects, *frames})
        return [frame.name for frame in frames]
    finally:
        for obj, mesh in before.items():
            obj.data = mesh
        bpy.data.batch_remove([*frames, nothing])


def _frame(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Return a copy of all but the attributes: faces whose corners are one and the same point.

    Where faces begin is no attribute, and the one thing that is slow to set.
    """
    frame = mesh.copy()
    frame.name = f".{mesh.name}"
    frame.clear_geometry()
    frame.materials.clear()
    frame.vertices.add(1)
    frame.edges.add(1)
    frame.loops.add(len(mesh.loops))
    frame.polygons.add(len(mesh.polygons))
    frame.polygons.foreach_set("loop_start", starts_of(mesh))
    drop_selections(frame)
    return frame
