# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the gallery ready: a timer looks at the library and names the thumbnails in sight.

Drawing reads no file; what it shows was found here.
"""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import IntProperty

from ... import jobs, preferences
from ...app import account_watch, bring_in
from ...jobs.disk.file_names import is_portable
from ...state import thumbnails
from ...state.scene_properties import shelf_of

LOOK_EVERY = 0.5
PAGE = 6
"""How many results the gallery shows at once."""

_seen: dict[str, object] = {}


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
        pages = max(1, -(-len(jobs.shelf().find(shelf.text)) // PAGE))
        shelf.page = min(max(0, shelf.page + self.by), pages - 1)
        return {"FINISHED"}


def look(context: bpy.types.Context) -> None:
    """Take over what the library's list has become, and load the thumbnails of what is shown."""
    if not account_watch.is_shown(context):
        return
    root, shelf = preferences.library(context), jobs.shelf()
    entries = jobs.catalogue(root).entries
    if _seen.get("entries") is not entries:
        _seen["entries"] = entries
        shelf.look_soon(root)
    changed = _seen.get("version") != shelf.version
    _seen["version"] = shelf.version
    if _load_thumbnails(context) or changed:
        account_watch.redraw(context)


def register() -> None:
    """Begin to look; without a window nobody sees a gallery."""
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=1.0, persistent=True)


def unregister() -> None:
    """Look no longer, and forget what was found."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _seen.clear()
    jobs.shelf.cache_clear()
    jobs.thumbnails().close()
    jobs.thumbnails.cache_clear()


def _look() -> float:
    look(bpy.context)
    return LOOK_EVERY


def _load_thumbnails(context: bpy.types.Context) -> bool:
    """Name the picture of each job in sight; say whether one is new."""
    chosen = shelf_of(context)
    root = preferences.library(context)
    start = chosen.page * PAGE
    found = False
    for one in jobs.shelf().find(chosen.text)[start : start + PAGE]:
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
    shown = None if thumbnails.number_of(key) else jobs.thumbnails().file(key, path)
    return shown is not None and thumbnails.load(key, str(shown))


classes = (IMAGE_TO_MESH_OT_turn_page,)
