# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow the download of the depth model, and make Body the default shape once it is installed."""

from __future__ import annotations

import time

import bpy

from ... import jobs
from ...jobs.custom_properties import JOB
from ...providers import ImageToMeshError, error_of_kind
from ...state.scene_properties import choices_of
from .. import heartbeat, watcher
from ..redraw import is_shown, redraw

INTERVAL = heartbeat.IN_SIGHT
"""Seconds between two redraws of the progress."""

_followed: list[bool] = []
"""Holds an element while a download is followed."""


def follow() -> None:
    """Keep redrawing the panel to show the progress of a download, until it ends."""
    _followed[:] = [True]
    heartbeat.wake()


def wait() -> ImageToMeshError | None:
    """Wait for a download to end, for scripts without a window; return why it failed, or None."""
    downloads = jobs.weights_downloads()
    while downloads.state(jobs.DEPTH).is_running:
        time.sleep(INTERVAL)
    failure = downloads.state(jobs.DEPTH).failure
    if failure is None:
        return None
    return error_of_kind(failure.kind, failure.message, failure.hint, failure.link)


def use_by_default(context: bpy.types.Context) -> None:
    """Set Shape to Body in the scene if it was never set there and the model is installed.

    Do nothing in a scene with results: Live Preview would change them to the new shape. Do nothing
    either while the scene must not change.
    """
    group = choices_of(context.scene).local
    is_free = context.scene.is_editable and not group.is_property_set("shape")
    if not is_free or not jobs.weights_downloads().state(jobs.DEPTH).is_there:
        return
    has_results = any(JOB in obj for obj in context.scene.objects)
    if not has_results and not watcher.artist_is_busy(context):
        group.shape = "body"


def is_needed(context: bpy.types.Context) -> bool:
    """Return whether a download is followed, or the tab is visible."""
    return bool(_followed) or is_shown(context)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Redraw to show progress, and after the model was installed or removed.

    Unless a download is followed, also set Shape to Body by default; see `use_by_default`.
    """
    if _followed:
        if not jobs.weights_downloads().state(jobs.DEPTH).is_running:
            _followed.clear()
        redraw(context)
    before = jobs.weights_downloads().state(jobs.DEPTH).is_there
    if jobs.weights_downloads().refresh(jobs.DEPTH) is not before:
        redraw(context)
    if not _followed:
        use_by_default(context)


STEP = heartbeat.Step("depth_model", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step. It does not cancel a download."""
    heartbeat.remove(STEP)
    _followed.clear()
