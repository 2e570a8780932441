# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that looks for servers on this computer, and what it found."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ..text_layout import wrap_text

BUTTON = 4.0
"""Width of *Use*, in units of a row's height."""


def draw_search(layout: bpy.types.UILayout, room: float) -> None:
    """Draw the button, and a row for each server with a button that sets it up.

    `room` is the width of a line, in pixels at a UI scale of 1.
    """
    search = jobs.server_search()
    button = layout.row()
    button.enabled = not search.is_running
    button.operator("image_to_mesh.find_servers", icon="VIEWZOOM")
    found = search.found
    if found is None:
        return
    column = layout.column(align=True)
    if not found:
        column.label(text="No server answers on the usual ports")
    for server in found:
        text = f"{translate(server.shown)} · {server.address.removeprefix('http://')}"
        if not server.provider:
            _draw_unusable(column, tr("{} · no provider for it").format(text), room)
            continue
        row = column.row()
        row.row().label(text=text, translate=False)
        button = row.row()
        button.ui_units_x = BUTTON  # else half of the row, which would cut off the address
        use = button.operator("image_to_mesh.use_server", text=tr("Use"))
        use.provider, use.address = server.provider, server.address


def _draw_unusable(layout: bpy.types.UILayout, text: str, room: float) -> None:
    """Draw a server that no provider can use, wrapped, since the reason is at the end."""
    lines = layout.column(align=True)
    lines.active = False
    for line in wrap_text(text, room):
        lines.label(text=line, translate=False)
