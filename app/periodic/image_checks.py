# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspect the scene's image before it is sent, once it has not changed for a moment.

A thread and the background Blender do the work; drawing shows only finished reports.
"""

from __future__ import annotations

from collections.abc import Hashable

import bpy

from ... import jobs
from ...providers import BadImage
from ...state.preflight import picture_key, picture_problem
from ...state.scene_properties import choices_of
from .. import heartbeat
from ..redraw import is_shown, redraw

DELAY = 0.5
"""Seconds without a change of the image before it is inspected."""
# 2048 × 2048 with some margin: copying more would stall the interface noticeably.
MOST_PIXELS = 4_300_000
"""Images without a file are copied out of Blender on the main thread, up to this many pixels."""

_candidate: list[tuple[Hashable, float]] = []
"""The key of the visible image, and the time since which it is unchanged; at most one."""
_drawn: set[Hashable] = set()
"""Images whose reports have been drawn."""


def poll(context: bpy.types.Context, now: float) -> None:
    """Inspect the visible image, and redraw when its report is ready."""
    image = choices_of(context.scene).image
    if picture_problem(image):
        return _candidate.clear()
    key = picture_key(image)
    seen = jobs.image_checks().report(key)
    if seen is None:
        _inspect(context, image, key, now)
    elif not seen.waiting and key not in _drawn:
        _drawn.add(key)
        redraw(context)
    return None


def subject_detection(context: bpy.types.Context) -> jobs.SubjectDetection:
    """Return how to detect the subject, from the built-in provider's Foreground settings."""
    from ...scene import background_command

    local = choices_of(context.scene).local
    # "none" means not to cut out, but a check has to find the subject anyway.
    mode = "auto" if local.foreground == "none" else local.foreground
    return jobs.SubjectDetection(background_command(), mode, round(local.tolerance, 6))


STEP = heartbeat.Step("image_checks", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and drop all reports."""
    heartbeat.remove(STEP)
    _candidate.clear()
    _drawn.clear()
    jobs.image_checks.cache_clear()


def _inspect(context: bpy.types.Context, image: bpy.types.Image, key: Hashable, now: float) -> None:
    from ...scene.image_source import picture_source

    if not _candidate or _candidate[0][0] != key:
        _candidate[:] = [(key, now)]
        return
    if now - _candidate[0][1] < DELAY:
        return
    if _is_costly(image):
        jobs.image_checks().skip(key)
        return
    try:
        source = picture_source(image)
    except BadImage:
        jobs.image_checks().skip(key)  # The reason is shown when the image is used.
        return
    jobs.image_checks().check(key, source, subject_detection(context))


def _is_costly(image: bpy.types.Image) -> bool:
    """Return whether reading an image would block Blender: a render, or many unsaved pixels."""
    if image.source == "VIEWER":
        return True
    is_file = (image.packed_file or image.source == "FILE") and not image.is_dirty
    return not is_file and image.size[0] * image.size[1] > MOST_PIXELS
