# SPDX-License-Identifier: GPL-3.0-or-later
"""Go on with what an earlier Blender left, once this one has drawn its window.

Registering only sets a timer. It first lets Blender's event loop turn, which draws; then it takes
keys and addresses, and a thread reads the library and starts what can go on. Nothing is ordered:
a job of which nothing was sent waits for its person.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from .. import jobs
from . import account_watch, resume, watcher

FIRST = 1.0
AGAIN = 0.5
DRAWN = 2
"""Turns of the event loop after which the window has surely been drawn."""

_turns: list[int] = []


def register() -> None:
    """Look after the start, and after every file that is opened."""
    if bpy.app.background:
        return
    bpy.app.handlers.load_post.append(_on_load)
    _look_later()


def unregister() -> None:
    """Look no more."""
    if _on_load in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_on_load)
    if bpy.app.timers.is_registered(_turn):
        bpy.app.timers.unregister(_turn)
    _turns.clear()


def _look_later() -> None:
    _turns.clear()
    if not bpy.app.timers.is_registered(_turn):
        bpy.app.timers.register(_turn, first_interval=FIRST, persistent=True)


def _turn() -> float | None:
    """Wait for the first draw, look, and show what was found."""
    context, returning = bpy.context, jobs.session().recovery
    _turns.append(1)
    if len(_turns) <= DRAWN or not context.window_manager.windows:
        return AGAIN
    if len(_turns) == DRAWN + 1:
        returning.look(resume.means(context))
        return AGAIN
    watcher.come_back_later()
    account_watch.redraw(context)
    return AGAIN if returning.looking else None


@persistent
def _on_load(*_: object) -> None:
    _look_later()
