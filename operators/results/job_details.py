# SPDX-License-Identifier: GPL-3.0-or-later
"""Show or hide the details of an ended job in the sidebar."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from ...app.redraw import redraw
from ...state import opened_jobs
from ..arguments import HIDDEN, argument


class IMAGE_TO_MESH_OT_show_details(bpy.types.Operator):
    """Show or hide an ended job's details."""

    bl_idname = "image_to_mesh.show_details"
    bl_label = "Show Details"
    bl_description = "Show or hide the details of this job"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose details are shown or hidden", hidden=True)
    show: BoolProperty(
        name="Show", description="Show the details; if off, hide them", default=True, options=HIDDEN
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        opened_jobs.remember(self.job, shown=self.show)
        redraw(context)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_show_details,)
