# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume what an earlier Blender left unfinished, once this one has drawn its window.

Registering only adds a step. It first lets Blender's event loop run, which draws; then it takes
keys and addresses, and a thread reads the library and starts what can be resumed. Nothing is
submitted: a job that has sent nothing yet waits for the user.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ... import jobs
from .. import heartbeat, resume, watcher
from ..redraw import redraw

INTERVAL = 0.5
UNDRAWN = 3
"""Ticks after which the window has surely been drawn: up to 1.5 seconds of the event loop."""

_ticks: list[float] = []
"""The ticks with a window since the start or the last file."""
_wanted: list[bool] = []
"""Holds an entry until the library has been read."""


def start() -> None:
    """Start over: wait for the window, then read the library."""
    _ticks.clear()
    _wanted[:] = [True]
    heartbeat.wake()


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether the library was not read yet, or is being read."""
    return bool(_wanted)


def poll(context: bpy.types.Context, now: float) -> None:
    """Wait for the first draw, have the library read, and show what was found."""
    recovery = jobs.session().recovery
    if not context.window_manager.windows:
        return
    _ticks.append(now)
    if len(_ticks) <= UNDRAWN:
        return
    if len(_ticks) == UNDRAWN + 1:
        recovery.look(resume.means(context))
        return
    watcher.come_back_later()
    redraw(context)
    if not recovery.looking:
        _wanted.clear()


STEP = heartbeat.Step("recovery", INTERVAL, is_needed, poll)


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    start()


def register() -> None:
    """Recover after the start and after each file that is opened; never without a window."""
    if bpy.app.background:
        return
    bpy.app.handlers.load_post.append(_on_load)
    heartbeat.add(STEP)
    start()


def unregister() -> None:
    """Recover no more; what has been resumed belongs to the session."""
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
    heartbeat.remove(STEP)
    _ticks.clear()
    _wanted.clear()
