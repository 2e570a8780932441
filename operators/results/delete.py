# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete a job from the library: to the system's trash, or permanently if there is no trash.

Scripts delete at once. The gallery's button hides the result first, so that it can be brought back.
"""

from __future__ import annotations

import bpy

from ... import jobs
from ...app.bring_in import library_of
from ...app.periodic.library import refresh_soon
from ...app.results import deleted_results
from ...i18n.translate import tr, translate_error
from ...providers import LibraryProblem, Message
from ...state.results import hidden
from ...state.results.listing import listing
from ...state.results.shelf import NOTHING, shelf_of
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
        # It may have been hidden by the gallery's button.
        hidden.show_again(self.job)
        shelf_of(context).notice = ""
        refresh_soon(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_delete_result(bpy.types.Operator):
    """Hide a result, which is deleted after half a minute unless it is brought back."""

    bl_idname = "image_to_mesh.delete_result"
    bl_label = "Delete"
    bl_description = (
        "Delete this result from the library. Undo brings it back within 30 seconds; then it is "
        "moved to the system trash. Imported copies stay in their scenes"
    )
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose result is deleted")

    def execute(self, context: bpy.types.Context) -> set[str]:
        library = library_of(context, self.job)
        item = listing(context).by_job.get(self.job)
        try:
            refuse_running(self.job)
            library.idle_folder(self.job)
        except LibraryProblem as error:
            self.report({"WARNING"}, translate_error(error))
            return {"CANCELLED"}
        deleted_results.hide(self.job, library.root, getattr(item, "title", self.job))
        jobs.session().dismiss(self.job)
        shelf = shelf_of(context)
        # Nothing: the next result must not come below a pointer that just clicked Delete.
        shelf.selected, shelf.notice = NOTHING, ""
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_undo_delete(bpy.types.Operator):
    """Bring a deleted result back."""

    bl_idname = "image_to_mesh.undo_delete"
    bl_label = "Bring Back Deleted Result"
    bl_description = "Bring the deleted result back"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job to bring back; if empty, the one that was deleted last")

    def execute(self, context: bpy.types.Context) -> set[str]:
        last = hidden.last_undoable()
        job = self.job or (last.job if last else "")
        if job not in {item.job for item in hidden.all_hidden() if not item.leaving}:
            self.report({"WARNING"}, "It is already in the system trash")
            return {"CANCELLED"}
        hidden.show_again(job)
        shelf_of(context).selected = job
        return {"FINISHED"}


def newest_ended() -> str:
    """Return the ID of this session's newest ended job; raise LibraryProblem if none has ended."""
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


classes = (
    IMAGE_TO_MESH_OT_delete,
    IMAGE_TO_MESH_OT_delete_result,
    IMAGE_TO_MESH_OT_undo_delete,
)
