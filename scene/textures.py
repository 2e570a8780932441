# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage of an appended model's textures: packed, or as files beside the .blend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import bpy

UNSAVED = "The textures are packed because this file is not saved. Save it, then unpack them."


def relocate_textures(objects: Iterable[bpy.types.Object], *, unpack: bool) -> tuple[str, ...]:
    """Point packed textures at the open .blend's folder; with `unpack`, write them to `textures/`.

    As appended, they refer to the prepared file's folder, where Blender would unpack them. With
    `unpack`, if the .blend is not saved, they stay packed, and the returned notes for the user say
    so. Otherwise, there are no notes.
    """
    images = _packed_images(objects)
    for image in images:
        # Not `filepath`: setting it reloads the image and drops the packed bytes.
        image.filepath_raw = f"//{bpy.path.basename(image.filepath_raw)}"
        for packed in image.packed_files:
            packed.filepath = image.filepath_raw
    if not unpack or not images:
        return ()
    if not bpy.data.is_saved:
        return (UNSAVED,)
    for image in images:
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
    """Unpack the image to `textures/` beside the .blend under an unused file name."""
    folder = Path(bpy.path.abspath("//textures"))
    suffix = Path(image.filepath_raw).suffix
    stem = bpy.path.clean_name(image.name)
    # WRITE_ORIGINAL overwrites a file of the same name, which may be the artist's.
    name, number = f"{stem}{suffix}", 1
    while (folder / name).exists():
        number += 1
        name = f"{stem} {number}{suffix}"
    image.filepath_raw = f"//textures/{name}"
    for packed in image.packed_files:
        packed.filepath = image.filepath_raw
    image.unpack(method="WRITE_ORIGINAL")
