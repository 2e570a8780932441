# SPDX-License-Identifier: GPL-3.0-or-later
"""The box that the user draws around the subject of the scene's image.

It is kept in settings of the built-in provider, but the checks and edits of images use it for all
providers. It belongs to its image: another image has none.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import PointerProperty

ENDS = ("box_left", "box_top", "box_right", "box_bottom")
WHOLE = (0.0, 0.0, 1.0, 1.0)
OWNER = "box_image"
"""Property with the image that the box was drawn on."""


def owner() -> dict[str, Any]:
    """Return the property for the box's image, by name."""
    return {OWNER: PointerProperty(type=bpy.types.Image, options={"HIDDEN"})}


def box_of(choices: Any) -> tuple[float, ...]:
    """Return left, top, right, and bottom as shares of the image's sides; () without a box."""
    box = tuple(round(getattr(choices.local, name), 6) for name in ENDS)
    is_valid = box[0] < box[2] and box[1] < box[3]
    return box if is_valid and box != WHOLE else ()


def set_box(choices: Any, box: tuple[float, ...]) -> None:
    """Set the box around the subject of the current image; () removes it."""
    setattr(choices, OWNER, choices.image if box else None)
    for name, value in zip(ENDS, box or WHOLE, strict=True):
        if getattr(choices.local, name) != value:
            setattr(choices.local, name, value)


def drop_foreign(choices: Any) -> None:
    """Remove the box if it was drawn on another image."""
    if box_of(choices) and getattr(choices, OWNER) != choices.image:
        set_box(choices, ())
