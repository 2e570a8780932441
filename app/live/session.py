# SPDX-License-Identifier: GPL-3.0-or-later
"""One result that follows its settings: previews while they change, then an update.

Previews are shown without undo steps. The result's own mesh is put back before each undo, redo, and
save. The update is one undo step; undoing it restores the mesh from before the first change.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
from dataclasses import dataclass

import bpy

from ... import jobs
from ...jobs.custom_properties import APPLIED, SCALE, SETTINGS
from ...providers import LibraryProblem, Settings, values_of
from ...scene import background_command
from ...scene.live_preview import shown_mesh
from ...state.active_result import ActiveResult, active_result
from ...state.preflight import broken_settings
from ...state.scene_properties import choices_of, provider_of, read_settings
from ...state.updates import job_targets
from .. import bring_in, watcher

STILL = 0.4
"""Seconds without a change after which the full mesh is made."""
# A fixed name, by which tests and stack dumps recognize the thread.
_DISCARD = "image_to_mesh discard"


@dataclass
class _Session:
    """The result that follows its settings, and the settings that were requested last.

    `uid` is the session UID of the result's object, and `first` the number of the first preview
    request. `scale` is the factor by which the mesh was scaled since it was made. `changed` is when
    the settings last changed, in seconds of the monotonic clock. `update` is the job that makes the
    full mesh, or "".
    """

    uid: int
    first: int
    scale: float
    settings: Settings
    changed: float
    update: str = ""


_current: list[_Session] = []
"""The session; at most one."""
_last: list[int] = [0]
"""The number of the last request."""
_discarded: set[str] = set()
"""Updates that were canceled because the settings changed again."""


def advance(context: bpy.types.Context, now: float, *, is_changed: bool) -> bool:
    """Follow the settings of the active result for one tick; return whether to call this again.

    `is_changed` says whether a setting was reported as changed since the last tick.
    """
    result = live_result(context)
    if _current and (result is None or result.object.session_uid != _current[0].uid):
        stop()
    if result is None:
        return False
    # During a render, a change of the scene can crash Blender.
    if watcher.artist_is_busy(context):
        return bool(_current)
    _take_settings(context, result, now, is_changed=is_changed)
    if not _current:
        return False
    _show_newest(result.object)
    is_still = now - _current[0].changed >= STILL
    # An update that the user started by hand goes first. If its settings are these, it is the one.
    if is_still and not _current[0].update and not job_targets.is_updating(result.object):
        _start_update(result.object)
    return bool(_current)


def live_result(context: bpy.types.Context) -> ActiveResult | None:
    """Return the active result if it can follow its settings now, else None.

    Live Preview has to be on, the scene's provider has to support it, and Blender has to be in
    Object Mode. The result has to be a mesh that is not linked.
    """
    choices, provider = choices_of(context.scene), provider_of(context.scene)
    if not (choices.live_preview and provider.has_live_preview and context.mode == "OBJECT"):
        return None
    result = active_result(context)
    if result is None or result.object.type != "MESH" or result.object.data.library:
        return None
    return result


def warm(context: bpy.types.Context) -> None:
    """Request a preview of the active result, so that the worker starts and opens its image.

    Do nothing during a session, or if no result can follow its settings.
    """
    result = live_result(context)
    if result is not None and not _current:
        _ask(context, result, read_settings(context.scene, provider_of(context.scene)))


def put_back() -> bool:
    """Replace all previews with the original meshes; the session continues.

    Return whether a setting was still being dragged: undo and redo skip such a state.
    """
    return shown_mesh.put_originals_back()


def stop() -> None:
    """Put the mesh back, end the session, and cancel its update."""
    put_back()
    if _current:
        _cancel_update(_current[0])
    _current.clear()


def make_way(job: str) -> None:
    """Put meshes back before a job's mesh is added; end the session if the job is its update."""
    put_back()
    if _current and _current[0].update == job:
        _current.clear()  # guard: update-ends-preview


