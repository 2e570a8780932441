# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's tab, from top to bottom: picture, provider, settings, Generate, what came of it."""

from __future__ import annotations

import bpy

from ..properties import choices_of, group_of, provider_of, read_settings
from . import action, inputs, rows


class IMAGE_TO_MESH_PT_sidebar(bpy.types.Panel):
    """Picture in, mesh out."""

    bl_idname = "IMAGE_TO_MESH_PT_sidebar"
    bl_label = "Image to Mesh"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Image to Mesh"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = choices_of(context.scene)
        provider = provider_of(context.scene)
        inputs.draw_pictures(layout, context, chosen, provider)
        inputs.draw_provider(layout, context, chosen, provider)
        settings = read_settings(context.scene, provider)
        rows.draw_settings(layout, context, group_of(context.scene, provider), settings)
        action.draw_action(layout, context)


classes = (IMAGE_TO_MESH_PT_sidebar,)
