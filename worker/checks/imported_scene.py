# SPDX-License-Identifier: GPL-3.0-or-later
"""What an importer brought into the open file: held against the limits, before anything uses it.

What a mesh file says of itself was judged before. Here counts what became of it, whatever the
format: nothing has been decoded or mended yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import bpy

from .gltf.check import MAX_MATERIALS, too_many_materials
from .gltf.nodes import MAX_OBJECTS, too_many_objects
from .image_headers import Pictures


class Arrival:
    """Remembers what was in the file before; the artist's own Blender may have much in it."""

    def __init__(self) -> None:
        data = bpy.data
        self._before = set(data.objects) | set(data.materials) | set(data.images)

    def check(self) -> None:
        """Raise Refusal for more than is read: objects, materials, or pictures once decoded."""
        objects = [one for one in bpy.data.objects if one.type == "MESH"]
        found = self._new(objects)
        if found > MAX_OBJECTS:  # guard: arrived-objects-are-bounded
            raise too_many_objects(found)
        found = self._new(bpy.data.materials)
        if found > MAX_MATERIALS:  # guard: arrived-materials-are-bounded
            raise too_many_materials(found)
        pictures = Pictures()
        for image in bpy.data.images:
            if image in self._before or image.source not in ("FILE", "TILED"):
                continue
            if image.packed_file:
                pictures.add(bytes(image.packed_file.data))  # guard: arrived-textures-are-counted
            elif path := _place_of(image):
                pictures.add_file(path)

    def pack(self, folder: Path) -> None:
        """Take the new pictures that lie in a folder into the file: it is only there for now."""
        for image in bpy.data.images:
            if image in self._before or image.packed_file:
                continue
            path = _place_of(image)
            if path and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                with suppress(RuntimeError):
                    image.pack()

    def _new(self, objects: Iterable[bpy.types.ID]) -> int:
        return sum(one not in self._before for one in objects)


def _place_of(image: bpy.types.Image) -> Path | None:
    """Return where an image's file is; None where its name cannot be read as text."""
    try:
        return Path(bpy.path.abspath(image.filepath))
    except UnicodeDecodeError:
        return None
