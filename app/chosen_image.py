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
    """Use an image in the scene; return whether the user has to keep or clear old side views.

    Side views of another image are not sent before that. The result is False without such views, or
    if the provider takes no side views. `same_subject`: the image is an edit of the current one, so
    that side views and a reference for its placement stay assigned.
    """
    chosen = choices_of(context.scene)
    if same_subject and chosen.placement.own_reference():
        chosen.placement.bind_reference(chosen.placement.image_reference, image)
    views.put_in_front(chosen, image, same_subject=same_subject)
    hide_refusal()
    redraw(context)
    return bool(views.foreign(chosen, taken_views(context.scene)))


def use_as(context: bpy.types.Context, image: bpy.types.Image, view: str) -> bool:
    """Use an image for a view; "" stands for no view.

    Return the result of `choose` for the front view, else False.
    """
    if view == "front":
        return choose(context, image)
    if view:
        setattr(choices_of(context.scene), f"view_{view}", image)
        redraw(context)
    return False
