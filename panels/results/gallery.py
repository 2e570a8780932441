# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery: filters, the details of the selected result, and a page of thumbnails."""

from __future__ import annotations

import functools
from typing import Any

import bpy

from ... import jobs
from ...i18n.translate import tr, translate_error
from ...preferences import library
from ...state import thumbnails
from ...state.results import hidden
from ...state.results.listing import (
    ROWS,
    Damaged,
    Listing,
    columns,
    listing,
    page_start,
    room,
    selected_result,
)
from ...state.results.shelf import ALL, shelf_of
from ...state.results.texts import when_text
from ..text_layout import draw_text
from .details import draw_details

SIZE_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
UNIT = 20.0
"""Height in pixels of a row of the interface, at a UI scale of 1."""
GAP = 8.0
"""Pixels between two thumbnails."""


def draw_gallery(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the filters, the selected result, a page of results, and the library's buttons.

    The selected result is above the others, since a page of them is as high as a small sidebar. If
    the library cannot be read, or is empty, draw only a message that says so.
    """
    index = jobs.library_index(library(context))
    if index.failure is not None:
        _draw_unreadable(layout, context, index.failure)
        return
    if not (index.results or index.damaged):
        draw_text(layout, context, "Finished meshes are shown here", active=False)
        return
    shelf, found = shelf_of(context), listing(context)
    is_filtered = bool(shelf.text or shelf.starred or shelf.provider != ALL)
    _draw_filters(layout, shelf)
    item = selected_result(context)
    if item is not None:
        draw_details(layout, context, item)
    elif found.items:
        draw_text(layout, context, "Click a name to select a result", active=False)
    if found.items:
        _draw_page(layout, context, shelf.first, found, item.job if item else "")
    elif is_filtered:
        draw_text(layout, context, "No results match", icon="INFO")
        layout.operator("image_to_mesh.show_all_results", icon="LOOP_BACK")
    if found.items or hidden.last_undoable() is not None or shelf.notice or not is_filtered:
        # The size is that of the whole library.
        _draw_status(layout, context, shelf, found, 0 if is_filtered else index.size)
    _draw_library(layout)


def size_text(size: int) -> str:
    """Format a size in bytes: 1.2 GB, 3.4 MB, 5.6 kB, 7 B."""
    for unit, name in SIZE_UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"


def _draw_unreadable(
    layout: bpy.types.UILayout, context: bpy.types.Context, failure: Exception
) -> None:
    draw_text(layout, context, translate_error(failure), icon="ERROR")
    button = layout.operator(
        "image_to_mesh.open_preferences", text="Library Settings", icon="PREFERENCES"
    )
    button.system = False


def _draw_filters(layout: bpy.types.UILayout, shelf: Any) -> None:
    row = layout.row(align=True)
    row.prop(shelf, "text", text="", icon="VIEWZOOM")
    row.prop(shelf, "provider", text="", icon="FILTER", icon_only=True)
    row.prop(shelf, "starred", text="", icon="SOLO_ON" if shelf.starred else "SOLO_OFF")


def _draw_page(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    first: int,
    found: Listing,
    selected: str,
) -> None:
    """Draw the thumbnails of the page that has the result with the index `first`."""
    across = columns(context)
    size = across * ROWS
    first = page_start(first, len(found.items), size)
    scale = (room(context) / across - GAP) / UNIT
    grid = layout.grid_flow(
        row_major=True, columns=across, even_columns=True, even_rows=True, align=False
    )
    for item in found.items[first : first + size]:
        _draw_tile(grid, item, scale, chosen=item.job == selected)
    # Without them, fewer results than columns would be stretched over the whole width.
    for _ in range(across - len(found.items)):
        grid.column()


def _draw_tile(
    grid: bpy.types.UILayout, item: jobs.Entry | Damaged, scale: float, *, chosen: bool
) -> None:
    """Draw a thumbnail, with its name as the button that selects it, and its date."""
    tile = grid.column(align=True)
    if isinstance(item, Damaged):
        number, title, star, below = _icon("ERROR"), item.job, False, tr("Damaged")
    else:
        number = thumbnails.number_of(item.job) or _icon("MESH_DATA")
        title, star, below = item.title, item.starred, when_text(item.created, short=True)
    tile.template_icon(number, scale=scale)
    icon = "SOLO_ON" if star else "NONE"
    button = tile.operator(
        "image_to_mesh.select_result", text=title, icon=icon, depress=chosen, translate=False
    )
    button.job = item.job
    line = tile.row()
    line.active, line.scale_y, line.alignment = False, 0.8, "CENTER"
    line.label(text=below, translate=False)


def _draw_status(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    shelf: Any,
    found: Listing,
    room_on_disk: int,
) -> None:
    """Draw one line: a deletion that can be undone, a failure, or what the page shows.

    It has the buttons that turn the page. It is always drawn, so that nothing below it moves.
    """
    row = layout.row(align=True)
    gone, total, size = hidden.last_undoable(), len(found.items), columns(context) * ROWS
    first = page_start(shelf.first, total, size)
    if gone is not None:
        row.label(text=tr("Deleted {}").format(gone.name), icon="TRASH", translate=False)
        row.operator("image_to_mesh.undo_delete", text="Undo").job = gone.job
    elif shelf.notice:
        row.label(text=shelf.notice, icon="ERROR", translate=False)
    else:
        row.label(text=_range_text(first, size, total, room_on_disk), translate=False)
    if total > size:
        for by, icon, is_enabled in (
            (-1, "TRIA_LEFT", first > 0),
            (1, "TRIA_RIGHT", first + size < total),
        ):
            button = row.row(align=True)
            button.enabled = is_enabled
            button.operator("image_to_mesh.turn_page", text="", icon=icon).by = by


def _range_text(first: int, size: int, total: int, room_on_disk: int) -> str:
    if total <= size:
        count = (tr("{} result") if total == 1 else tr("{} results")).format(total)
        return f"{count}, {size_text(room_on_disk)}" if room_on_disk else count
    last = min(first + size, total)
    return tr("{first}-{last} of {total}").format(first=first + 1, last=last, total=total)


def _draw_library(layout: bpy.types.UILayout) -> None:
    column = layout.column(align=True)
    column.operator("image_to_mesh.open_asset_browser", icon="ASSET_MANAGER")
    folder = column.operator("image_to_mesh.show_folder", text="Show Library", icon="FILE_FOLDER")
    folder.job = ""


@functools.cache
def _icon(name: str) -> int:
    """Return the number of one of Blender's own icons."""
    declared: Any = bpy.types.UILayout.bl_rna
    icons = declared.functions["label"].parameters["icon"].enum_items
    return int(icons[name].value)