def note_end(context: bpy.types.Context, job: str) -> None:
    """Delete an ended job if its settings are obsolete; if it is the update, end the session.

    An update whose mesh arrived in the scene has ended its session already.
    """
    if job in _discarded:
        _discarded.discard(job)
        _delete(bring_in.library_of(context, job), job)
    elif _current and _current[0].update == job:  # Its mesh did not arrive in the scene.
        _current[0].update = ""
        stop()


def forget() -> None:
    """End the session and the worker."""
    stop()
    jobs.live_previews().close()


def _take_settings(
    context: bpy.types.Context, result: ActiveResult, now: float, *, is_changed: bool
) -> None:
    """Begin a session for changed settings, or continue it with settings that changed again."""
    settings = read_settings(context.scene, provider_of(context.scene))
    if not _current:
        if is_changed and not _is_of(result.object, settings):
            obj = result.object
            growth = shown_mesh.growth_since_import(obj.data, obj)
            scale = growth * float(obj.get(SCALE, 1.0))
            number = _ask(context, result, settings, scale)
            _current.append(_Session(obj.session_uid, number, scale, settings, now))
        return
    session = _current[0]
    if settings != session.settings:
        session.settings, session.changed = settings, now
        _cancel_update(session)
        _ask(context, result, settings, session.scale)


def _ask(
    context: bpy.types.Context, result: ActiveResult, settings: Settings, scale: float = 1.0
) -> int:
    """Ask for a preview, unless the settings are invalid.

    Return the number of the request, which increases in any case. `scale` is the factor by which
    the mesh was scaled since it was made.
    """
    _last[0] += 1
    if not broken_settings(settings):
        request = jobs.LiveRequest(
            number=_last[0],
            command=background_command(),
            library=bring_in.library_of(context, result.job).root,
            job=result.job,
            settings=values_of(settings),
            # What was done to the mesh since it was made.
            scale=scale,
            rotation=math.radians(int(result.object.get(APPLIED, 0))),
        )
        jobs.live_previews().ask(request)
    return _last[0]


def _show_newest(obj: bpy.types.Object) -> None:
    arrays = jobs.live_previews().take()
    if arrays is not None and arrays.number >= _current[0].first:
        shown_mesh.show_preview(obj, arrays)


def _start_update(obj: bpy.types.Object) -> None:
    """Start the update for the final settings.

    End the session instead if the settings are invalid or the mesh was made with them, or if no job
    could be started.
    """
    settings = _current[0].settings
    if _is_of(obj, settings) or broken_settings(settings):
        return stop()
    shown_mesh.end_drag(obj)
    before = {view.job for view in jobs.session().views()}
    with contextlib.suppress(RuntimeError):  # It was reported, as for a click on the button.
        bpy.ops.image_to_mesh.update("INVOKE_DEFAULT")
    started = [view.job for view in jobs.session().views() if view.job not in before]
    if not started:
        return stop()
    _current[0].update = started[0]
    return None


def _is_of(obj: bpy.types.Object, settings: Settings) -> bool:
    """Return whether an object's properties say that its own mesh was made with these settings."""
    try:
        own = json.loads(obj.get(SETTINGS) or "{}")
    except ValueError:
        return False
    return bool(own == json.loads(json.dumps(values_of(settings))))


def _cancel_update(session: _Session) -> None:
    """Cancel the session's update if it was started; its job is deleted once it has ended.

    This wastes no money, since only the built-in provider has live previews, and its jobs are free.
    """
    job, session.update = session.update, ""
    if not job:
        return
    _discarded.add(job)
    with contextlib.suppress(LibraryProblem):  # It has just ended.
        jobs.session().cancel(job, collect=False)


def _delete(library: jobs.Library, job: str) -> None:
    """Delete a job whose result is not needed, on a thread, since the library may be slow."""
    jobs.session().dismiss(job)

    def delete() -> None:
        with contextlib.suppress(LibraryProblem, OSError):
            library.delete(job, mine=True)

    threading.Thread(target=delete, name=_DISCARD, daemon=True).start()
