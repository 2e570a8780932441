# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspect the scene's image before it is sent, once it has not changed for a moment.

A thread and the background Blender do the work; drawing shows only finished reports.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from ... import jobs
from ...providers import BadImage
from ...state import subject_box
from ...state.preflight import note_readable, note_render, picture_key, picture_problem
from ...state.scene_properties import choices_of
from .. import heartbeat
from ..redraw import is_shown, redraw

DELAY = 0.5
"""Seconds without a change of the image before it is inspected."""
RETRY = 5.0
"""Seconds after which an unreadable image is inspected again, if its file has changed since."""
# 2048 × 2048 with some margin: copying more would stall the interface noticeably.
MOST_PIXELS = 4_300_000
"""Images without a file are copied out of Blender on the main thread, up to this many pixels."""

_candidate: list[tuple[Hashable, float]] = []
"""The key of the visible image, and the time since which it is unchanged; at most one."""
_drawn: set[tuple[Hashable, bool]] = set()
"""Images whose reports have been drawn, and whether those held an error."""
_failed: dict[Hashable, tuple[float, float]] = {}
"""Unreadable images: the time of the last inspection, and of the last change of their files."""


def poll(context: bpy.types.Context, now: float) -> None:
    """Inspect the scene's image once it has not changed for DELAY; redraw when its report is ready.

    An image that could not be read is inspected again after its file has changed.
    """
    image = choices_of(context.scene).image
    # An unfinished render must not be saved.
    if picture_problem(image) or (image.source == "VIEWER" and bpy.app.is_job_running("RENDER")):
        return _candidate.clear()
    key = picture_key(image)
    seen = jobs.image_checks().report(key)
    # Older reports lose the copy that the panel's picture is made from.
    if seen is None or (seen.info is not None and seen.copy is None):
        return _inspect(context, image, key, now)
    unreadable = seen.error if isinstance(seen.error, BadImage) else None
    note_readable(image, unreadable)
    if unreadable is not None:
        _retry(context, image, key, now)
    drawn = (key, seen.error is not None)
    if not seen.waiting and drawn not in _drawn:
        _drawn.discard((key, not drawn[1]))
        _drawn.add(drawn)
        redraw(context)
    return None


def subject_detection(context: bpy.types.Context) -> jobs.SubjectDetection:
    """Return how the worker detects the subject, no matter which provider is chosen.

    It uses the subject's box and the built-in provider's settings. The foreground setting "none"
    is replaced by "auto".
    """
    from ...scene import background_command

    choices = choices_of(context.scene)
    local, box = choices.local, subject_box.box_of(choices)
    # "none" means not to cut out, but a check has to find the subject anyway.
    mode = "auto" if local.foreground == "none" else local.foreground
    return jobs.SubjectDetection(background_command(), mode, round(local.tolerance, 6), box)


STEP = heartbeat.Step("image_checks", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat, and have each finished render recorded."""
    heartbeat.add(STEP)
    bpy.app.handlers.render_complete.append(_after_render)


def unregister() -> None:
    """Remove the step and the handler, and drop all reports."""
    bpy.app.handlers.render_complete.remove(_after_render)
    heartbeat.remove(STEP)
    _candidate.clear()
    _drawn.clear()
    _failed.clear()
    jobs.image_checks.cache_clear()


@persistent
def _after_render(*_: object) -> None:
    note_render()


def _inspect(context: bpy.types.Context, image: bpy.types.Image, key: Hashable, now: float) -> None:
    if not _candidate or _candidate[0][0] != key:
        _candidate[:] = [(key, now)]
        return
    if now - _candidate[0][1] < DELAY:
        return
    check_image(context, image, key)


def check_image(context: bpy.types.Context, image: bpy.types.Image, key: Hashable) -> None:
    """Have an image checked, or record under its key that it is too large or unreadable."""
    from ...scene.image_source import picture_source

    if _is_costly(image):
        jobs.image_checks().skip(key)
        return
    try:
        source = picture_source(image)
    except BadImage as error:
        jobs.image_checks().skip(key, error)
        return
    jobs.image_checks().check(key, source, subject_detection(context))


def _retry(context: bpy.types.Context, image: bpy.types.Image, key: Hashable, now: float) -> None:
    """Inspect an unreadable image again if its file has changed since it was last examined.

    The file is examined at most once every RETRY seconds.
    """
    checked, changed = _failed.get(key, (0.0, -1.0))
    if now - checked < RETRY:
        return
    try:
        stamp = Path(bpy.path.abspath(image.filepath, library=image.library)).stat().st_mtime
    except OSError:
        stamp = 0.0
    _failed[key] = now, stamp
    if changed >= 0.0 and stamp != changed:
        image.reload()
        check_image(context, image, key)


def _is_costly(image: bpy.types.Image) -> bool:
    """Return whether reading an image would block Blender noticeably."""
    if image.source == "VIEWER":
        render = bpy.context.scene.render
        scale = (render.resolution_percentage / 100) ** 2
        return render.resolution_x * render.resolution_y * scale > MOST_PIXELS
    is_file = (image.packed_file or image.source == "FILE") and not image.is_dirty
    return not is_file and image.size[0] * image.size[1] > MOST_PIXELS
