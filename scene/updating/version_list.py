# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of an object's mesh that are in the file, in a custom property of the object.

The mesh that is shown is not stored, only its key: a second user would keep the artist from
applying the object's scale or modifiers.
"""

from __future__ import annotations

import bpy

from ...jobs.custom_properties import VERSIONS

SHOWN = ""
"""Marks the shown mesh in the list."""


def store_shown(obj: bpy.types.Object) -> str:
    """Store the mesh that an object shows, which is about to be swapped; return its key."""
    if VERSIONS not in obj:
        obj[VERSIONS] = {}
    stored = obj[VERSIONS]
    key = next((key for key, mesh in stored.items() if mesh in (SHOWN, obj.data)), _new_key(obj))
    stored[key] = obj.data
    return key


def note_shown(obj: bpy.types.Object, key: str = "") -> None:
    """Mark the version with this key as the one that is shown.

    If the key is empty, mark a new version. Call `store_shown` first.
    """
    obj[VERSIONS][key or _new_key(obj)] = SHOWN


def find_version(obj: bpy.types.Object, key: str) -> bpy.types.Mesh | None:
    """Return the mesh stored with this key; None if it is the one shown, or not in the file."""
    stored = obj.get(VERSIONS)
    mesh: bpy.types.Mesh | None = stored.get(key) if stored else None
    return mesh or None


def _new_key(obj: bpy.types.Object) -> str:
    return str(max((int(key) for key in obj[VERSIONS].keys()), default=0) + 1)  # noqa: SIM118 - no dict
