# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep placeholders in the viewport up to date while jobs run; see `job_placeholders`.

This module loads with the add-on; the modules that do the work load with the first job.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ... import jobs
from .. import event_queue, heartbeat

INTERVAL = 0.25
"""Seconds between two updates: the viewport is redrawn at most this often for progress."""

_followed: list[bool] = []
"""Not empty from the start of a job until no job is left."""


def follow() -> None:
    """Keep placeholders up to date until no job is left; do nothing in background mode."""
    if not bpy.app.background:
        _followed[:] = [True]
        heartbeat.wake()


def update_now(context: bpy.types.Context) -> None:
    """Update the placeholders at once after a change, if jobs are followed."""
    if _followed:
        from . import job_placeholders

        job_placeholders.update(context)


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether jobs are followed, so that there may be placeholders."""
    return bool(_followed)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Update the placeholders, and stop following once no job is left."""
    from . import job_placeholders

    job_placeholders.update(context)
    # An ended job counts until its end was handled: its mesh is still to come.
    session = jobs.session()
    if not (session.running() or session.at_work() or event_queue.waiting):
        _followed.clear()
        job_placeholders.forget()


STEP = heartbeat.Step("placeholders", INTERVAL, is_needed, poll)


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    update_now(bpy.context)  # The next redraw comes before the next tick.


def register() -> None:
    """Add the step to the heartbeat, and update placeholders whenever a file is opened."""
    bpy.app.handlers.load_post.append(_on_load)
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, the handler, and all placeholders."""
    from ...viewport import placeholders
    from . import job_placeholders

    bpy.app.handlers.load_post.remove(_on_load)
    heartbeat.remove(STEP)
    _followed.clear()
    job_placeholders.forget()
    placeholders.unregister()
