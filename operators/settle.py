# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve an order whose answer was lost: the service may or may not have received it."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty

from .. import jobs
from ..app import bring_in, watcher
from ..app.redraw import redraw
from ..app.resume import start_again
from ..i18n.translate import tr, translate_error
from ..providers import ImageToMeshError, LibraryProblem, Message, all_providers
from .arguments import argument
from .running import wait_for

TWICE = "If the service has already received the job, you will be charged twice."
LOST = "If the service has received the job, you are charged for a mesh that you never get."
CONFIRMED = {"SUBMIT_AGAIN": ("Submit Again", TWICE), "FORGET": ("Discard", LOST)}
"""Choices that may cost money for nothing: the button of the question, and the question."""


class IMAGE_TO_MESH_OT_settle(bpy.types.Operator):
    """Resolve an uncertain job: look for its task, attach one, submit again, or discard the job."""

    bl_idname = "image_to_mesh.settle"
    bl_label = "Resolve Uncertain Job"
    bl_description = "Decide what to do with a job that the service never confirmed"
    # No bl_options with REGISTER: Repeat Last would submit without the question.

    job: argument("Job", "ID of the job")
    how: EnumProperty(
        name="Action",
        description="What to do with the job",
        items=(
            (
                "LOOK",
                "Check Again",
                "Look for the job among the service's recent tasks, if the service lists them",
            ),
            ("ATTACH", "Attach Task", "The service received the job: continue with its task"),
            (
                "SUBMIT_AGAIN",
                "Submit Again",
                (
                    "Submit the job again, if the service did not receive it; otherwise you are "
                    "charged twice"
                ),
            ),
            ("FORGET", "Discard", "Give up on this job (you may still be charged for it)"),
        ),
        options={"SKIP_SAVE"},
    )
    task: argument("Task ID", "ID of the task, as the service shows it")

    @classmethod
    def description(cls, _: bpy.types.Context, properties: Any) -> str:
        chosen = properties.bl_rna.properties["how"].enum_items[properties.how]
        return tr(chosen.description)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.how == "ATTACH":
            return context.window_manager.invoke_props_dialog(self, title=tr("Attach Task"))
        if self.how not in CONFIRMED:
            return self.execute(context)
        button, question = map(tr, CONFIRMED[self.how])
        return context.window_manager.invoke_confirm(
            self, event, title=button, message=question, confirm_text=button, icon="WARNING"
        )

    def draw(self, _: bpy.types.Context) -> None:
        self.layout.prop(self, "task", text=self._id_label())

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self._resolve(context)
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        redraw(context)
        return {"FINISHED"}

    def _resolve(self, context: bpy.types.Context) -> None:
        library = bring_in.library_of(context, self.job)
        record = library.load(self.job)
        if not jobs.is_uncertain(record):
            raise LibraryProblem(
                Message(
                    "“{name}” does not need to be resolved (state: {state}).",
                    name=record.name,
                    state=Message.of(record.state.shown),
                ),
                "If it is unfinished, resume it.",
            )
        if self.how == "FORGET":
            jobs.give_up(library, record.id)
            jobs.session().dismiss(record.id)
            return jobs.session().recovery.forget(record.id)
        if self.how == "ATTACH" and not self.task.strip():
            raise LibraryProblem(
                Message("{field} is empty.", field=Message.of(self._id_label())),
                "Copy it from the service's website.",
            )
        decided = {"again": self.how == "SUBMIT_AGAIN", "attach": ""}
        if self.how == "ATTACH":
            decided["attach"] = self.task
        job = start_again(context, record, **decided)
        if bpy.app.background:
            wait_for(context, job)
        else:
            watcher.begin(context)
        return None

    def _id_label(self) -> str:
        session = jobs.session()
        shown = {view.job: view.provider for view in session.views()}
        uncertain = {record.id: record.provider for record in session.recovery.found.uncertain}
        provider = all_providers().get({**uncertain, **shown}.get(self.job, ""))
        return provider.lookup_name if provider and provider.lookup_name else "Task ID"


classes = (IMAGE_TO_MESH_OT_settle,)
