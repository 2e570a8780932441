# SPDX-License-Identifier: GPL-3.0-or-later
"""The *Views* subpanel: the side views that the provider takes besides the image."""

from __future__ import annotations

from typing import Any

import bpy

from ..i18n.translate import tr
from ..state.scene_properties import choices_of, provider_of, read_settings
from ..state.views import SIDE_VIEWS, foreign, view_of


def side_views(context: bpy.types.Context) -> tuple[str, ...]:
    """Return the side views that the provider takes with its current settings."""
    provider = provider_of(context.scene)
    # Reading the settings at each draw is of no use to providers that take the front view only.
    if not provider.views[1:]:
        return ()
    taken = provider.views_for(read_settings(context.scene, provider))
    return tuple(view for view in SIDE_VIEWS if view in taken)


def draw_views(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw a field for each side view."""
    chosen = choices_of(context.scene)
    for view in side_views(context):
        _draw_view(layout, chosen, view)


def draw_chosen(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Name the views in use, to be seen while the subpanel is closed."""
    chosen = choices_of(context.scene)
    there = [view for view in side_views(context) if view_of(chosen, view) is not None]
    row = layout.row()
    row.active = False
    row.label(text=", ".join(tr(view.capitalize()) for view in there), translate=False)


def draw_foreign(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the buttons for side views of another image, in sight wherever Generate is."""
    if foreign(choices_of(context.scene), side_views(context)):
        ways = layout.row(align=True)
        ways.operator("image_to_mesh.keep_views", text="Keep")
        ways.operator("image_to_mesh.clear_views", text="Clear")


def _draw_view(layout: bpy.types.UILayout, chosen: Any, view: str) -> None:
    """Draw the field of a side view."""
    row = layout.row(align=True)
    row.template_ID(chosen, f"view_{view}", text=view.capitalize())
    # An operator that template_ID opens gets no properties, and could not tell the views apart.
    row.operator("image_to_mesh.open_image", text="", icon="FILE_FOLDER").view = view
