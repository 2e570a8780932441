# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a result's texture in one viewport."""

from __future__ import annotations

import bpy

from ...jobs.custom_properties import JOB
from ...state import viewport_shading


class IMAGE_TO_MESH_OT_show_texture(bpy.types.Operator):
    """Show textures in Solid shading, or hide them again."""

    bl_idname = "image_to_mesh.show_texture"
    bl_label = "Show or Hide Texture"
    bl_description = (
        "Show textures in Solid shading, in this viewport only; click again to hide them"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space = context.space_data
        if space is None or space.type != "VIEW_3D":
            cls.poll_message_set("Move the pointer over a 3D Viewport")
            return False
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


def _color_type(context: bpy.types.Context) -> str:
    """Return "VERTEX" if the last result has color attributes but no UV map, else "TEXTURE"."""
    results = [obj for obj in context.view_layer.objects if JOB in obj and obj.type == "MESH"]
    for obj in results[-1:]:
        if obj.data.color_attributes and not obj.data.uv_layers:
            return "VERTEX"
    return "TEXTURE"


classes = (IMAGE_TO_MESH_OT_show_texture,)
