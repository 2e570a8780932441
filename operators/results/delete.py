# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete a job from the library: to the system's trash, or permanently if there is no trash."""

from __future__ import annotations

import bpy

from ... import jobs
from ...app.bring_in import library_of
from ...app.periodic.library import refresh_soon
from ...i18n.translate import tr, translate_error
from ...providers import LibraryProblem, Message
from ..arguments import argument

GONE = "The images and mesh of {} will be permanently deleted from the library."


class IMAGE_TO_MESH_OT_delete(bpy.types.Operator):
    """Delete a job that has ended, by default the newest."""

    bl_idname = "image_to_mesh.delete"
    bl_label = "Delete Job"
    bl_description = (
        "Delete this job's images and mesh from the library; imported copies stay in their scenes"
    )
    job: argument("Job", "Job to delete; if empty, the newest finished one")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            # Resolved before the dialog, so that another job that ends meanwhile is not deleted.
            self.job = self.job or newest_ended()
            refuse_running(self.job)
            # Trash can be undone, so only a permanent deletion is confirmed.
            if jobs.move_to_trash(library_of(context, self.job), self.job):
                return self._forget_deleted(context)
        except LibraryProblem as error:
            self.report({"WARNING"}, translate_error(error))
            return {"CANCELLED"}
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Delete Job"),
            message=tr(GONE).format(self.job),
            confirm_text=tr("Delete"),
            icon="WARNING",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job = self.job or newest_ended()
            refuse_running(job)
            if not jobs.move_to_trash(library_of(context, job), job):
                library_of(context, job).delete(job)
        except LibraryProblem as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        self.job = job
        return self._forget_deleted(context)

    def _forget_deleted(self, context: bpy.types.Context) -> set[str]:
        jobs.session().dismiss(self.job)
        refresh_soon(context)
        return {"FINISHED"}


def newest_ended() -> str:
    """Return this session's newest ended job; raise LibraryProblem without one."""
    for view in jobs.session().views():
        if view.over and view.record and view.job not in jobs.session().collecting():
            return view.job
    raise LibraryProblem("There is no finished job to delete.", "Choose a job in Results.")


def refuse_running(job: str) -> None:
    """Raise LibraryProblem if a job is still running, or its result is still awaited."""
    if job in jobs.session().collecting():
        raise LibraryProblem(
            Message(("Job “{job}” is still waiting for its result."), job=job),
            "Click Stop Waiting first.",
        )
    if any(view.job == job for view in jobs.session().running()):
        raise LibraryProblem(Message("Job “{job}” is still running.", job=job), "Cancel it first.")


classes = (IMAGE_TO_MESH_OT_delete,)
