# SPDX-License-Identifier: GPL-3.0-or-later
"""Test a key by requesting the account's balance, and turn on Blender's online access."""

from __future__ import annotations

import bpy

from ..app import heartbeat
from ..app.periodic.account import ask_balance
from ..app.redraw import redraw
from ..i18n.translate import translate_error
from ..providers import ImageToMeshError, get_provider
from ..state.scene_properties import provider_of
from .arguments import argument


class IMAGE_TO_MESH_OT_test_key(bpy.types.Operator):
    """Request an account's balance on a thread."""

    bl_idname = "image_to_mesh.test_key"
    bl_label = "Test Key"
    bl_description = "Test the key by asking the service for the account balance, which is free"
    bl_options = {"INTERNAL"}

    provider: argument("Provider", "Provider whose key is tested; if empty, the scene's provider")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            chosen = get_provider(self.provider) if self.provider else provider_of(context.scene)
            ask_balance(context, chosen)
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_allow_online(bpy.types.Operator):
    """Turn on Blender's online access."""

    bl_idname = "image_to_mesh.allow_online"
    bl_label = "Allow Online Access"
    bl_description = (
        "Allow Blender and its add-ons to use the internet. This is Blender's own setting, in "
        "Preferences › System"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        if bpy.app.online_access_override and not bpy.app.online_access:
            cls.poll_message_set(
                "Blender was started with --offline-mode: restart it without that option"
            )
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.preferences.system.use_online_access = True
        heartbeat.wake()  # balances and prices can be asked for now
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_test_key, IMAGE_TO_MESH_OT_allow_online)
