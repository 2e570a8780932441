# SPDX-License-Identifier: GPL-3.0-or-later
"""Get the settings that only a server knows, and say what one of them does."""

from __future__ import annotations

from typing import Any

import bpy

from ...app.redraw import redraw
from ...app.server import settings
from ...i18n.translate import tr, translate_error
from ...providers import ImageToMeshError
from ...state.scene_properties import provider_of
from ...state.server.kept import kept_settings
from ..arguments import argument
from ..running import Refuses

LONGEST = 60.0
"""Seconds for which a script waits for the server."""


class IMAGE_TO_MESH_OT_get_settings(Refuses, bpy.types.Operator):
    """Ask the scene's provider for its server's settings; a script waits for them."""

    bl_idname = "image_to_mesh.get_settings"
    bl_label = "Get Settings"
    bl_description = (
        "Ask the server for the settings that it has now, which is free. Values that you changed "
        "stay as they are"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the provider's server has settings of its own."""
        if not provider_of(context.scene).has_server_settings:
            cls.poll_message_set("All settings of this provider are known")
            return False
        return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            settings.ask(context, provider_of(context.scene))
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        redraw(context)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            asked = settings.ask(context, provider_of(context.scene))
            settings.wait(context, asked, LONGEST)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_describe_setting(bpy.types.Operator):
    """Show what the server says about a setting, as tooltip and in the status bar.

    The fields of these settings share one tooltip, since Blender needs it before the server is
    asked.
    """

    bl_idname = "image_to_mesh.describe_setting"
    bl_label = "Setting of the Server"
    bl_options = {"INTERNAL"}

    setting: argument("Setting", "Name of the setting")

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """Return the server's own description of the setting, and the setting's name."""
        kept = kept_settings(context.scene, provider_of(context.scene))
        setting = kept.settings.get(properties.setting)
        if setting is None:
            return tr("The server has no such setting")
        name = tr("Name: {}").format(setting.name)
        return f"{setting.description}\n{name}" if setting.description else name

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        self.report({"INFO"}, type(self).description(context, self))
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_get_settings, IMAGE_TO_MESH_OT_describe_setting)
