# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace names in imported data that are not valid UTF-8.

The C++ importers copy names byte by byte, and Python raises UnicodeDecodeError on reading one, so a
model with such a name could never be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from ..names import visible_text


def make_names_readable(*, printable: bool) -> None:
    """Replace undecodable names of data-blocks, vertex groups, attributes, and shape keys.

    Linked data-blocks are left alone. Image paths that cannot be decoded are cleared. `printable`:
    also remove invisible characters, such as escape codes, from all other names.
    """
    for obj in _data_blocks():
        if obj.library is None:
            _make_readable(obj, printable=printable)
    for image in bpy.data.images:
        _clear_path(image)
    for item in _named_items():
        _make_readable(item, printable=printable)


def _make_readable(obj: Any, *, printable: bool) -> None:
    try:
        name = obj.name
    except UnicodeDecodeError:
        obj.name = type(obj).__name__.removesuffix("Attribute")  # guard: unreadable-names
        return
    if printable and not name.isprintable() and visible_text(name) != name:
        obj.name = visible_text(name) or type(obj).__name__


def _clear_path(image: bpy.types.Image) -> None:
    """Clear an image's path if it cannot be decoded; pack the image first if it has pixels."""
    try:
        image.filepath  # noqa: B018 - reading it may raise
    except UnicodeDecodeError:
        if image.packed_file is None and image.has_data:
            image.pack()
        # Both properties hold the undecodable path.
        image.filepath = image.filepath_raw = ""


def _data_blocks() -> Iterator[Any]:
    """Yield all data-blocks of the open file."""
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)


def _named_items() -> Iterator[Any]:
    """Yield all vertex groups, renamable attributes, and shape keys."""
    for obj in bpy.data.objects:
        yield from obj.vertex_groups
    for mesh in bpy.data.meshes:
        yield from _renamable(mesh.attributes)
        if mesh.shape_keys is not None:
            yield from mesh.shape_keys.key_blocks


def _renamable(attributes: Iterable[Any]) -> Iterator[Any]:
    """Yield attributes that are neither required nor internal.

    They come from a copy of the collection, since renaming reorders it.
    """
    yield from [
        attribute
        for attribute in attributes
        if not attribute.is_required and not attribute.is_internal
    ]
