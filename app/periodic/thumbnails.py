# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the thumbnails of the jobs and results that the tab shows; drawing reads no file."""

from __future__ import annotations

from pathlib import Path

import bpy

from ... import jobs, preferences
from ...jobs.disk.file_names import is_portable
from ...state import thumbnails
from ...state.gallery_page import page_slice
from ...state.scene_properties import shelf_of
from .. import bring_in, heartbeat
from ..redraw import is_shown, redraw


def poll(context: bpy.types.Context, _now: float) -> None:
    """Load the thumbnails of what is shown, and redraw if there is a new one."""
    if load_thumbnails(context):
        redraw(context)


def load_thumbnails(context: bpy.types.Context) -> bool:
    """Load the image of each job and result in sight; return whether one is new."""
    # A list and not a generator: all of them are loaded, not those up to the first new one.
    return any([*_load_results(context), *_load_inputs(context)])


STEP = heartbeat.Step("thumbnails", heartbeat.IN_SIGHT, is_shown, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Take the step away, and remove the copies of the files."""
    heartbeat.remove(STEP)
    jobs.thumbnail_files().close()
    jobs.thumbnail_files.cache_clear()


def _load_results(context: bpy.types.Context) -> list[bool]:
    """Load the previews of the results on the gallery's page."""
    chosen, root = shelf_of(context), preferences.library(context)
    matches = jobs.library_index(root).find(state=jobs.State.READY, text=chosen.text)
    return [
        _load(entry.job, root / entry.job / entry.thumbnail)
        for entry in matches[page_slice(chosen.page, len(matches))]
        if entry.thumbnail and is_portable(entry.thumbnail)
    ]


def _load_inputs(context: bpy.types.Context) -> list[bool]:
    """Load the image that each job in the panel was made of."""
    loaded = []
    for view in jobs.session().views():
        inputs = view.record.pictures if view.record else ()
        file = next((picture.sent or picture.file for picture in inputs), None)
        if file:
            folder = bring_in.library_of(context, view.job).root / view.job
            loaded.append(_load(f"{view.job}/picture", folder / file))
    return loaded


def _load(key: str, path: Path) -> bool:
    """Load an image of a job's folder; return whether that is new."""
    if thumbnails.number_of(key):
        return False
    file = jobs.thumbnail_files().file(key, path)
    return file is not None and thumbnails.load(key, str(file))
