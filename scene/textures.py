# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures of an appended model: in the artist's file, or as files beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

UNSAVED = "The textures stay packed: save the file, then unpack them."


def settle_textures(objects: Iterable[bpy.types.Object], *, unpack: bool) -> tuple[str, ...]:
    """Take packed textures out of the prepared file's folder, into which Blender would write them.

    `unpack` writes them beside the open .blend. Return notes for the person.
    """
    found = _packed_images(objects)
    for image in found:
        image.filepath_raw = f"//{bpy.path.basename(image.filepath_raw)}"
        for packed in image.packed_files:
            packed.filepath = image.filepath_raw
    if not unpack or not found:
        return ()
    if not bpy.data.is_saved:
        return (UNSAVED,)
    for image in found:
        _write_beside(image)
    return ()


def _packed_images(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Image]:
    materials = {slot.material for obj in objects for slot in obj.material_slots}
    trees = [material.node_tree for material in materials if material and not material.library]
    images = {
        node.image
        for tree in trees
        if tree
        for node in tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    }
    return [image for image in images if image.packed_file and image.library is None]


def _write_beside(image: bpy.types.Image) -> None:
    """Unpack to `textures/`, under a name that no other file there has."""
    folder = Path(bpy.path.abspath("//textures"))
    suffix = Path(image.filepath_raw).suffix
    stem = bpy.path.clean_name(image.name)
    name, number = f"{stem}{suffix}", 1
    while (folder / name).exists():
        number += 1
        name = f"{stem} {number}{suffix}"
    image.filepath_raw = f"//textures/{name}"
    for packed in image.packed_files:
        packed.filepath = image.filepath_raw
    image.unpack(method="WRITE_ORIGINAL")
