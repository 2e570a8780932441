# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own servers: find them on this computer, set one up, and consent to plain http."""

from __future__ import annotations

import bpy

from ... import jobs, preferences
from ...app.periodic.account import await_answer
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ...providers import ImageToMeshError, get_provider
from ...state.scene_properties import choices_of
from ..arguments import argument


class IMAGE_TO_MESH_OT_find_servers(bpy.types.Operator):
    """Look at the usual ports of this computer, on threads."""

    bl_idname = "image_to_mesh.find_servers"
    bl_label = "Look on This Computer"
    bl_description = (
        "Look for servers that make meshes on the usual ports of this computer; nothing else is "
        "called"
    )
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        search = jobs.server_search()
        search.start()
        await_answer(lambda: not search.is_running)
        if bpy.app.background:  # scripts read the result at once
            search.join()
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_use_server(bpy.types.Operator):
    """Choose a server's provider, and save the server's address."""

    bl_idname = "image_to_mesh.use_server"
    bl_label = "Use Server"
    bl_description = "Choose this server as the scene's provider, and save its address"
    bl_options = {"INTERNAL"}

    provider: argument("Provider", "Provider that can use the server")
    address: argument("Address", "Address of the server")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            provider = get_provider(self.provider)
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        stored = preferences.addon_preferences(context)
        if provider.address and stored:
            # Empty means the usual address, unless the environment says otherwise.
            usual = self.address == provider.address.default
            is_usual = usual and not preferences.is_from_environment(provider.address)
            setattr(stored, provider.address.preference, "" if is_usual else self.address)
            context.preferences.is_dirty = True
        choices_of(context.scene).provider = provider.id
        self.report({"INFO"}, tr("Using {}").format(self.address))
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_send_unencrypted(bpy.types.Operator):
    """Save that the user agrees to send a secret to a server unencrypted."""

    bl_idname = "image_to_mesh.send_unencrypted"
    bl_label = "Send Unencrypted"
    bl_description = (
        "Send the header to this address without encryption from now on. Anybody in the same "
        "network could read it, and use the server"
    )
    bl_options = {"INTERNAL"}

    provider: argument("Provider", "Provider whose server gets the header")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            preferences.allow_unencrypted(context, get_provider(self.provider))
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        redraw(context)
        return {"FINISHED"}


classes = (
    IMAGE_TO_MESH_OT_find_servers,
    IMAGE_TO_MESH_OT_use_server,
    IMAGE_TO_MESH_OT_send_unencrypted,
)
