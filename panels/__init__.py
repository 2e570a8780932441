# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels and menus. `draw()` lays out other rooms' state. It neither reads nor writes files."""

from __future__ import annotations

import bpy

from .. import preferences
from ..state.manual import manual_map
from . import menus, mesh_edits, sidebar
from .job_list import statusbar
from .keys import popover
from .keys import preferences_page as page
from .results import details

_classes = (
    *sidebar.classes,
    *popover.classes,
    *mesh_edits.classes,
    *menus.classes,
    *details.classes,
)


def register() -> None:
    """Register panels, menus, entries in Blender's menus, preferences page, and manual links."""
    for cls in _classes:
        bpy.utils.register_class(cls)
    menus.register()
    statusbar.register()
    preferences.set_draw(page.draw)
    bpy.utils.register_manual_map(manual_map)


def unregister() -> None:
    """Undo `register` in reverse order, except for the preferences page."""
    bpy.utils.unregister_manual_map(manual_map)
    statusbar.unregister()
    menus.unregister()
    for cls in reversed(_classes):
        bpy.utils.unregister_class(cls)
