# SPDX-License-Identifier: GPL-3.0-or-later
"""The box that the user draws around the subject of the scene's image.

It is kept in settings of the built-in provider, but the checks and edits of images use it for all
providers. It belongs to one image, and is removed when another image is chosen.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import bpy
from bpy.props import PointerProperty

from ..providers import Settings

ENDS = ("box_left", "box_top", "box_right", "box_bottom")
WHOLE = (0.0, 0.0, 1.0, 1.0)
OWNER_PROVIDER = "local"
"""The provider whose settings hold the box."""
OWNER = "box_image"
"""Property with the image that the box was drawn on."""


def owner() -> dict[str, Any]:
    """Return the property for the box's image, by name."""
    return {OWNER: PointerProperty(type=bpy.types.Image, options={"HIDDEN"})}


def box_of(choices: Any) -> tuple[float, ...]:
    """Return left, top, right, and bottom as fractions of the image's sides; () without a box."""
    box = tuple(round(getattr(choices.local, name), 6) for name in ENDS)
    is_valid = box[0] < box[2] and box[1] < box[3]
    return box if is_valid and box != WHOLE else ()


def set_box(choices: Any, box: tuple[float, ...]) -> None:
    """Set the box around the subject of the current image; () removes it."""
    setattr(choices, OWNER, choices.image if box else None)
    for name, value in zip(ENDS, box or WHOLE, strict=True):
        if getattr(choices.local, name) != value:
            setattr(choices.local, name, value)


def without_box(settings: Settings) -> Settings:
    """Return the settings without the box, for images other than the one it was drawn on."""
    names = {field.name for field in fields(settings)}
    if not names.issuperset(ENDS):
        return settings
    return replace(settings, **dict(zip(ENDS, WHOLE, strict=True)))


def upright_box(box: tuple[float, ...], orientation: int) -> tuple[float, ...]:
    """Convert a box on an image's stored pixels to a box on the upright image.

    Blender shows a photo as it is stored; the worker turns it upright first, by its Exif
    orientation (1 to 8), as `worker/images/pixels.py` does.
    """
    horizontal, vertical = (box[0], box[2]), (box[1], box[3])
    if orientation in (5, 6, 7, 8):
        horizontal, vertical = vertical, horizontal
    if orientation in (3, 4, 7, 8):
        vertical = (1.0 - vertical[1], 1.0 - vertical[0])
    if orientation in (2, 3, 6, 7):
        horizontal = (1.0 - horizontal[1], 1.0 - horizontal[0])
    return horizontal[0], vertical[0], horizontal[1], vertical[1]


def drop_foreign(choices: Any) -> None:
    """Remove the box if it was drawn on another image."""
    if box_of(choices) and getattr(choices, OWNER) != choices.image:
        set_box(choices, ())
