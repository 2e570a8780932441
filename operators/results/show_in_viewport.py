# SPDX-License-Identifier: GPL-3.0-or-later
"""Show results in one viewport: with their textures, or all of them in view."""

from __future__ import annotations

from typing import Any

import bpy

from ...i18n.translate import tr
from ...jobs.custom_properties import JOB
from ...state import viewport_shading
from ..arguments import argument


class IMAGE_TO_MESH_OT_show_texture(bpy.types.Operator):
    """Show textures in Solid shading, or hide them again."""

    bl_idname = "image_to_mesh.show_texture"
    bl_label = "Toggle Texture"
    bl_description = (
        "Show textures in Solid shading, in this viewport only; click again to hide them"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _is_in_viewport(cls, context):
            return False
        space = context.space_data
        if not (viewport_shading.is_plain(space) or viewport_shading.can_hide(space)):
            cls.poll_message_set("This viewport already shows textures")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        space = context.space_data
        if viewport_shading.is_plain(space):
            viewport_shading.show(space, _color_type(context))
        else:
            viewport_shading.hide(space)
        context.area.tag_redraw()
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_frame_results(bpy.types.Operator):
    """Move a viewport so that it shows the meshes of a job, by default of all jobs."""

    bl_idname = "image_to_mesh.frame_results"
    bl_label = "Frame Results"
    bl_description = "Move this viewport so that it shows all generated meshes"
    bl_options = {"REGISTER"}

    job: argument("Job", "Job whose meshes are shown; if empty, those of all jobs")

    @classmethod
    def description(cls, _: bpy.types.Context, properties: Any) -> str:
        return tr("Move this viewport so that it shows this mesh") if properties.job else ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _is_in_viewport(cls, context):
            return False
        if not any(JOB in obj for obj in context.view_layer.objects):
            cls.poll_message_set("There is no generated model in this scene")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.ground.framing import frame_objects

        meshes = [obj for obj in context.view_layer.objects if obj.type == "MESH" and JOB in obj]
        shown = [obj for obj in meshes if self.job in ("", obj[JOB]) and obj.visible_get()]
        if not shown:
            self.report({"WARNING"}, "The mesh is hidden, or no longer in this scene")
            return {"CANCELLED"}
        frame_objects(context, shown)
        return {"FINISHED"}


def _is_in_viewport(cls: Any, context: bpy.types.Context) -> bool:
    """Return whether the operator runs in a 3D Viewport; the tooltip says so if it does not."""
    space = context.space_data
    if space is not None and space.type == "VIEW_3D":
        return True
    cls.poll_message_set("Move the pointer over a 3D Viewport")
    return False


def _color_type(context: bpy.types.Context) -> str:
    """Return "VERTEX" if the last result has color attributes but no UV map, else "TEXTURE"."""
    results = [obj for obj in context.view_layer.objects if JOB in obj and obj.type == "MESH"]
    for obj in results[-1:]:
        if obj.data.color_attributes and not obj.data.uv_layers:
            return "VERTEX"
    return "TEXTURE"


classes = (IMAGE_TO_MESH_OT_show_texture, IMAGE_TO_MESH_OT_frame_results)
