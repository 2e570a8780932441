# SPDX-License-Identifier: GPL-3.0-or-later
"""Import or dismiss meshes that arrived while Blender was closed."""

from __future__ import annotations

import threading

import bpy

from ... import jobs, preferences

_PUT_AWAY = "image_to_mesh put away"


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


classes = (IMAGE_TO_MESH_OT_import_arrivals, IMAGE_TO_MESH_OT_dismiss_arrivals)
