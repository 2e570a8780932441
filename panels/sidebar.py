# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab, from top to bottom.

Image, provider, and Generate come first, then closed subpanels for what is set less often; jobs and
results are last. Nothing that a job changes is above the subpanels, so that no button moves while a
job runs.
"""

from __future__ import annotations

import bpy

from ..state.scene_properties import choices_of, provider_of
from ..state.visibility import TAB, note_drawn
from . import (
    generate,
    image,
    import_options,
    job_list,
    provider_settings,
    provider_state,
    views,
)
from .results import gallery


class _Tab:
    """Mix-in that puts a panel into the add-on's sidebar tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


class IMAGE_TO_MESH_PT_sidebar(_Tab, bpy.types.Panel):
    """The main panel: image, provider, and Generate."""

    bl_idname = "IMAGE_TO_MESH_PT_sidebar"
    bl_label = "Image to Mesh"

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        layout = self.layout
        chosen = choices_of(context.scene)
        provider = provider_of(context.scene)
        action, is_empty = generate.plan_action(context), chosen.image is None
        if is_empty:
            image.draw_invitation(layout, context, chosen)
        else:
            image.draw_picture(layout, context, chosen, provider, action)
        provider_state.draw_provider(layout, context, chosen, provider, described=is_empty)
        generate.draw_generate(layout, context, action)


class _Sub(_Tab):
    """Mix-in for a subpanel, closed at first.

    Subpanels do not call `note_drawn`: Blender draws them only together with the main panel.
    """

    bl_parent_id = IMAGE_TO_MESH_PT_sidebar.bl_idname
    bl_options = {"DEFAULT_CLOSED"}


class IMAGE_TO_MESH_PT_views(_Sub, bpy.types.Panel):
    """The side views of the subject."""

    bl_idname = "IMAGE_TO_MESH_PT_views"
    bl_label = "Views"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(views.side_views(context))

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        views.draw_count(self.layout, context)

    def draw(self, context: bpy.types.Context) -> None:
        views.draw_views(self.layout, context)


class IMAGE_TO_MESH_PT_settings(_Sub, bpy.types.Panel):
    """The provider's settings."""

    bl_idname = "IMAGE_TO_MESH_PT_settings"
    bl_label = "Settings"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return provider_settings.has_settings(context)

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        provider_settings.draw_presets(self.layout, context)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        provider_settings.draw_settings(self.layout, context)


class IMAGE_TO_MESH_PT_placement(_Sub, bpy.types.Panel):
    """Location, size, and storage of imported models."""

    bl_idname = "IMAGE_TO_MESH_PT_placement"
    bl_label = "Placement"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        import_options.draw_location(self.layout, context)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        import_options.draw_placement(self.layout, context)


class IMAGE_TO_MESH_PT_cleanup(_Sub, bpy.types.Panel):
    """Options of Cleanup on Import."""

    bl_idname = "IMAGE_TO_MESH_PT_cleanup"
    bl_label = "Cleanup on Import"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        import_options.draw_cleanup(self.layout, context)


class IMAGE_TO_MESH_PT_jobs(_Sub, bpy.types.Panel):
    """Running and ended jobs."""

    bl_idname = "IMAGE_TO_MESH_PT_jobs"
    bl_label = "Jobs"
    bl_options = set()

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        job_list.draw_count(self.layout, context)

    def draw(self, context: bpy.types.Context) -> None:
        job_list.draw_jobs(self.layout, context)


class IMAGE_TO_MESH_PT_results(_Sub, bpy.types.Panel):
    """The gallery of finished meshes."""

    bl_idname = "IMAGE_TO_MESH_PT_results"
    bl_label = "Results"

    def draw(self, context: bpy.types.Context) -> None:
        gallery.draw_gallery(self.layout, context)


classes = (
    IMAGE_TO_MESH_PT_sidebar,
    IMAGE_TO_MESH_PT_views,
    IMAGE_TO_MESH_PT_settings,
    IMAGE_TO_MESH_PT_placement,
    IMAGE_TO_MESH_PT_cleanup,
    IMAGE_TO_MESH_PT_jobs,
    IMAGE_TO_MESH_PT_results,
)
