# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel a running job, or stop waiting for the result of a canceled one."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from .. import jobs
from ..i18n.translate import tr, translate_error
from ..providers import LibraryProblem
from .arguments import argument

STOP = "Cancel this job; if the service still charges for it, its result is added to the library"
DO_NOT_COLLECT = "Stop waiting for this mesh; the service may still charge for it"


class IMAGE_TO_MESH_OT_cancel(bpy.types.Operator):
    """Cancel a running job, or stop waiting for a canceled one; the newest by default."""

    bl_idname = "image_to_mesh.cancel"
    bl_label = "Cancel Generation"
    bl_description = STOP
    job: argument("Job", "Job to cancel; if empty, the newest running one")
    collect: BoolProperty(
        name="Keep Result",
        description="Add the result to the library if the service still charges for it",
        default=True,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return tr(STOP if properties.collect else DO_NOT_COLLECT)

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        # Each row of a running job polls this at each draw.
        if not (jobs.session().is_running or jobs.session().collecting()):
            cls.poll_message_set("No job is running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            jobs.session().cancel(self.job or _newest(collect=self.collect), collect=self.collect)
        except LibraryProblem as error:
            self.report({"WARNING"}, translate_error(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _newest(*, collect: bool) -> str:
    """Return the ID of the newest job that can be canceled; raise LibraryProblem if no job can."""
    # With `collect` off, a canceled job whose result is still awaited can be canceled once more.
    stays = frozenset() if collect else jobs.session().collecting()
    for view in jobs.session().views():
        if not view.over or view.job in stays:
            return view.job
    raise LibraryProblem("No job is running.")


classes = (IMAGE_TO_MESH_OT_cancel,)
