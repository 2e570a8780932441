# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of the entries of menus, which files store instead of the entries' identifiers.

Blender hands on the number of an entry that is clicked as a 32-bit float. A number that such a
float cannot hold becomes another one, and thus chooses no entry. Seen in Blender 4.3, no longer in
5.2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import bpy
from bpy.app.handlers import persistent

INT_LIMIT = 2**31 - 1
EXACT = 2**24 - 1
"""The largest number up to which a 32-bit float holds every one."""


def number_of(identifier: str) -> int:
    """Return the number of an entry, which depends on its identifier alone, and is not 0.

    By default Blender numbers entries by position, so that a new provider would change every saved
    choice to its neighbor.
    """
    return zlib.crc32(identifier.encode(errors="replace")) & EXACT or 1


def distinct_numbers(identifiers: Iterable[str]) -> Mapping[str, int]:
    """Return a number for each of any number of entries, such as the model files of a server.

    None is 0. Of entries that would have the same number, only the first one has it.
    """
    found: dict[str, int] = {}
    taken = {0}
    for identifier in identifiers:
        number = number_of(identifier)
        while number in taken:
            number = (number + 1) & EXACT
        taken.add(number)
        found[identifier] = number
    return found


def restore_choices(group: Any) -> None:
    """Give the choices in a property group, and in its groups, the numbers of today.

    Those of version 0.1.0 had 31 bits. Scripts and presets stored them; clicks, the nearest float.
    """
    for declared in group.bl_rna.properties:
        if declared.type == "ENUM":
            _restore(_file_values(group), declared)
        elif declared.type == "POINTER" and declared.identifier != "rna_type":
            inner = getattr(group, declared.identifier)
            if isinstance(inner, bpy.types.PropertyGroup):
                restore_choices(inner)


def _restore(stored: Any, declared: bpy.types.EnumProperty) -> None:
    number = None if stored is None else stored.get(declared.identifier)
    if not isinstance(number, int) or number <= EXACT:
        return
    for item in declared.enum_items_static:
        old = zlib.crc32(item.identifier.encode()) & INT_LIMIT
        if number in (old, *struct.unpack("f", struct.pack("f", old))):
            stored[declared.identifier] = item.value


def _file_values(group: Any) -> Any:
    """Return the values of a group as the file has them; None if it has none."""
    if bpy.app.version >= (5, 0):
        return group.bl_system_properties_get()
    return group


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    for scene in bpy.data.scenes:
        if scene.is_editable:
            restore_choices(scene.image_to_mesh)


def register() -> None:
    """Restore the choices whenever a file is opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Remove the handler."""
    bpy.app.handlers.load_post.remove(_on_load)
