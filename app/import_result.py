# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a finished job's mesh: find the job, import its model, show the outcome."""

from __future__ import annotations

from dataclasses import replace

import bpy

from .. import jobs, preferences
from ..jobs.disk.trust import is_trusted
from ..jobs.steps.prepare import DRAWING
from ..providers import LibraryProblem, Message
from ..state.results import hidden
from . import bring_in, event_queue
from .periodic.library import refresh_soon


def import_result(
    context: bpy.types.Context,
    record: jobs.Record,
    placement: jobs.Placement,
    blend: str = bring_in.BLEND,
    more_notes: tuple[str, ...] = (),
) -> bpy.types.Object:
    """Import a job's mesh, or a version of it, and return its root object.

    If the original is imported before the job's end is handled, the end does not import it again.
    `more_notes` are shown with the result. Raises ImageToMeshError, OSError, or RuntimeError.
    """
    record, root, notes = bring_in.bring_in(context, record, placement, blend)
    notes = (*notes, *more_notes)
    # Only a pending end would import the model again; later imports are the user's own.
    if blend == bring_in.BLEND and event_queue.is_expected(record.id):
        event_queue.note_import(record.id)
    jobs.log_import(bring_in.library_of(context, record.id).folder(record.id))
    refresh_soon(context)
    if record.state.over:
        show_success(record, notes)
    else:
        event_queue.notes[record.id] = notes
    return root


def find(context: bpy.types.Context, job: str) -> jobs.Record:
    """Return the record of `job`, or of the newest job with a mesh if `job` is empty.

    If `job` is empty, search this process's jobs first, then the library. In the library, skip
    hidden jobs, and other users' jobs unless the library is trusted. Raise LibraryProblem if there
    is no such job, or if a thread is still working on `job`: two threads would prepare the same
    file.
    """
    views = jobs.session().views()
    busy = {view.job: view.name for view in views if _is_at_work(view)}
    if job in busy:
        raise LibraryProblem(
            Message("“{name}” is not finished yet.", name=busy[job]),
            "Wait until it is done, or cancel it.",
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
        if record.mesh
        and record.id not in busy
        and record.id not in hidden.jobs_away()
        and (record.own or trusted)
    ]
    if not found:
        raise LibraryProblem("There is no finished job to import.", "Click Generate first.")
    return found[-1]  # `Library.all` returns the oldest first.


def find_drawing(job: str) -> jobs.Record | None:
    """Return a job's record while its preview is drawn, when its model is ready; else None."""
    views = (view for view in jobs.session().views() if view.job == job)
    return next((view.record for view in views if view.phase == DRAWING), None)


def show_failure(job: str, error: Exception) -> None:
    """Show why a job's import failed in the job's panel entry; the record does not change.

    Do nothing while the job is still running.
    """
    reason = getattr(error, "strerror", None) or error
    message = Message("The mesh could not be imported: {error}.", error=reason)
    failure = jobs.Failure(
        "import",
        getattr(error, "message", message),
        getattr(error, "hint", "Import the result again."),
    )
    for view in jobs.session().views():
        if view.job == job and not _is_at_work(view):
            jobs.session().show(replace(view, failure=failure))


def _is_at_work(view: jobs.JobView) -> bool:
    if view.job in jobs.session().collecting():
        return view.record is None or not view.record.state.over
    return not view.over


def show_success(record: jobs.Record, notes: tuple[str, ...]) -> None:
    """Show an import's notes in the job's panel entry, and clear an earlier import failure there.

    `notes` are added to those of the record. The job is dropped from the recovery list.
    """
    jobs.session().recovery.forget(record.id)
    for view in jobs.session().views():
        if view.job == record.id:
            shown = replace(record, notes=tuple(dict.fromkeys((*record.notes, *notes))))
            state = view.state if view.state.over else record.state
            jobs.session().show(
                replace(view, record=shown, state=state, failure=record.failure, collected=False)
            )
