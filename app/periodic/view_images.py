# SPDX-License-Identifier: GPL-3.0-or-later
"""Make previews of the scene's views, and check its side views; drawing must start neither."""

from __future__ import annotations

from collections.abc import Hashable

import bpy

from ... import jobs
from ...state.preflight import picture_key, picture_problem
from ...state.scene_properties import choices_of, taken_views
from ...state.views import images_of
from .. import heartbeat
from ..redraw import is_shown, redraw
from .image_checks import check_image

_waiting: list[Hashable] = []
"""The key of the side view that is being checked; at most one."""


def poll(context: bpy.types.Context, _now: float) -> None:
    """Make missing previews, and have the side views checked, one at a time."""
    images = images_of(choices_of(context.scene), taken_views(context.scene))
    made = [_make_preview(image) for image in images.values()]
    if any(made) or _has_arrived():
        redraw(context)
    images.pop("front", None)  # It is checked already, in more detail.
    for image in images.values():
        if not _waiting and not picture_problem(image):
            _check(context, image)


STEP = heartbeat.Step("view_images", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step."""
    heartbeat.remove(STEP)
    _waiting.clear()


def _make_preview(image: bpy.types.Image) -> bool:
    """Give an image a preview, which Blender fills later; return whether it got one now.

    The panel shows it until the picture of the sent image is ready. Renders get none, since they
    may be unfinished.
    """
    if image.preview is not None or image.source == "VIEWER":
        return False
    image.preview_ensure()
    return True


def _has_arrived() -> bool:
    """Return whether the awaited check of a side view has ended; if so, stop waiting for it."""
    if not _waiting:
        return False
    report = jobs.image_checks().report(_waiting[0])
    if report is not None and report.waiting:
        return False
    _waiting.clear()
    return True


def _check(context: bpy.types.Context, image: bpy.types.Image) -> None:
    key = picture_key(image)
    if jobs.image_checks().report(key) is None:
        check_image(context, image, key)
        _waiting.append(key)
