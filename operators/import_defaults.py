# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a scene's import options as the defaults of new scenes, or reset those defaults."""

from __future__ import annotations

import bpy

from .. import preferences
from ..app.periodic.new_scenes import chosen_in
from ..app.redraw import redraw


class IMAGE_TO_MESH_OT_keep_defaults(bpy.types.Operator):
    """Save this scene's import options as the defaults of new scenes."""

    bl_idname = "image_to_mesh.keep_defaults"
    bl_label = "Save as Import Defaults"
    bl_description = "Use this scene's placement and cleanup settings for new scenes"

    def execute(self, context: bpy.types.Context) -> set[str]:
        preferences.keep_import_defaults(context, chosen_in(context.scene))
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_forget_defaults(bpy.types.Operator):
    """Reset the defaults of new scenes to the add-on's own."""

    bl_idname = "image_to_mesh.forget_defaults"
    bl_label = "Reset Import Defaults"
    bl_description = "Use the default placement and cleanup settings for new scenes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if preferences.import_defaults(context):
            return True
        cls.poll_message_set("New scenes already use the default settings")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        preferences.keep_import_defaults(context, {})
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_keep_defaults, IMAGE_TO_MESH_OT_forget_defaults)
