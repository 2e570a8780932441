# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the library: on a thread, now and then, and only while the tab is in sight."""

from __future__ import annotations

import time

import bpy

from .. import jobs, preferences
from ..jobs.library.index import entries_to_trash, library_index
from ..jobs.library.index_entry import Entry
from . import account_watch

LOOK_EVERY = 0.5
REST = 5.0
"""Seconds between two looks at the library; longer where a look itself takes long."""
SHARE = 20.0

_drawn: list[tuple[Entry, ...]] = [()]
"""The list as it was last drawn."""


def look_soon(context: bpy.types.Context) -> None:
    """Look at the library again, because something in it has changed and somebody may see it."""
    if not bpy.app.background:
        library_index(preferences.library(context)).refresh_soon()


def look(context: bpy.types.Context, now: float) -> None:
    """Have the list drawn where it has changed; look at the library now and then."""
    index = library_index(preferences.library(context))
    if index.entries is not _drawn[0]:
        _drawn[0] = index.entries
        account_watch.redraw(context)
    if not index.refreshed_at or now - index.refreshed_at > max(
        REST, SHARE * index.refresh_seconds
    ):
        index.refresh_soon()
    elif preferences.library_limit(context):
        index.trash_soon(too_much(context))


def register() -> None:
    """Begin to look; without a window there is nobody to see a list."""
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=LOOK_EVERY, persistent=True)


def unregister() -> None:
    """Look no longer, and forget the list."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    library_index.cache_clear()
    _drawn[0] = ()


def _look() -> float:
    if account_watch.is_shown(bpy.context):
        look(bpy.context, time.monotonic())
    return LOOK_EVERY


def too_much(context: bpy.types.Context) -> list[Entry]:
    """Return the jobs that exceed the library's limit; those that the panel shows stay."""
    index, limit = (
        library_index(preferences.library(context)),
        preferences.library_limit(context),
    )
    if not limit or index.size <= limit:
        return []
    shown = {view.job for view in jobs.session().views()}
    return [one for one in entries_to_trash(index.entries, limit) if one.job not in shown]
