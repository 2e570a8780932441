# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery's pages, and a timer that loads the thumbnails in sight: drawing reads no file."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import IntProperty

from ... import jobs, preferences
from ...app import account_watch, bring_in
from ...jobs.disk.file_names import is_portable
from ...jobs.library.index import library_index
from ...jobs.library.viewable_images import thumbnail_files
from ...state import thumbnails
from ...state.scene_properties import shelf_of

LOOK_EVERY = 0.5


class IMAGE_TO_MESH_OT_turn_page(bpy.types.Operator):
    """Show the next or the previous results."""

    bl_idname = "image_to_mesh.turn_page"
    bl_label = "Turn Page"
    bl_description = "Show newer or older results"
    bl_options = {"INTERNAL"}

    by: IntProperty(
        name="By", description="How many pages; negative for newer", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        shelf = shelf_of(context)
        index = library_index(preferences.library(context))
        results = index.find(state=jobs.State.READY, text=shelf.text)
        pages = max(1, -(-len(results) // thumbnails.RESULTS_PER_PAGE))
        shelf.page = min(max(0, shelf.page + self.by), pages - 1)
        return {"FINISHED"}


def look(context: bpy.types.Context) -> None:
    """Load the thumbnails of the results that the gallery shows."""
    if not account_watch.is_shown(context):
        return
    if _load_thumbnails(context):
        account_watch.redraw(context)


def register() -> None:
    """Begin to look; without a window nobody sees a gallery."""
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=1.0, persistent=True)


def unregister() -> None:
    """Stop loading thumbnails, and remove the copies of their files."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    thumbnail_files().close()
    thumbnail_files.cache_clear()


def _look() -> float:
    look(bpy.context)
    return LOOK_EVERY


def _load_thumbnails(context: bpy.types.Context) -> bool:
    """Name the picture of each job in sight; say whether one is new."""
    chosen = shelf_of(context)
    root = preferences.library(context)
    start = chosen.page * thumbnails.RESULTS_PER_PAGE
    found = False
    results = library_index(root).find(state=jobs.State.READY, text=chosen.text)
    for one in results[start : start + thumbnails.RESULTS_PER_PAGE]:
        if one.thumbnail and is_portable(one.thumbnail) and not thumbnails.number_of(one.job):
            found |= _load(one.job, root / one.job / one.thumbnail)
    for view in jobs.session().views():
        key = f"{view.job}/picture"
        if view.record is None or thumbnails.number_of(key):
            continue
        file = next((one.sent or one.file for one in view.record.pictures), None)
        if file:
            folder = bring_in.library_of(context, view.job).root / view.job
            found |= _load(key, folder / file)
    return found


def _load(key: str, path: Path) -> bool:
    """Have a picture of a job's folder shown; say whether that is new."""
    shown = None if thumbnails.number_of(key) else thumbnail_files().file(key, path)
    return shown is not None and thumbnails.load(key, str(shown))


classes = (IMAGE_TO_MESH_OT_turn_page,)
