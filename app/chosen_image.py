# SPDX-License-Identifier: GPL-3.0-or-later
"""Use an image as the scene's image or as a side view, for operators and results of threads."""

from __future__ import annotations

import bpy

from ..state import views
from ..state.scene_properties import choices_of, taken_views
from .redraw import redraw
from .refusals import hide_refusal


def choose(
    context: bpy.types.Context, image: bpy.types.Image, *, same_subject: bool = False
) -> bool:
    """Make an image the scene's image; return whether the user has to decide about side views.

    The user has to keep or clear them if the provider takes side views and some belong to another
    image. With `same_subject`, the image is an edit of the current one: the side views and the
    reference for placement then stay assigned.
    """
    chosen = choices_of(context.scene)
    if same_subject and chosen.placement.own_reference():
        chosen.placement.bind_reference(chosen.placement.image_reference, image)
    views.put_in_front(chosen, image, same_subject=same_subject)
    hide_refusal()
    redraw(context)
    return bool(views.foreign(chosen, taken_views(context.scene)))


def use_as(context: bpy.types.Context, image: bpy.types.Image, view: str) -> bool:
    """Use an image for a view; do nothing if `view` is empty.

    Return the result of `choose` for the front view, and False for all others.
    """
    if view == "front":
        return choose(context, image)
    if view:
        setattr(choices_of(context.scene), f"view_{view}", image)
        redraw(context)
    return False
