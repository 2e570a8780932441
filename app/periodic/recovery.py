# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume unfinished jobs of an earlier Blender, once this one has drawn its window.

Registering only adds a step. The step first lets Blender draw; then it reads keys and addresses,
and a thread reads the library and resumes jobs. Nothing is submitted: a job that has not sent its
order yet waits for the user.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ... import jobs
from .. import heartbeat, resume, watcher
from ..redraw import redraw

# Nothing depends on when recovery starts, except that it must not delay the first draw.
INTERVAL = 0.5
UNDRAWN = 3
"""Ticks after which the window has certainly been drawn: up to 1.5 seconds of the event loop."""

_ticks: list[float] = []
"""Times of the ticks with a window since the start or the last opened file."""
_wanted: list[bool] = []
"""Not empty until the library has been read."""


def start() -> None:
    """Start over: wait for the window, then read the library."""
    _ticks.clear()
    _wanted[:] = [True]
    heartbeat.wake()


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether the library still has to be read."""
    return bool(_wanted)


def poll(context: bpy.types.Context, now: float) -> None:
    """Wait for the first draw, start reading the library, and show what was found."""
    recovery = jobs.session().recovery
    if not context.window_manager.windows:
        return
    _ticks.append(now)
    if len(_ticks) <= UNDRAWN:
        return
    if len(_ticks) == UNDRAWN + 1:
        # Keys and addresses come from bpy, so they are read here and not on the thread.
        recovery.scan(resume.resume_context(context))
        return
    watcher.come_back_later()
    redraw(context)
    if not recovery.is_scanning:
        _wanted.clear()


STEP = heartbeat.Step("recovery", INTERVAL, is_needed, poll)


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    start()


def register() -> None:
    """Recover jobs at startup and whenever a file is opened; do nothing in background mode."""
    if bpy.app.background:
        return
    bpy.app.handlers.load_post.append(_on_load)
    heartbeat.add(STEP)
    start()


def unregister() -> None:
    """Remove the step and the handler; jobs that were resumed continue."""
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
    heartbeat.remove(STEP)
    _ticks.clear()
    _wanted.clear()
