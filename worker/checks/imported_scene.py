# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what an importer created against the limits, before it is used.

The numbers that the file states were checked before the import. These checks count what the import
created, in the same way for all formats. No image has been decoded yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import bpy

from .gltf.check import MAX_MATERIALS, too_many_materials
from .gltf.nodes import MAX_OBJECTS, too_many_objects
from .image_headers import ImageBudget


class ImportedData:
    """The data-blocks that an import added.

    Create it before the import: everything that exists by then does not count.
    """

    def __init__(self) -> None:
        data = bpy.data
        self._before = set(data.objects) | set(data.materials) | set(data.images)

    def check(self) -> None:
        """Raise Refusal for too many new mesh objects, materials, or decoded bytes of images.

        Also raise it for a new image of a format that is not supported.
        """
        objects = [obj for obj in bpy.data.objects if obj.type == "MESH"]
        count = self._new(objects)
        if count > MAX_OBJECTS:  # guard: arrived-objects-are-bounded
            raise too_many_objects(count)
        count = self._new(bpy.data.materials)
        if count > MAX_MATERIALS:  # guard: arrived-materials-are-bounded
            raise too_many_materials(count)
        budget = ImageBudget()
        for image in bpy.data.images:
            if image in self._before or image.source not in ("FILE", "TILED"):
                continue
            if image.packed_file:
                budget.add(bytes(image.packed_file.data))  # guard: arrived-textures-are-counted
            elif path := _image_path(image):
                budget.add_file(path)

    def pack(self, folder: Path) -> None:
        """Pack new images whose files are in `folder`, which is about to be removed."""
        for image in bpy.data.images:
            if image in self._before or image.packed_file:
                continue
            path = _image_path(image)
            if path and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                # A file that Blender cannot read stays unpacked, and is reported as missing later.
                with suppress(RuntimeError):
                    image.pack()

    def _new(self, data_blocks: Iterable[bpy.types.ID]) -> int:
        return sum(data_block not in self._before for data_block in data_blocks)


def _image_path(image: bpy.types.Image) -> Path | None:
    """Return the absolute path of an image's file; None if the path is not valid UTF-8."""
    try:
        return Path(bpy.path.abspath(image.filepath))
    except UnicodeDecodeError:
        return None
