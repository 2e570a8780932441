# SPDX-License-Identifier: GPL-3.0-or-later
"""Page through the gallery."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from ... import jobs, preferences
from ...app import heartbeat
from ...state.gallery_page import page_count
from ...state.scene_properties import shelf_of


class IMAGE_TO_MESH_OT_turn_page(bpy.types.Operator):
    """Show the next or previous page of results."""

    bl_idname = "image_to_mesh.turn_page"
    bl_label = "Show Page"
    bl_description = "Show newer or older results"
    bl_options = {"INTERNAL"}

    by: IntProperty(
        name="Pages",
        description="Number of pages to move; negative for newer results",
        options={"SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        shelf = shelf_of(context)
        index = jobs.library_index(preferences.library(context))
        results = index.find(state=jobs.State.READY, text=shelf.text)
        pages = page_count(len(results))
        # The library may have shrunk, or the search changed, since the page was stored.
        shelf.page = min(max(0, shelf.page + self.by), pages - 1)
        heartbeat.wake()
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_turn_page,)
