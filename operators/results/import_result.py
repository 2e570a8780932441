# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a finished job's mesh into the scene, as often as the person likes and for free."""

from __future__ import annotations

from dataclasses import replace

import bpy
from bpy.props import BoolProperty, FloatVectorProperty

from ... import jobs, preferences
from ...app import bring_in, job_events
from ...app.periodic.library import refresh_soon
from ...i18n.translate import translate_error
from ...jobs.disk.trust import is_trusted
from ...jobs.import_plan import Placement
from ...jobs.library.import_log import log_import
from ...jobs.library.versions import DRAWING, version_file
from ...providers import ImageToMeshError, LibraryProblem, Message
from ...scene.placement import chosen_placement
from ...state import import_options
from ..arguments import argument


class IMAGE_TO_MESH_OT_import_result(bpy.types.Operator):
    """Append the prepared model of a job."""

    bl_idname = "image_to_mesh.import_result"
    bl_label = "Import Generated Mesh"
    bl_description = "Place the mesh of a finished job in the scene; costs nothing"
    bl_options = {"REGISTER", "UNDO"}  # guard: one-undo-step

    job: argument("Job", "Which job's mesh; empty for the newest that has one", hidden=True)
    location: FloatVectorProperty(
        name="Location",
        description="Where the mesh stands; the scene's chosen place if not given",
        subtype="TRANSLATION",
        size=3,
        options={"SKIP_SAVE"},
    )
    version: argument("Version", "File of one of its versions; empty for the original", hidden=True)
    as_ordered: BoolProperty(
        name="As Ordered",
        description="Where and as large as was chosen when the job was started",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            record = _prepared_just_now(self.job) or find(context, self.job)
            self.job = record.id
            blend = version_file(self.version)
            record, notes = bring_in.bring_in(context, record, self._place(context, record), blend)
        except (ImageToMeshError, OSError, RuntimeError) as error:
            _show_failure(self.job, error)
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        if blend == bring_in.BLEND:
            job_events.came_in(record.id)
        log_import(bring_in.library_of(context, record.id).folder(record.id))
        refresh_soon(context)
        if record.state.over:
            _show_success(record, notes)
        return {"FINISHED"}

    def _place(self, context: bpy.types.Context, record: jobs.Record) -> Placement:
        """Return where it stands, and keep that for the panel that changes the last operation."""
        if self.as_ordered:
            place = record.plan.placement
        else:
            place = chosen_placement(context, import_options.placement_of(context.scene))
        if self.properties.is_property_set("location"):
            x, y, z = self.location
            return replace(place, location=(x, y, z))
        self.location = place.location
        return place


def find(context: bpy.types.Context, job: str) -> jobs.Record:
    """Return the job's record: of this session, else of the library; raises LibraryProblem.

    What a thread still works on is none yet: two would prepare the same file.
    """
    views = jobs.session().views()
    busy = {view.job: view.name for view in views if _is_at_work(view)}
    if job in busy:
        raise LibraryProblem(
            Message("“{name}” is not finished yet.", name=busy[job]), "Wait for it, or cancel it."
        )
    for view in views:
        if view.record and view.record.mesh and view.job not in busy and job in ("", view.job):
            return view.record
    library = jobs.Library(preferences.library(context))
    if job:
        return library.load(job)
    trusted = is_trusted(library.root)
    found = [
        record
        for record in library.all()[0]
        if record.mesh and record.id not in busy and (record.own or trusted)
    ]
    if not found:
        raise LibraryProblem("There is no finished job to import.", "Press Generate first.")
    return found[-1]


def _prepared_just_now(job: str) -> jobs.Record | None:
    """Return the record of a job whose model is there, and whose preview is still being drawn."""
    views = (view for view in jobs.session().views() if view.job == job)
    return next((view.record for view in views if view.phase == DRAWING), None)


def _is_at_work(view: jobs.JobView) -> bool:
    if view.job in jobs.session().collecting():
        return view.record is None or not view.record.state.over
    return not view.over


def _show_failure(job: str, error: Exception) -> None:
    """Let the panel show why the mesh did not come in; the record stays as it is."""
    message = getattr(
        error, "message", Message("The mesh could not be imported: {error}", error=error)
    )
    failure = jobs.Failure("import", message, getattr(error, "hint", ""))
    for view in jobs.session().views():
        if view.job == job and not _is_at_work(view):
            jobs.session().show(replace(view, failure=failure))


def _show_success(record: jobs.Record, notes: tuple[str, ...]) -> None:
    """Let the panel show the notes of the import, and no longer an earlier failure of it."""
    jobs.session().recovery.forget(record.id)
    for view in jobs.session().views():
        if view.job == record.id:
            shown = replace(record, notes=tuple(dict.fromkeys((*record.notes, *notes))))
            state = view.state if view.state.over else record.state
            jobs.session().show(
                replace(view, record=shown, state=state, failure=record.failure, collected=False)
            )


classes = (IMAGE_TO_MESH_OT_import_result,)
