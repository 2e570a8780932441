# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume an interrupted job of this Blender session or an earlier one."""

from __future__ import annotations

import bpy

from ..app import watcher
from ..app.resume import find, start_again
from ..i18n.translate import translate_error
from ..providers import ImageToMeshError
from .arguments import argument
from .running import StartsJob


class IMAGE_TO_MESH_OT_resume(StartsJob, bpy.types.Operator):
    """Resume a job, by default the newest that can be resumed."""

    bl_idname = "image_to_mesh.resume"
    bl_label = "Resume"
    bl_description = "Resume an interrupted job; it is never submitted twice"
    bl_options = {"REGISTER"}

    job: argument("Job", "Job to resume; if empty, the newest that can be resumed")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            start_again(context, find(context, self.job))
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        watcher.begin(context)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.run_job(context, lambda context: start_again(context, find(context, self.job)))


classes = (IMAGE_TO_MESH_OT_resume,)
