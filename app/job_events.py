# SPDX-License-Identifier: GPL-3.0-or-later
"""Handle the events of jobs, for the watcher and for scripts that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..jobs.steps.prepare import DRAWING
from ..state import open_file
from ..state.updates import job_targets
from . import bring_in, event_queue
from .import_result import show_success
from .live import live_preview
from .periodic import placeholders
from .periodic.account import refresh_balance


class Outcome(NamedTuple):
    """A report for the status bar: how a job ended, or that its mesh waits."""

    level: Literal["INFO", "WARNING", "ERROR"]
    message: str


def handle(context: bpy.types.Context, event: jobs.Event) -> Outcome | None:
    """Act on an event: import a mesh that is ready, or find out how its job ended.

    A mesh is imported into the scene that its job was started in, or the current one if that is
    gone; never into another file. Return the outcome for the status bar if the event ends the job,
    else None.
    """
    if not isinstance(event, jobs.Ended | jobs.Collected):
        return _handle(context, event)
    # A waiting script can receive the end while the watcher still holds earlier events.
    event_queue.drop(event.job)
    outcome = _handle(context, event)
    bring_in.drop_chunks(context, event.job)
    live_preview.note_end(context, event.job)
    return outcome


def _handle(context: bpy.types.Context, event: jobs.Event) -> Outcome | None:
    view = event.view
    if early(event) and bring_in.is_there(context, event.job):
        _bring_in(context, view)
        return None
    if not isinstance(event, jobs.Ended | jobs.Collected):
        return None
    refresh_balance(context, view.provider)
    notes = event_queue.notes.get(view.job, ())
    is_there = event_queue.take_import(view.job)
    job_targets.held.discard(view.job)
    if view.failure:
        return Outcome("ERROR", translate(view.failure.message, view.failure.hint))
    if view.state is jobs.State.CANCELLED:
        return Outcome("ERROR", tr("{} was canceled.").format(view.name))
    if isinstance(event, jobs.Collected):
        return Outcome(
            "INFO", tr("{} was added to the library and is ready to import").format(view.name)
        )
    if not open_file.made_here(view.plan.file):  # guard: made-for-this-file
        return Outcome(
            "INFO",
            tr("{} is ready, but was generated for another file. Import it from Results").format(
                view.name
            ),
        )
    if is_there:
        if notes and view.record:
            show_success(view.record, notes)
        return Outcome("INFO", _summary(view))
    return _bring_in(context, view)


def early(event: jobs.Event) -> bool:
    """Return whether an event says that a model can be imported before its preview is drawn.

    Return False if the model was imported already, or if another file is open.
    """
    view = event.view
    return (
        isinstance(event, jobs.Progressed)
        and view.state is jobs.State.PREPARING
        and view.phase == DRAWING
        and not event_queue.is_imported(view.job)
        and open_file.made_here(view.plan.file)
    )


def ready(event: jobs.Event) -> bool:
    """Return whether handling an event may import a mesh into the scene."""
    return early(event) or (
        isinstance(event, jobs.Ended)
        and event.view.state is jobs.State.READY
        and open_file.made_here(event.view.plan.file)
    )


def is_in_the_way(context: bpy.types.Context, event: jobs.Event) -> bool:
    """Return whether the object that a job updates is not in Object Mode."""
    scene = bpy.data.scenes.get(event.view.plan.scene) or context.scene
    return job_targets.is_in_own_mode(scene, event.job)


def hold(context: bpy.types.Context, event: jobs.Event) -> list[Outcome]:
    """Return a list with a report that a mesh waits until its object is in Object Mode.

    It is empty if the mesh need not wait, or if this was reported for its job before.
    """
    if event.job in job_targets.held or not is_in_the_way(context, event):
        return []
    job_targets.held.add(event.job)
    return [Outcome("INFO", f"{event.view.name}: {tr(job_targets.LEAVE_MODE)}")]


def _bring_in(context: bpy.types.Context, view: jobs.JobView) -> Outcome:
    # Read now: the placeholder may have been moved since the event.
    place = jobs.session().placement_of(view)
    location = {} if place.free else {"location": place.location}
    ordered = view.record is not None
    into = job_targets.uid_of(view.job)
    live_preview.note_import(view.job)
    # The artist may have switched to another scene while the job ran.
    with _in_scene(context, view.plan.scene):
        try:
            # The operator, not `import_result.import_result`: only an operator called with undo
            # pushes a single step that removes the mesh and nothing else, in every mode.
            bpy.ops.image_to_mesh.import_result(
                "EXEC_DEFAULT", True, job=view.job, as_ordered=ordered, into=into, **location
            )
        except RuntimeError as error:
            if not view.state.over:  # The job's end tries again, and reports the error.
                return Outcome("ERROR", str(error).strip())
            shown = next((other for other in jobs.session().views() if other.job == view.job), view)
            return Outcome(
                "ERROR", translate(shown.failure.message) if shown.failure else str(error).strip()
            )
    if not view.state.over:
        event_queue.note_import(view.job)
    placeholders.update_now(context)
    return Outcome("INFO", _summary(view))


@contextmanager
def _in_scene(context: bpy.types.Context, name: str) -> Iterator[None]:
    """Make the scene with this name current while the block runs; do nothing if it is gone."""
    scene = bpy.data.scenes.get(name)
    if scene is None or scene == context.scene:
        yield
        return
    with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        yield


def _summary(view: jobs.JobView) -> str:
    shown = next((other for other in jobs.session().views() if other.job == view.job), view)
    if shown.record and job_targets.GONE in shown.record.notes:
        return f"{view.name}: {tr(job_targets.GONE)}"
    record = view.record
    if record is None:
        return tr("{} is ready").format(view.name)
    if not record.faces:
        return f"{view.name}: {record.seconds:.1f} s"
    return tr("{}: {} faces in {} s").format(
        view.name, f"{record.faces:,}", f"{record.seconds:.1f}"
    )
