# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume an interrupted job of this Blender session or an earlier one."""

from __future__ import annotations

import bpy

from .. import jobs
from ..app import watcher
from ..app.resume import find, start_again
from ..i18n.translate import translate_error
from ..providers import ImageToMeshError
from .arguments import argument
from .confirm_order import ask_to_submit
from .running import StartsJob


class IMAGE_TO_MESH_OT_resume(StartsJob, bpy.types.Operator):
    """Resume a job, by default the newest that can be resumed."""

    bl_idname = "image_to_mesh.resume"
    bl_label = "Resume"
    bl_description = (
        "Resume an interrupted job; it is never submitted twice. A job that was not submitted asks "
        "first"
    )
    # No bl_options with REGISTER: Repeat Last would submit without the question.

    job: argument("Job", "Job to resume; if empty, the newest that can be resumed")
    _is_clicked = False
    """Whether a user runs the operator in a window, who must not wait for the job's end."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._is_clicked = not bpy.app.background
        if not self._is_clicked:
            return self.execute(context)
        try:
            record = find(context, self.job)
            self.job = record.id  # the question is about this job, even if a newer one appears
            if jobs.is_unsent(record):  # guard: an-old-order-asks
                return ask_to_submit(self, context, event, record)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self._is_clicked:
            return self.run_job(context, self._start)
        try:
            self._start(context)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        watcher.begin(context)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> str:
        return start_again(context, find(context, self.job))


classes = (IMAGE_TO_MESH_OT_resume,)
