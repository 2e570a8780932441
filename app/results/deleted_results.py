# SPDX-License-Identifier: GPL-3.0-or-later
"""Move deleted results to the trash once they can no longer be restored with a click.

Quitting Blender or disabling the add-on moves them at once. After a crash they are still in the
library: it is better to keep a paid result than to lose it.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...providers import ImageToMeshError
from ...state.results import hidden
from ...state.results.shelf import shelf_of
from .. import heartbeat
from ..redraw import redraw

INTERVAL = 2.0


def hide(job: str, root: Path, name: str) -> None:
    """Hide a result, and have it moved to the trash later."""
    hidden.hide(job, str(root), name, time.monotonic())
    heartbeat.wake()


def poll(context: bpy.types.Context, now: float) -> None:
    """Start moving the results that are due, and finish those whose move has ended."""
    before = hidden.revision()
    for item in hidden.all_hidden():
        if item.leaving:
            _finish(context, item)
        elif item.due <= now:
            hidden.note_leaving(item.job)
            jobs.library_index(Path(item.root)).delete_soon([item.job])
    if hidden.revision() != before:
        redraw(context)


def is_needed(_context: bpy.types.Context) -> bool:
    """Return whether any result is hidden."""
    return bool(hidden.all_hidden())


STEP = heartbeat.Step("deleted_results", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and move hidden results to the trash."""
    heartbeat.remove(STEP)
    for item in hidden.all_hidden():
        # Also if its thread has begun: a thread does not outlive Blender. What cannot be moved is
        # kept, as after a crash.
        with contextlib.suppress(ImageToMeshError):
            jobs.move_to_trash(jobs.Library(Path(item.root)), item.job)
    hidden.forget_all()


def _finish(context: bpy.types.Context, item: hidden.Hidden) -> None:
    """Forget a result that is in the trash now; show it again if it could not be moved there."""
    index = jobs.library_index(Path(item.root))
    if item.job in index.not_deleted:
        hidden.show_again(item.job)
        text = tr("{} was not deleted: its drive has no trash")
        shelf_of(context).notice = text.format(item.name)
    elif item.job not in {entry.job for entry in index.entries} | {job for job, _ in index.damaged}:
        hidden.show_again(item.job)
