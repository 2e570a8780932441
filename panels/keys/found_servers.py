# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that looks for servers on this computer, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ..text_layout import UNIT, wrap_text

if TYPE_CHECKING:
    from ...jobs.tasks.found_servers import FoundServer

BUTTON = 4.0
"""Width of *Use*, in units of a row's height."""


GAP = 8.0
"""Pixels between a server and its *Use*, at a UI scale of 1."""


def draw_search(layout: bpy.types.UILayout, room: float) -> None:
    """Draw the button, and a row for each server with a button that sets it up.

    `room` is the width of a line, in pixels at a UI scale of 1.
    """
    search = jobs.server_search()
    # Not disabled meanwhile: Blender keeps a button as it is while the pointer is on it.
    layout.operator("image_to_mesh.find_servers", icon="VIEWZOOM")
    found = search.found
    if found is None:
        if search.is_running:
            layout.label(text="Looking...")
        return
    column = layout.column(align=True)
    if not found:
        column.label(text="No server answers on the usual ports")
    for server in found:
        _draw_server(column, server, room)


def _draw_server(layout: bpy.types.UILayout, server: FoundServer, room: float) -> None:
    """Draw a server's name and address with *Use*, or in gray that no provider can use it."""
    where = server.address.removeprefix("http://")
    if not server.provider:
        reason = tr("{} · no provider for it").format(where)
        return _draw_lines(layout, translate(server.shown), reason, room, active=False)
    row = layout.row()
    _draw_lines(row, translate(server.shown), where, room - BUTTON * UNIT - GAP)
    button = row.row()
    button.ui_units_x = BUTTON  # else half of the row, which would leave no room for the address
    use = button.operator("image_to_mesh.use_server", text=tr("Use"))
    use.provider, use.address = server.provider, server.address
    return None


def _draw_lines(
    layout: bpy.types.UILayout, name: str, rest: str, room: float, *, active: bool = True
) -> None:
    """Draw two texts in one line if they fit, else below each other: none must be cut off."""
    lines = wrap_text(f"{name} · {rest}", room)
    if len(lines) > 1:
        lines = (*wrap_text(name, room), *wrap_text(rest, room))
    column = layout.column(align=True)
    column.active = active
    for line in lines:
        column.label(text=line, translate=False)
