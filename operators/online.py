# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own switch for online access, one click away from where it is missed."""

from __future__ import annotations

import bpy

from ..app import heartbeat
from ..app.redraw import redraw


class IMAGE_TO_MESH_OT_allow_online(bpy.types.Operator):
    """Turn on Blender's online access."""

    bl_idname = "image_to_mesh.allow_online"
    bl_label = "Allow Online Access"
    bl_description = (
        "Allow Blender and its add-ons to use the internet. This is Blender's own setting, in "
        "Preferences > System"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        if bpy.app.online_access_override and not bpy.app.online_access:
            cls.poll_message_set("Blender was started with --offline-mode: start it without")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.preferences.system.use_online_access = True
        heartbeat.wake()  # balances and prices can be asked for now
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_allow_online,)
