# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the library's index up to date, on a thread, and only while the tab is visible."""

from __future__ import annotations

from typing import Any

import bpy

from ... import jobs, preferences
from .. import heartbeat
from ..redraw import is_shown, redraw

REST = 5.0
"""Minimum seconds between two refreshes."""
SHARE = 20.0
"""Minimum pause between refreshes, as a multiple of the time that the last one took."""

_drawn: list[tuple[Any, ...]] = [((), (), None)]
"""The entries, the damaged jobs, and the failure that were drawn last."""


def refresh_soon(context: bpy.types.Context) -> None:
    """Refresh the index on a thread, because the library has changed; not in background mode."""
    if not bpy.app.background:
        jobs.library_index(preferences.library(context)).refresh_soon()
        heartbeat.wake()


def poll(context: bpy.types.Context, now: float) -> None:
    """Redraw if the index has changed, refresh it from time to time, and enforce the size limit."""
    index = jobs.library_index(preferences.library(context))
    # Each change makes a new tuple; comparing thousands of entries at every tick would be slow.
    known = (index.entries, index.damaged, index.failure)
    if any(new is not old for new, old in zip(known, _drawn[0], strict=True)):
        _drawn[0] = known
        redraw(context)
    if not index.refreshed_at or now - index.refreshed_at > max(
        REST, SHARE * index.refresh_seconds
    ):
        index.refresh_soon()
    elif preferences.library_limit(context):
        index.trash_soon(over_limit(context))


def over_limit(context: bpy.types.Context) -> list[jobs.Entry]:
    """Return the jobs to move to the trash because the library exceeds its size limit.

    Jobs that the panel shows are left out.
    """
    index = jobs.library_index(preferences.library(context))
    limit = preferences.library_limit(context)
    if not limit or index.size <= limit:
        return []
    shown = {view.job for view in jobs.session().views()}
    return [
        entry for entry in jobs.entries_to_trash(index.entries, limit) if entry.job not in shown
    ]


STEP = heartbeat.Step("library", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and drop the index."""
    heartbeat.remove(STEP)
    jobs.library_index.cache_clear()
    _drawn[0] = ((), (), None)
