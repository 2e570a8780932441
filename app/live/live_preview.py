# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the active result's mesh in step with changed settings.

This module loads with the add-on; `session` loads when the settings of a result are first shown or
changed. Nothing polls for changes: the settings report them, so that an idle Blender does no work.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from types import ModuleType

import bpy
from bpy.app.handlers import persistent

from ...jobs.custom_properties import JOB
from ...state.updates import live_preview as reported
from .. import heartbeat

INTERVAL = 0.05
"""Seconds between ticks while a preview is active; it adds to the delay that the artist sees."""
EDITORS = frozenset({"VIEW_3D", "PROPERTIES"})
"""Editors in which users change settings. A change anywhere else comes from a script."""

_changed: list[str] = []
"""The name of the scene whose settings were changed since the last tick; at most one."""
_warmed: list[str] = []
"""The job whose settings are visible and for which the worker was started; at most one."""
_wanted: list[bool] = []
"""Not empty if the worker should be started."""
_followed: list[bool] = []
"""Not empty while a preview is shown or awaited."""
_used: list[bool] = []
"""Not empty once a preview may have been shown in this file: undo steps may hold it."""


def note_change(context: bpy.types.Context) -> None:
    """Have the next tick preview a setting that the user changed; ignore changes by scripts."""
    if bpy.app.background or context.area is None or context.area.type not in EDITORS:
        return
    _changed[:] = [context.scene.name]
    # The next tick may be half a second away.
    heartbeat.hasten(STEP)


def note_drawn(context: bpy.types.Context) -> None:
    """Have the next tick start the worker, since visible settings are likely to be changed.

    Do this only once for each active result. Do nothing without one, or in background mode.
    """
    active = context.view_layer.objects.active
    job = active.get(JOB) if active else None
    if job and _warmed != [job] and not bpy.app.background:
        _warmed[:] = [job]
        _wanted.append(True)


def note_import(job: str) -> None:
    """Restore the original meshes before a job's mesh is added.

    If the job is the session's update, the session ends.
    """
    if _used:
        live_session().make_way(job)


def note_end(context: bpy.types.Context, job: str) -> None:
    """Tell the session, if there is one, that a job has ended: the job may be its update."""
    if _used:
        live_session().note_end(context, job)


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether a preview is active, or a change or a start of the worker is pending."""
    return bool(_followed or _changed or _wanted)


def poll(context: bpy.types.Context, now: float) -> None:
    """Show a preview that has arrived, and request one for changed settings.

    Start the worker first if `note_drawn` asked for that. If there is no window, only end the
    session.
    """
    session, name = live_session(), "".join(_changed)
    is_wanted = bool(_wanted)
    for noted in (_changed, _wanted, _followed):
        noted.clear()
    window = _window(context, name)
    if window is None:
        return session.stop()
    with context.temp_override(window=window):
        if is_wanted:
            session.warm(bpy.context)
        if session.advance(bpy.context, now, is_changed=bool(name)):
            _followed.append(True)
    return None


STEP = heartbeat.Step("live_preview", INTERVAL, is_needed, poll)


def live_session() -> ModuleType:
    """Load and return the module `session`, and add the handlers that it needs from now on."""
    from . import session as module

    _used[:] = [True]
    for name, handler in _HANDLERS.items():
        # Not removed when a file is opened: Blender would skip the next handler of load_pre.
        if handler not in (handlers := getattr(bpy.app.handlers, name)):
            handlers.append(handler)
    return module


# These run before the state changes: undo steps and files must not contain a preview, whose mesh no
# earlier state has.
@persistent
def _stop(*_: object) -> None:
    if _used:
        live_session().stop()


@persistent
def _put_back(*_: object) -> None:
    if _used:
        live_session().put_back()


# When the slider is released, Blender pushes a step of its own, with the preview. Undo and redo
# skip it: only the update's step has both the setting and its mesh. A timer repeats the undo or
# redo, since neither can run inside its own handler.
@persistent
def _undo_on(*_: object) -> None:
    if _used and live_session().put_back():
        bpy.app.timers.register(partial(_repeat, "undo"), first_interval=0.0)


@persistent
def _redo_on(*_: object) -> None:
    if _used and live_session().put_back():
        bpy.app.timers.register(partial(_repeat, "redo"), first_interval=0.0)


def _repeat(step: str) -> None:
    """Undo or redo once more, as `step` says, if there is a further step and a window."""
    window = _window(bpy.context, "")
    if window is not None:
        with suppress(RuntimeError), bpy.context.temp_override(window=window):
            getattr(bpy.ops.ed, step)()


@persistent
def _forget(*_: object) -> None:
    """End the worker, and forget everything about the file that is being closed."""
    if _used:
        live_session().forget()
    for noted in (_changed, _warmed, _wanted, _followed, _used):
        noted.clear()


@persistent
def _on_load(*_: object) -> None:
    """Put meshes back in a file that was recovered from the middle of a drag."""
    from ...scene.live_preview import shown_mesh

    shown_mesh.put_originals_back()


_HANDLERS = {
    "undo_pre": _stop,
    "redo_pre": _stop,
    "undo_post": _undo_on,
    "redo_post": _redo_on,
    "save_pre": _put_back,
    "load_pre": _forget,
}
"""Handlers that are added with the first change."""


def register() -> None:
    """Add the step and the handler for opened files, and listen for changed settings."""
    bpy.app.handlers.load_post.append(_on_load)
    reported.listen(note_change, note_drawn)
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step and the handlers, and end the worker."""
    reported.listen(None, None)
    heartbeat.remove(STEP)
    bpy.app.handlers.load_post.remove(_on_load)
    _forget()
    for name, handler in _HANDLERS.items():
        if handler in (handlers := getattr(bpy.app.handlers, name)):
            handlers.remove(handler)


def _window(context: bpy.types.Context, scene: str) -> bpy.types.Window | None:
    """Return the first window that shows a scene, or the first of all; None without windows."""
    windows = list(context.window_manager.windows)
    return next((window for window in windows if window.scene.name == scene), None) or next(
        iter(windows), None
    )
