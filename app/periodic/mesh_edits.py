# SPDX-License-Identifier: GPL-3.0-or-later
"""Poll for mesh edits in the background Blender, and bring their results into the scene.

Not a modal operator: Blender's auto-save waits while one runs.
"""

from __future__ import annotations

import bpy

from ... import jobs
from ...state import open_file
from .. import heartbeat, watcher
from ..redraw import redraw

# Progress bars look smooth from about five steps per second.
INTERVAL = 0.2

_followed: list[bool] = []
"""Not empty from the start of an edit until the last result is in the scene."""
_drawn: list[object] = [()]
"""The progress that was drawn last."""


def follow() -> None:
    """Start polling; it ends once all edits have ended and their results are in the scene."""
    _followed[:] = [True]
    heartbeat.wake()


def bring_results() -> None:
    """Store the reports of ended edits, and bring their versions into the scene."""
    for view in jobs.mesh_edits().take_ended():
        order = view.order
        if view.card:
            jobs.mesh_edits().put_card(order.job, view.version or order.source, view.card)
        if view.phase == "Done" and view.version and order.file == open_file.token():
            # The operator, called with undo, pushes a single step that removes this version.
            bpy.ops.image_to_mesh.bring_version(
                "EXEC_DEFAULT", True, job=order.job, version=view.version, instead=order.source
            )


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether an edit is running, or a result is not in the scene yet."""
    return bool(_followed)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Bring in results, and redraw for progress."""
    windows = context.window_manager.windows
    if not windows:
        if not jobs.mesh_edits().running():
            _followed.clear()
        return
    is_busy = watcher.artist_is_busy(context)
    if not jobs.mesh_edits().running() and not is_busy:
        _followed.clear()
    # A timer has no window, which the operator needs.
    with context.temp_override(window=windows[0]):
        if not is_busy:
            bring_results()
        _redraw_if_changed(bpy.context)


STEP = heartbeat.Step("mesh_edits", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and stop all edits."""
    heartbeat.remove(STEP)
    jobs.mesh_edits().close()
    jobs.mesh_edits.cache_clear()
    _followed.clear()
    _drawn[0] = ()


def _redraw_if_changed(context: bpy.types.Context) -> None:
    """Redraw if the visible progress has changed, in steps of 5 %."""
    seen = tuple(
        (view.order.job, view.phase, round((view.fraction or 0.0) * 20))
        for view in jobs.mesh_edits().views()
    )
    if seen != _drawn[0]:
        _drawn[0] = seen
        redraw(context)
