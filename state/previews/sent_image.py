# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's preview of the scene's image as the provider will receive it.

It is set outside of drawing; panels look it up by its icon number.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

import bpy.utils.previews

from .. import subject_box
from ..preflight import picture_key, picture_problem
from ..scene_properties import choices_of

if TYPE_CHECKING:
    from array import array

Wish: TypeAlias = tuple[Hashable, str, float, tuple[float, ...]]
NAME = "sent"
NO_TOLERANCE = ("alpha", "none")
"""Choices of Foreground that Tolerance does not apply to."""

_collection: list[Any] = []
"""Blender's collection with the one preview; empty while the add-on is disabled."""
_shown: list[Wish] = []
"""What the preview shows, as `wish_of` returns it; at most one."""


def wish_of(context: bpy.types.Context) -> Wish | None:
    """Return what the preview should show: the image's key, detection mode, tolerance, and box.

    None if there is no readable image. The mode is empty for services, which get the whole image.
    """
    choices = choices_of(context.scene)
    image = choices.image
    if picture_problem(image):
        return None
    key = picture_key(image)
    box = subject_box.box_of(choices)
    if choices.provider != "local":
        return key, "", 0.0, box
    mode = choices.local.foreground
    return key, mode, 0.0 if mode in NO_TOLERANCE else round(choices.local.tolerance, 6), box


def current() -> Wish | None:
    """Return what the preview shows now, or None before the first preview."""
    return _shown[0] if _shown else None


def show(wish: Wish, width: int, height: int, pixels: array[int]) -> None:
    """Show a preview that was drawn for `wish`; `width` and `height` are in pixels.

    `pixels` has RGBA bytes, one 32-bit integer per pixel, the bottom row first. Nothing is shown
    while the add-on is disabled.
    """
    if not _collection:
        return
    previews = _collection[0]
    preview = previews[NAME] if NAME in previews else previews.new(NAME)
    preview.image_size = (width, height)
    preview.image_pixels.foreach_set(pixels)
    _shown[:] = [wish]


def icon_of(image: bpy.types.Image) -> int:
    """Return the icon number of the preview of an image as the provider will receive it.

    Until that preview is ready, return the number of Blender's own preview, or 0 without one.
    """
    if _shown and _shown[0][0] == picture_key(image):
        return int(_collection[0][NAME].icon_id)
    return int(image.preview.icon_id) if image.preview else 0


def register() -> None:
    """Create the preview collection."""
    _collection.append(bpy.utils.previews.new())


def unregister() -> None:
    """Remove the preview collection."""
    _shown.clear()
    while _collection:
        bpy.utils.previews.remove(_collection.pop())
