# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that looks for servers on this computer, and what it found."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr, translate

BUTTON = 4.0
"""Width of *Use*, in units of a row's height."""


def draw_search(layout: bpy.types.UILayout) -> None:
    """Draw the button, and a row for each server with a button that sets it up."""
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
        row = column.row()
        where = server.address.removeprefix("http://")
        label = row.row()
        label.active = bool(server.provider)
        label.label(text=f"{translate(server.shown)} · {where}", translate=False)
        if server.provider:
            button = row.row()
            button.ui_units_x = BUTTON  # else half of the row, which would cut off the address
            use = button.operator("image_to_mesh.use_server", text=tr("Use"))
            use.provider, use.address = server.provider, server.address
