# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the thumbnails of visible jobs and results, since drawing must not read files."""

from __future__ import annotations

from pathlib import Path

import bpy

from ... import jobs, preferences
from ...jobs.disk.file_names import is_portable
from ...state import thumbnails
from ...state.results.listing import LARGEST_PAGE, Damaged, listing
from ...state.results.shelf import shelf_of
from .. import bring_in, heartbeat
from ..redraw import is_shown, redraw


def poll(context: bpy.types.Context, _now: float) -> None:
    """Load missing thumbnails, and redraw if any was loaded."""
    if load_thumbnails(context):
        redraw(context)


def load_thumbnails(context: bpy.types.Context) -> bool:
    """Load the thumbnails of visible jobs and results; return whether any was loaded now."""
    # A list, not a generator: `any` would stop loading at the first new one.
    return any([*_load_results(context), *_load_inputs(context)])


STEP = heartbeat.Step("thumbnails", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and delete the copies of the files."""
    heartbeat.remove(STEP)
    jobs.thumbnail_files().close()
    jobs.thumbnail_files.cache_clear()


def _load_results(context: bpy.types.Context) -> list[bool]:
    """Load the previews on the gallery's page; return whether each was loaded now."""
    root, items = preferences.library(context), listing(context).items
    # The width of the sidebar is not known here: load enough for the widest.
    start = max(0, min(shelf_of(context).first, len(items) - LARGEST_PAGE))
    return [
        _load(item.job, root / item.job / item.thumbnail)
        for item in items[start : start + LARGEST_PAGE]
        if not isinstance(item, Damaged) and item.thumbnail and is_portable(item.thumbnail)
    ]


def _load_inputs(context: bpy.types.Context) -> list[bool]:
    """Load the first input image of each job in the panel; return whether each was loaded now."""
    loaded = []
    for view in jobs.session().views():
        inputs = view.record.pictures if view.record else ()
        file = next((picture.sent or picture.file for picture in inputs), None)
        if file:
            folder = bring_in.library_of(context, view.job).root / view.job
            loaded.append(_load(f"{view.job}/picture", folder / file))
    return loaded


def _load(key: str, path: Path) -> bool:
    """Load a file from a job's folder as the thumbnail `key`; return whether it was loaded now."""
    if thumbnails.number_of(key):
        return False
    file = jobs.thumbnail_files().file(key, path)
    return file is not None and thumbnails.load(key, str(file))
