# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch all running jobs from one modal operator that keeps out of the artist's way.

Blender's auto-save waits while any modal operator runs. So the operator ends every two seconds and
a timer restarts it, which leaves a gap long enough for auto-save.
"""

from __future__ import annotations

import time

import bpy
from bpy.app.handlers import persistent

from .. import jobs
from . import bring_in, event_queue, job_events, queue
from .redraw import redraw

# Ten times a second: events reach the panel without a visible delay, at little cost.
TICK = 0.1
# Auto-save may be late by this much.
MODAL_FOR = 2.0
# Blender checks every 10 ms whether auto-save may run; this leaves it 20 chances.
ASIDE_FOR = 0.2
REDRAW_EVERY = 1.0
"""Seconds between redraws without news: elapsed times are shown in whole seconds."""
BLOCKING = {"BLOCKING", "UNDO"}
"""Options of operators, such as a transform or a stroke, during which the scene must not change."""
PLACING_NAME = "image_to_mesh.place_by_click"
PLACING = "IMAGE_TO_MESH_OT_place_by_click"
"""The operator with which the artist chooses a place: the mesh waits until it is chosen."""

_watching: list[bpy.types.Timer] = []
"""The event timer of the running watcher, or empty."""


class IMAGE_TO_MESH_OT_watch(bpy.types.Operator):
    """Deliver the events of jobs to Blender's main thread while any job runs."""

    bl_idname = "image_to_mesh.watch"
    bl_label = "Watch Generations"
    bl_description = "Follow running jobs and import their meshes"
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
        for outcome in handle_events(context):
            # An ERROR report opens a popup under the pointer, in the middle of other work.
            level = "WARNING" if outcome.level == "ERROR" else outcome.level
            self.report({level}, outcome.message)
        self._redraw(context)
        if busy() and time.monotonic() < self._until:  # guard: watcher-steps-aside
            return {"PASS_THROUGH"}
        redraw(context)
        self.cancel(context)
        return {"FINISHED", "PASS_THROUGH"}

    # Blender calls `cancel` instead of `modal` when the window of a modal operator closes.
    def cancel(self, context: bpy.types.Context) -> None:
        """Stop, and restart later if jobs still run.

        Blender calls this when a file or window closes; `modal` calls it when its time is over.
        """
        _stop_timer(context)
        come_back_later()

    def _redraw(self, context: bpy.types.Context) -> None:
        now = time.monotonic()
        if _changed or now - self._drawn >= REDRAW_EVERY:
            _changed.clear()
            self._drawn = now
            redraw(context)


_changed: set[str] = set()
"""Jobs with news to draw."""


def begin(context: bpy.types.Context) -> None:
    """Follow placeholders and start watching, unless the watcher is already running.

    If the context has no window, the watcher starts a moment later. In background mode, it never
    starts.
    """
    from .periodic import placeholders  # late: the package of the steps imports this module

    placeholders.follow()
    if bpy.app.background or _watching:
        return
    if context.window is None:
        come_back_later()
    else:
        bpy.ops.image_to_mesh.watch("INVOKE_DEFAULT")


def busy() -> bool:
    """Return whether there is anything to watch: waiting events, queued jobs, or jobs at work."""
    return bool(event_queue.waiting) or bool(queue.waiting()) or jobs.session().at_work()


def handle_events(context: bpy.types.Context) -> list[job_events.Outcome]:
    """Handle all events since the last tick, and return the outcomes to report.

    An error in one event does not stop the others. At most one model, or one batch of chunks, is
    imported per tick. Events of meshes that cannot be imported now wait for the next tick, and so
    do later events of their jobs. Queued jobs are then started if slots are free.
    """
    happened = [*event_queue.waiting, *jobs.session().drain()]
    event_queue.waiting.clear()
    outcomes = []
    held: set[str] = set()  # Later events of these jobs wait, too: they must stay in order.
    is_taken = False
    for event in happened:
        try:
            is_ready = job_events.ready(event)
            waits = is_ready and (is_taken or _has_to_wait(context, event))
            if waits or event.job in held:
                is_taken = is_taken or waits
                held.add(event.job)
                event_queue.waiting.append(event)
                outcomes += job_events.hold(context, event)
                continue
            _changed.add(event.job)
            outcome = job_events.handle(context, event)
            is_taken = is_taken or is_ready
        except Exception:  # guard: one-bad-event
            import logging  # not needed when Blender starts

            logging.getLogger(__name__).exception("an event of job %s", event.job)
            continue
        if outcome:
            outcomes.append(outcome)
    queue.advance()
    return outcomes


def _has_to_wait(context: bpy.types.Context, event: jobs.Event) -> bool:
    return (
        artist_is_busy(context)
        or job_events.is_in_the_way(context, event)
        or not bring_in.at_hand(context, event.job)
    )


def register() -> None:
    """Keep watching after a file is opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Stop watching, and drop the waiting events."""
    bpy.app.handlers.load_post.remove(_on_load)
    _stop_timer(bpy.context)
    if bpy.app.timers.is_registered(_come_back):
        bpy.app.timers.unregister(_come_back)
    event_queue.clear()
    _changed.clear()


def artist_is_busy(context: bpy.types.Context) -> bool:
    """Return whether the scene must not change now.

    It must not change during a render, a stroke, or a transform, or while the user chooses a place
    by clicking.
    """
    # Changing the scene during a render can crash Blender.
    if bpy.app.is_job_running("RENDER"):
        return True
    return any(
        BLOCKING & operator.bl_options or operator.bl_idname == PLACING
        for window in context.window_manager.windows
        for operator in window.modal_operators
    )


def _stop_timer(context: bpy.types.Context) -> None:
    while _watching:
        context.window_manager.event_timer_remove(_watching.pop())


def come_back_later() -> None:
    """Start the watcher again after a pause, if there is anything to watch by then."""
    # A timer of its own and not a step of the heartbeat: auto-save needs the whole pause, counted
    # from the moment of stepping aside, while the heartbeat's steps share their ticks.
    if busy() and not bpy.app.timers.is_registered(_come_back):
        bpy.app.timers.register(_come_back, first_interval=ASIDE_FOR, persistent=True)


def _come_back() -> float | None:
    # A timer runs without a window in its context, which the modal operator needs.
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
