# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier sessions: import or dismiss meshes that arrived, and discard unfinished jobs."""

from __future__ import annotations

import threading

import bpy

from ... import jobs, preferences
from ...app.bring_in import library_of
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ...providers import ImageToMeshError
from ..arguments import argument

_PUT_AWAY = "image_to_mesh put away"
CHARGED = "The service may have received the job: you may be charged for a mesh that you never get."
NOT_CHARGED = "The job was not submitted, so nothing is charged for it."


class IMAGE_TO_MESH_OT_import_arrivals(bpy.types.Operator):
    """Import all recovered meshes, and report those that cannot be imported."""

    bl_idname = "image_to_mesh.import_arrivals"
    bl_label = "Import"
    bl_description = "Import the meshes that were finished while you were away"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        if not jobs.session().recovery.found.arrived:
            cls.poll_message_set("No meshes were finished while Blender was closed")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        failed = []
        for record in jobs.session().recovery.found.arrived:
            try:
                # Called without undo: this operator's own step covers all of them.
                bpy.ops.image_to_mesh.import_result("EXEC_DEFAULT", job=record.id)
            except RuntimeError as error:
                # One bad mesh must not keep the others from being imported.
                failed.append(str(error).strip())
                jobs.session().recovery.forget(record.id)
        for sentence in failed:
            self.report({"ERROR"}, sentence)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_dismiss_arrivals(bpy.types.Operator):
    """Hide the message about recovered meshes."""

    bl_idname = "image_to_mesh.dismiss_arrivals"
    bl_label = "Dismiss"
    bl_description = "Hide this message; the meshes stay in the library"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        library = jobs.Library(preferences.library(context))
        found = [record.id for record in jobs.session().recovery.found.arrived]
        for job in found:
            jobs.session().recovery.forget(job)

        def note() -> None:
            for job in found:
                jobs.dismiss(library, job)

        # On a thread: the library may be on a slow network folder.
        threading.Thread(target=note, name=_PUT_AWAY, daemon=True).start()
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_discard(bpy.types.Operator):
    """Cancel an unfinished job of an earlier session for good."""

    bl_idname = "image_to_mesh.discard"
    bl_label = "Discard Job"
    bl_description = "Cancel this job; its images stay in the library"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job to discard")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            record = library_of(context, self.job).load(self.job)
        except ImageToMeshError as error:
            return self._refuse(error)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Discard “{}”").format(record.name),
            message=tr(CHARGED if jobs.was_submitted(record) else NOT_CHARGED),
            confirm_text=tr("Discard"),
            icon="WARNING",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            jobs.give_up(library_of(context, self.job), self.job)
        except ImageToMeshError as error:
            return self._refuse(error)
        jobs.session().dismiss(self.job)
        jobs.session().recovery.forget(self.job)
        redraw(context)
        return {"FINISHED"}

    def _refuse(self, error: ImageToMeshError) -> set[str]:
        self.report({"ERROR"}, translate_error(error))
        return {"CANCELLED"}


classes = (
    IMAGE_TO_MESH_OT_import_arrivals,
    IMAGE_TO_MESH_OT_dismiss_arrivals,
    IMAGE_TO_MESH_OT_discard,
)
