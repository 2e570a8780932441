# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the settings that describe a server; nothing is ordered."""

from __future__ import annotations

import bpy

from ...app.periodic.account import ask_server_test
from ...app.redraw import redraw
from ...i18n.translate import translate_error
from ...providers import ImageToMeshError
from ...state.scene_properties import provider_of
from ..running import Refuses


class IMAGE_TO_MESH_OT_test_server(Refuses, bpy.types.Operator):
    """Ask the server of the scene's provider, on a thread, whether the settings fit it."""

    bl_idname = "image_to_mesh.test_server"
    bl_label = "Test Server"
    bl_description = (
        "Ask which server answers, and whether the settings fit its own description. No image is "
        "sent, and nothing is ordered"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the settings of the scene's provider describe a server."""
        if not provider_of(context.scene).has_server_check:
            cls.poll_message_set("The settings of this provider do not describe a server")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            ask_server_test(context, provider_of(context.scene))
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_test_server,)
