# SPDX-License-Identifier: GPL-3.0-or-later
"""Poll for mesh edits in the background Blender, and put their results into the scene.

This is not a modal operator, since Blender's auto-save waits while one runs.
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
    """Store the reports of ended edits, and put their meshes into the scene.

    A mesh waits while its object is edited, sculpted, or painted. Meshes that were made for a
    different file are not put into the scene.
    """
    for view in jobs.mesh_edits().take_ended(_is_ready):
        order = view.order
        if order.scene is not None:
            _bring_into_objects(view, order.scene)
            continue
        if view.card:
            jobs.mesh_edits().put_card(order.job, view.version or order.source, view.card)
        if view.phase == "Done" and view.version and order.file == open_file.token():
            # The operator, called with undo, pushes a single step that removes this version.
            bpy.ops.image_to_mesh.bring_version(
                "EXEC_DEFAULT", True, job=order.job, version=view.version, instead=order.source
            )


def _bring_into_objects(view: jobs.EditView, scene: jobs.SceneMeshes) -> None:
    if view.order.file != open_file.token():
        scene.discard()
    elif view.changed:
        bpy.ops.image_to_mesh.take_edit("EXEC_DEFAULT", True, key=view.order.key)
    elif view.card:
        for obj in _objects(scene)[:1]:
            uid = str(obj.data.session_uid)
            jobs.mesh_edits().put_card(view.order.key, uid, view.card)


def _is_ready(view: jobs.EditView) -> bool:
    """Return False if an ended edit has to wait until its objects are in Object Mode."""
    scene = view.order.scene
    if scene is None or not view.changed:
        return True
    # Swapping the mesh that is being edited would lose the changes, or crash Blender.
    is_here = view.order.file == open_file.token()
    return not is_here or all(obj.mode == "OBJECT" for obj in _objects(scene))


def _objects(scene: jobs.SceneMeshes) -> list[bpy.types.Object]:
    found = {obj.session_uid: obj for obj in bpy.data.objects}
    return [found[uid] for uid in scene.objects if uid in found]


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether an edit is running, or a result is not in the scene yet."""
    return bool(_followed)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Put results into the scene unless the artist is busy, and redraw if the progress changed."""
    windows = context.window_manager.windows
    if not windows:
        if not jobs.mesh_edits().running():
            _followed.clear()
        return
    is_busy = watcher.artist_is_busy(context)
    # A timer has no window, which the operator needs.
    with context.temp_override(window=windows[0]):
        if not is_busy:
            bring_results()
        _redraw_if_changed(bpy.context)
    # An edit may wait for the artist to leave Edit Mode.
    if not (jobs.mesh_edits().running() or jobs.mesh_edits().is_awaited()):
        _followed.clear()


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
    """Redraw if the visible progress has changed, in steps of 5%."""
    seen = tuple(
        (view.order.key, view.phase, round((view.fraction or 0.0) * 20))
        for view in jobs.mesh_edits().views()
    )
    if seen != _drawn[0]:
        _drawn[0] = seen
        redraw(context)
