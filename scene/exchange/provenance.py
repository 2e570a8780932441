# SPDX-License-Identifier: GPL-3.0-or-later
"""The custom properties that record where an object or mesh comes from."""

from __future__ import annotations

import bpy

from ...jobs.custom_properties import APPLIED, PREFIX, ROTATION, VERSIONS


def provenance_keys(owner: bpy.types.ID, *, with_versions: bool = False) -> list[str]:
    """Return the names of an ID's provenance properties.

    The property with an object's list of versions is included only if `with_versions` is set.
    """
    names = owner.keys()
    return [
        name for name in names if name.startswith(PREFIX) and (with_versions or name != VERSIONS)
    ]


def object_rotation(obj: bpy.types.Object) -> int:
    """Return the degrees about Z by which the object itself, not its mesh, rotates the model."""
    return int(obj.get(ROTATION, 0)) - int(obj.get(APPLIED, 0))
