# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery: one page of finished meshes, each with its buttons."""

from __future__ import annotations

import bpy

from .. import jobs
from ..i18n.translate import tr
from ..preferences import library
from ..providers import all_providers
from ..state import thumbnails
from ..state.gallery_page import page_count, page_slice
from ..state.scene_properties import shelf_of
from .account_text import cost_text
from .text_layout import draw_text, duration

# As tall as the three lines beside it, so that the box has no gap.
ICON_SCALE = 2.6
SIZE_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def draw_gallery(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the search field, one page of results, and the row that changes the page."""
    chosen, index = shelf_of(context), jobs.library_index(library(context))
    if not index.results:
        draw_text(layout, context, "Finished meshes are shown here", active=False)
        return
    layout.prop(chosen, "text", text="", icon="VIEWZOOM")
    found = index.find(state=jobs.State.READY, text=chosen.text)
    if not found:
        draw_text(layout, context, "No results match", icon="INFO")
        return
    last = page_count(len(found)) - 1
    page = min(chosen.page, last)
    # Once per draw and not per row: a poll goes through the operator system.
    replaces = bpy.ops.image_to_mesh.replace.poll()
    for entry in found[page_slice(page, len(found))]:
        _draw_entry(layout, entry, replaces=replaces)
    row = layout.row(align=True)
    if last:
        row.operator("image_to_mesh.turn_page", text="", icon="TRIA_LEFT").by = -1
        row.label(text=f"{page + 1} / {last + 1}")
        row.operator("image_to_mesh.turn_page", text="", icon="TRIA_RIGHT").by = 1
    else:
        row.label(text=size_text(index.size))
    row.operator("image_to_mesh.show_folder", text="", icon="FILE_FOLDER")


def size_text(size: int) -> str:
    """Format a size in bytes: 1.2 GB, 3.4 MB, 5.6 kB, 7 B."""
    for unit, name in SIZE_UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"


def facts_of(entry: jobs.Entry) -> str:
    """Return a line about a result: its faces, its cost, and its service or how long it took."""
    facts = [tr("{} faces").format(f"{entry.faces:,}")] if entry.faces else []
    if entry.credits:
        facts.append(cost_text(entry.provider, entry.credits))
    provider = all_providers().get(entry.provider)
    is_service = provider is not None and provider.is_remote
    facts.append(provider.label if provider and is_service else duration(entry.seconds))
    return ", ".join(facts)


def _draw_entry(layout: bpy.types.UILayout, entry: jobs.Entry, *, replaces: bool) -> None:
    """Draw a result and its buttons.

    `replaces`: the active object can be replaced, so that button is shown as well.
    """
    row = layout.box().row()
    row.template_icon(thumbnails.number_of(entry.job), scale=ICON_SCALE)
    column = row.column(align=True)
    column.label(text=entry.name)
    line = column.row()
    line.scale_y = 0.8
    line.label(text=facts_of(entry))
    buttons = column.row(align=True)
    buttons.operator("image_to_mesh.import_result", text="", icon="IMPORT").job = entry.job
    if replaces:
        buttons.operator("image_to_mesh.replace", text="", icon="FILE_REFRESH").job = entry.job
    buttons.operator("image_to_mesh.reuse", text="", icon="COPYDOWN").job = entry.job
    buttons.operator("image_to_mesh.show_folder", text="", icon="FILE_FOLDER").job = entry.job
    buttons.operator("image_to_mesh.delete", text="", icon="TRASH").job = entry.job
