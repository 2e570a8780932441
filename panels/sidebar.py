# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab, from top to bottom: image, provider, settings, Generate, results."""

from __future__ import annotations

import bpy

from ..state.scene_properties import choices_of, provider_of
from ..state.visibility import TAB, note_drawn
from . import gallery, generate, image, import_options, provider_settings


class _Tab:
    """Mix-in that puts a panel into the add-on's sidebar tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


class IMAGE_TO_MESH_PT_sidebar(_Tab, bpy.types.Panel):
    """The main panel."""

    bl_idname = "IMAGE_TO_MESH_PT_sidebar"
    bl_label = "Image to Mesh"

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = choices_of(context.scene)
        provider = provider_of(context.scene)
        image.draw_pictures(layout, context, chosen, provider)
        image.draw_provider(layout, context, chosen, provider)
        provider_settings.draw_basic(layout, context)
        import_options.draw_size(layout, context)
        generate.draw_action(layout, context)


class IMAGE_TO_MESH_PT_settings(_Tab, bpy.types.Panel):
    """Settings that are rarely needed."""

    bl_idname = "IMAGE_TO_MESH_PT_settings"
    bl_label = "More Settings"
    bl_parent_id = IMAGE_TO_MESH_PT_sidebar.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return provider_settings.has_rest(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        provider_settings.draw_rest(layout, context)


class IMAGE_TO_MESH_PT_results(_Tab, bpy.types.Panel):
    """The gallery of finished meshes."""

    bl_idname = "IMAGE_TO_MESH_PT_results"
    bl_label = "Results"
    bl_parent_id = IMAGE_TO_MESH_PT_sidebar.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    # No `note_drawn` in subpanels: Blender draws them only together with the main panel.
    def draw(self, context: bpy.types.Context) -> None:
        gallery.draw_gallery(self.layout, context)


classes = (IMAGE_TO_MESH_PT_sidebar, IMAGE_TO_MESH_PT_settings, IMAGE_TO_MESH_PT_results)
