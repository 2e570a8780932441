# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that came with a file and cannot be read: replaced without being read.

The importers in C++ take a name's bytes as they are, and Python raises UnicodeDecodeError for the
first that are no UTF-8, wherever one looks: a model with one could never come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from ..names import only_letters


def make_names_readable(*, printable: bool) -> None:
    """Give a plain name to whatever has none that can be read.

    `printable`: also take what stands for no letter out of the others, such as escape codes.
    """
    for obj in _data():
        if obj.library is None:
            _make_readable(obj, printable=printable)
    for image in bpy.data.images:
        _forget_place(image)
    for part in _parts():
        _make_readable(part, printable=printable)


def _make_readable(obj: Any, *, printable: bool) -> None:
    try:
        name = obj.name
    except UnicodeDecodeError:
        obj.name = type(obj).__name__.removesuffix("Attribute")  # guard: unreadable-names
        return
    if printable and not name.isprintable() and only_letters(name) != name:
        obj.name = only_letters(name) or type(obj).__name__


def _forget_place(image: bpy.types.Image) -> None:
    """Pack an image whose place cannot be read, and drop the place."""
    try:
        image.filepath  # noqa: B018 - reading is what fails
    except UnicodeDecodeError:
        if image.packed_file is None and image.has_data:
            image.pack()
        image.filepath = image.filepath_raw = ""


def _data() -> Iterator[Any]:
    """Yield all data-blocks of the open file."""
    for kind in bpy.data.bl_rna.properties:
        if kind.type == "COLLECTION":
            yield from getattr(bpy.data, kind.identifier)


def _parts() -> Iterator[Any]:
    """Yield what has a name within data-blocks that come out of mesh files."""
    for obj in bpy.data.objects:
        yield from obj.vertex_groups
    for mesh in bpy.data.meshes:
        yield from _renamable(mesh.attributes)
        if mesh.shape_keys is not None:
            yield from mesh.shape_keys.key_blocks


def _renamable(attributes: Iterable[Any]) -> Iterator[Any]:
    """Yield the attributes that are the file's own: a list, as a new name may move one."""
    yield from [one for one in attributes if not one.is_required and not one.is_internal]
