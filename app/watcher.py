# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch all running jobs from one modal operator, without getting in the artist's way.

Blender's auto-save waits while any modal operator runs. So the operator ends every other second
and comes back by a timer, which leaves auto-save the moment that it needs.
"""

from __future__ import annotations

import logging
import time

import bpy
from bpy.app.handlers import persistent

from .. import jobs
from . import bring_in, event_queue, job_events, queue
from .redraw import redraw

log = logging.getLogger(__name__)

TICK = 0.1
MODAL_FOR = 2.0
ASIDE_FOR = 0.2
REDRAW_EVERY = 1.0
"""Seconds between redraws while nothing happens: elapsed times are shown in whole seconds."""
IN_THE_WAY = {"BLOCKING", "UNDO"}
"""Options of operators, such as a transform or a stroke, in the middle of which nothing changes."""

_watching: list[bpy.types.Timer] = []
"""The event timer of the running watcher; empty while there is none."""


class IMAGE_TO_MESH_OT_watch(bpy.types.Operator):
    """Take the events of jobs to Blender while any job runs."""

    bl_idname = "image_to_mesh.watch"
    bl_label = "Watch Generations"
    bl_description = "Follow running jobs and place what they made"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if _watching:
            return {"CANCELLED"}
        manager = context.window_manager
        _watching.append(manager.event_timer_add(TICK, window=context.window))
        self._until = time.monotonic() + MODAL_FOR
        self._drawn = 0.0
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}  # guard: keys-pass-through
        for outcome in settle(context):
            level = "WARNING" if outcome.level == "ERROR" else outcome.level
            self.report({level}, outcome.message)
        self._redraw(context)
        if busy() and time.monotonic() < self._until:  # guard: watcher-steps-aside
            return {"PASS_THROUGH"}
        redraw(context)
        self.cancel(context)
        return {"FINISHED", "PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """End, and come back if jobs still run; Blender calls it when a file or window closes."""
        _stop_timer(context)
        come_back_later()

    def _redraw(self, context: bpy.types.Context) -> None:
        now = time.monotonic()
        if _changed or now - self._drawn >= REDRAW_EVERY:
            _changed.clear()
            self._drawn = now
            redraw(context)


_changed: set[str] = set()
"""Jobs of which something new can be shown."""


def begin(context: bpy.types.Context) -> None:
    """Start watching, unless that is going on already."""
    if bpy.app.background or _watching:
        return
    if context.window is None:
        come_back_later()
    else:
        bpy.ops.image_to_mesh.watch("INVOKE_DEFAULT")


def busy() -> bool:
    """Say whether there is anything to watch."""
    return bool(event_queue.waiting) or bool(queue.waiting()) or jobs.session().at_work()


def settle(context: bpy.types.Context) -> list[job_events.Outcome]:
    """Handle what has happened since the last tick; one bad event does not stop the others.

    One model is imported at a tick, or chunks of one.
    """
    happened = [*event_queue.waiting, *jobs.session().drain()]
    event_queue.waiting.clear()
    outcomes = []
    held: set[str] = set()  # What follows on an event that waits does so, too.
    is_taken = False
    for event in happened:
        try:
            is_ready = job_events.ready(event)
            waits = is_ready and (is_taken or _has_to_wait(context, event))
            if waits or event.job in held:
                is_taken = is_taken or waits
                held.add(event.job)
                event_queue.waiting.append(event)
                continue
            _changed.add(event.job)
            outcome = job_events.handle(context, event)
            is_taken = is_taken or is_ready
        except Exception:  # guard: one-bad-event
            log.exception("an event of job %s", event.job)
            continue
        if outcome:
            outcomes.append(outcome)
    queue.advance()
    return outcomes


def _has_to_wait(context: bpy.types.Context, event: jobs.Event) -> bool:
    return artist_is_busy(context) or not bring_in.at_hand(context, event.job)


def register() -> None:
    """Go on watching after a file was opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Stop watching at once."""
    bpy.app.handlers.load_post.remove(_on_load)
    _stop_timer(bpy.context)
    if bpy.app.timers.is_registered(_come_back):
        bpy.app.timers.unregister(_come_back)
    event_queue.clear()
    _changed.clear()


def artist_is_busy(context: bpy.types.Context) -> bool:
    """Say whether the scene must not change now: in the middle of a stroke, or of a render."""
    if bpy.app.is_job_running("RENDER"):
        return True
    return any(
        IN_THE_WAY & operator.bl_options
        for window in context.window_manager.windows
        for operator in window.modal_operators
    )


def _stop_timer(context: bpy.types.Context) -> None:
    while _watching:
        context.window_manager.event_timer_remove(_watching.pop())


def come_back_later() -> None:
    """Begin again in a moment, if there is anything to watch by then."""
    # A timer of its own and not a step of the heartbeat: auto-save needs the whole pause, counted
    # from the moment of stepping aside, while the heartbeat's steps share their ticks.
    if busy() and not bpy.app.timers.is_registered(_come_back):
        bpy.app.timers.register(_come_back, first_interval=ASIDE_FOR, persistent=True)


def _come_back() -> float | None:
    windows = bpy.context.window_manager.windows
    if not windows or not busy():
        return None
    with bpy.context.temp_override(window=windows[0]):
        begin(bpy.context)
    return None


@persistent
def _on_load(*_: object) -> None:
    come_back_later()


classes = (IMAGE_TO_MESH_OT_watch,)
