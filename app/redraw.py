# SPDX-License-Identifier: GPL-3.0-or-later
"""Redraw regions that show jobs, and find out whether the add-on's tab is visible."""

from __future__ import annotations

import bpy

from ..state.visibility import TAB, drawn_popovers

SHOWS = {"VIEW_3D": "UI", "IMAGE_EDITOR": "UI", "PREFERENCES": "WINDOW"}
"""Type of the region that shows jobs or answers, by the type of its area."""
TABBED = ("VIEW_3D", "IMAGE_EDITOR")
"""Types of areas whose sidebars have the tab."""
WATCHER = "IMAGE_TO_MESH_OT_watch"


def redraw(context: bpy.types.Context) -> None:
    """Redraw all regions that show jobs or answers, the status bars, and the open popover."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                # Tagging whole areas would also redraw the viewport, which can be expensive.
                if region.type == SHOWS.get(area.type):
                    region.tag_redraw()
        _redraw_status_bar(context, window)
        _refresh_popovers(context, window)


def is_shown(context: bpy.types.Context) -> bool:
    """Return whether any window shows the tab."""
    return any(
        region.active_panel_category == TAB
        for window in context.window_manager.windows
        for area in window.screen.areas
        if area.type in TABBED and area.spaces.active.show_region_ui
        for region in area.regions
        if region.type == "UI"
    )


def _redraw_status_bar(context: bpy.types.Context, window: bpy.types.Window) -> None:
    """Redraw the status bar, which is not among the areas of a screen.

    Clearing an unset status text redraws it. A modal operator other than the watcher may have set a
    text, which is left alone.
    """
    others = [operator for operator in window.modal_operators if operator.bl_idname != WATCHER]
    # A window that is being closed has no workspace.
    if not others and window.workspace:
        # Blender takes the window from the context, and crashes if a timer's context has a
        # workspace but no window, as after a file was opened (seen in 4.3).
        with context.temp_override(window=window):
            window.workspace.status_text_set(None)


def _refresh_popovers(context: bpy.types.Context, window: bpy.types.Window) -> None:
    """Lay out the open popover again if it is in this window; Blender does not do so itself."""
    for region in tuple(drawn_popovers()):
        try:
            # Raises for a region that is gone or another window's, as in Blender's own extensions.
            with context.temp_override(window=window, area=None, region=region):
                region.tag_redraw()
                region.tag_refresh_ui()
        except (TypeError, ReferenceError, RuntimeError):
            continue
