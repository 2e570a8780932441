# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows: draw() reads what there is and lays rows. No IO, no writes."""

from __future__ import annotations

import bpy

from .. import preferences
from ..state.manual import manual_map
from . import import_options, menus, mesh_edits, sidebar, statusbar
from . import preferences_page as page

_classes = (*sidebar.classes, *import_options.classes, *mesh_edits.classes, *menus.classes)


def register() -> None:
    """Register panels and menus, and put the entries into Blender's own."""
    for one in _classes:
        bpy.utils.register_class(one)
    menus.register()
    statusbar.register()
    preferences.drawn_by(page.draw)
    bpy.utils.register_manual_map(manual_map)


def unregister() -> None:
    """Take everything away, in reverse."""
    bpy.utils.unregister_manual_map(manual_map)
    statusbar.unregister()
    menus.unregister()
    for one in reversed(_classes):
        bpy.utils.unregister_class(one)
