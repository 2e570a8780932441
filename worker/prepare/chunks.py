# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a large model in chunks that the artist's Blender appends one at a time.

Touching memory for the first time costs Blender more than reading the file, so appending a large
model in one step freezes the interface. In chunks it redraws in between. A chunked model is a
.blend file of frames (meshes that have faces but neither positions nor objects) and one raw array
per attribute.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..atomic_files import CHUNKS_FILE, FRAMES_FILE, atomic_path
from ..mesh.arrays import LAYOUTS, drop_selections, read, starts_of

DISK_FACTOR = 6
"""Required free disk space, as a multiple of the model's size: model.blend is written twice, too.
"""
RAW_TYPES = frozenset(LAYOUTS) - {"BYTE_COLOR"}
"""Attribute types that can be copied as raw values. BYTE_COLOR converts on access."""

# Filled in this order, indices of vertices and edges are never out of range.
FIRST_ATTRIBUTES = ("position", ".edge_verts", ".corner_vert", ".corner_edge")


def write_chunks(folder: Path, objects: list[bpy.types.Object], least: int) -> None:
    """Write the chunks of a model of at least `least` bytes to the folder, and their list last.

    Write nothing if the model is smaller, has data that raw arrays cannot carry, or is too large
    for the disk: it is then appended in one step. Raise OSError or RuntimeError if writing fails.
    """
    (folder / CHUNKS_FILE).unlink(missing_ok=True)
    owners: dict[bpy.types.Mesh, list[bpy.types.Object]] = {}
    for obj in objects:
        if obj.type == "MESH":
            owners.setdefault(obj.data, []).append(obj)
    if not all(_can_split(mesh, owners[mesh]) for mesh in owners):
        return
    size = sum(_size(mesh) for mesh in owners)
    if size < least or shutil.disk_usage(folder.parent).free < size * DISK_FACTOR:
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
    names = _write_frame(str(folder / FRAMES_FILE), objects, list(owners))
    for entry, name in zip(listed, names, strict=True):
        entry["frame"] = name
    with atomic_path(str(folder / CHUNKS_FILE)) as side:
        Path(side).write_text(json.dumps(listed), "utf-8")


def _can_split(mesh: bpy.types.Mesh, owners: list[bpy.types.Object]) -> bool:
    """Return whether the mesh consists of attributes alone, all of them quick to copy.

    It must not have vertex groups, shape keys, or materials linked to an object. It may have only
    one UV map and one color attribute, since attributes do not record which one is active.
    """
    if not mesh.polygons or any(
        slot.link == "OBJECT" for owner in owners for slot in owner.material_slots
    ):
        return False
    if mesh.shape_keys or any(owner.vertex_groups for owner in owners):
        return False
    if len(mesh.uv_layers) > 1 or len(mesh.color_attributes) > 1:
        return False
    if (
        mesh.has_custom_normals and "custom_normal" not in mesh.attributes
    ):  # Blender before 4.5 stores them outside attributes.
        return False
    return all(attribute.data_type in RAW_TYPES for attribute in mesh.attributes)


def _size(mesh: bpy.types.Mesh) -> int:
    return sum(_bytes(attribute) for attribute in mesh.attributes)


def _bytes(attribute: bpy.types.Attribute) -> int:
    _, width, dtype = LAYOUTS[attribute.data_type]
    return len(attribute.data) * width * np.dtype(dtype).itemsize


def _write_values(mesh: bpy.types.Mesh, folder: Path, number: int) -> Iterator[dict[str, Any]]:
    attributes = sorted(mesh.attributes, key=lambda item: _rank(item.name))
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
            # numpy's "l" is 32 bits on Windows; Blender's buffer copy accepts only "i" for it.
            "format": np.dtype(dtype).char.replace("l", "i"),
        }


def _rank(name: str) -> int:
    return FIRST_ATTRIBUTES.index(name) if name in FIRST_ATTRIBUTES else len(FIRST_ATTRIBUTES)


def _write_frame(
    path: str, objects: list[bpy.types.Object], meshes: list[bpy.types.Mesh]
) -> list[str]:
    """Write the frames and the objects without geometry to a .blend file; return the frames' names.

    The objects have their own meshes again afterwards.
    """
    frames, nothing = [_make_frame(mesh) for mesh in meshes], bpy.data.meshes.new(".")
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


def _make_frame(mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """Return a copy of the mesh without attributes: every face corner refers to the same vertex.

    Face offsets are not an attribute and are slow to set, so the frame carries them.
    """
    frame = mesh.copy()
    frame.name = f".{mesh.name}"
    frame.clear_geometry()
    frame.materials.clear()
    frame.vertices.add(1)
    # Corners refer to edge 0 until their real values are copied.
    frame.edges.add(1)
    frame.loops.add(len(mesh.loops))
    frame.polygons.add(len(mesh.polygons))
    frame.polygons.foreach_set("loop_start", starts_of(mesh))
    drop_selections(frame)
    return frame
