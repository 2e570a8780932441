# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether a viewport shows textures, and show or hide them."""

from __future__ import annotations

import bpy

PLAIN = frozenset({"SOLID", "WIREFRAME"})
"""Shading types that show materials' viewport colors."""
DETAILED = frozenset({"TEXTURE", "VERTEX"})
"""Color types of Solid shading that show more than one color for each mesh."""

_before: dict[int, tuple[str, str]] = {}
"""Shading and color type before textures were shown, by the pointer to the viewport's space."""


def is_plain(space: bpy.types.SpaceView3D) -> bool:
    """Return whether a viewport shows each mesh in one color."""
    shading = space.shading
    return shading.type in PLAIN and not (
        shading.type == "SOLID" and shading.color_type in DETAILED
    )


def can_hide(space: bpy.types.SpaceView3D) -> bool:
    """Return whether a viewport has Solid shading and shows textures or color attributes."""
    return space.shading.type == "SOLID" and space.shading.color_type in DETAILED


def show(space: bpy.types.SpaceView3D, color_type: str) -> None:
    """Switch to Solid shading with this color type, such as "TEXTURE"; `hide` switches back."""
    shading = space.shading
    _before[space.as_pointer()] = (shading.type, shading.color_type)
    shading.type, shading.color_type = "SOLID", color_type


def hide(space: bpy.types.SpaceView3D) -> None:
    """Restore the shading that a viewport had before `show`, or Solid if that is unknown."""
    shading = space.shading
    shading.type, shading.color_type = _before.pop(space.as_pointer(), ("SOLID", "MATERIAL"))


def forget() -> None:
    """Forget the earlier shading of all viewports."""
    _before.clear()
