# SPDX-License-Identifier: GPL-3.0-or-later
"""Small buttons beside messages: open the preferences, copy an error, dismiss a job."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from .. import jobs, preferences
from ..app.refusals import REFUSED
from ..preferences.fields import shown_name
from ..providers import all_providers
from .arguments import argument

# Blender finds an add-on's preferences by its root package.
ROOT = __package__.rpartition(".")[0]


class IMAGE_TO_MESH_OT_open_preferences(bpy.types.Operator):
    """Open the add-on's preferences, or the System section of Blender's."""

    bl_idname = "image_to_mesh.open_preferences"
    bl_label = "Open Preferences"
    bl_description = "Open the preferences to change this"
    bl_options = {"INTERNAL"}

    system: BoolProperty(
        name="System",
        description="Open the System section, which contains Allow Online Access",
        options={"SKIP_SAVE"},
    )
    provider: argument(
        "Provider", "ID of the provider whose service is unfolded; if empty, none changes"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        if self.system:
            bpy.ops.screen.userpref_show("INVOKE_DEFAULT", section="SYSTEM")
            return {"FINISHED"}
        unfold_service(context, self.provider)
        bpy.ops.preferences.addon_show(module=ROOT)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_copy_error(bpy.types.Operator):
    """Copy a job's error to the clipboard."""

    bl_idname = "image_to_mesh.copy_error"
    bl_label = "Copy Error"
    bl_description = (
        "Copy this error and the job's ID to the clipboard, for example for a bug report"
    )
    bl_options = {"INTERNAL"}

    job: argument("Job", "ID of the job")

    def execute(self, context: bpy.types.Context) -> set[str]:
        view = next((view for view in jobs.session().views() if view.job == self.job), None)
        if view is None or view.failure is None:
            return {"CANCELLED"}
        context.window_manager.clipboard = error_text(view, view.failure)
        self.report({"INFO"}, "Error copied")
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_dismiss(bpy.types.Operator):
    """Hide an ended job in the panel."""

    bl_idname = "image_to_mesh.dismiss"
    bl_label = "Dismiss"
    bl_description = "Hide this message; the job stays in the library"
    bl_options = {"INTERNAL"}

    job: argument("Job", "ID of the job")

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.session().dismiss(self.job)
        return {"FINISHED"}


def unfold_service(context: bpy.types.Context, provider: str) -> None:
    """Unfold the row of a provider's service in the preferences, and fold those of all others.

    Do nothing if there is no such provider, or if it needs no key.
    """
    rows = {known.id: shown_name(known) for known in all_providers().values() if known.keys}
    if provider not in rows:
        return
    stored = preferences.addon_preferences(context)
    for name in rows.values():
        setattr(stored, name, name == rows[provider])


def error_text(view: jobs.JobView, failure: jobs.Failure) -> str:
    """Return an error as text for a bug report.

    The text has the message, hint, link, job, provider, error kind, task, and Blender's version.
    """
    job = "No job" if view.job == REFUSED else f"Job {view.job}"
    ticket = dict(view.record.ticket or {}) if view.record else {}
    # What the service's support asks for; an address could be a presigned one.
    task = ticket.get("task") or ticket.get("job")
    where = f"{job}, provider {view.provider}, error {failure.kind}"
    where = f"{where}, task {task}" if isinstance(task, str) else where
    version = f"Blender {bpy.app.version_string}"
    lines = (failure.message, failure.hint, failure.link, f"{where}, {version}")
    return "\n".join(line for line in lines if line)


classes = (
    IMAGE_TO_MESH_OT_open_preferences,
    IMAGE_TO_MESH_OT_copy_error,
    IMAGE_TO_MESH_OT_dismiss,
)
