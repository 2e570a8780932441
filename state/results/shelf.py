# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery's own properties: filters, page, and selection.

They belong to the window manager, which Blender does not save, so a search never marks a file as
changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ...providers import all_providers

ALL = "ALL"
"""The choice of the provider filter that shows the results of all providers."""
NOTHING = "-"
"""Stands for a selected job after a deletion, until the user selects another."""
TRANSIENT = {"HIDDEN", "SKIP_SAVE"}

_renaming: list[Callable[[bpy.types.Context, str], None]] = []
"""The function that renames the selected result. `operators` sets it: this room writes no files."""


def shelf_of(context: bpy.types.Context) -> Any:
    """Return the gallery's state in the window manager."""
    return context.window_manager.image_to_mesh


def call_to_rename(rename: Callable[[bpy.types.Context, str], None] | None) -> None:
    """Set the function that renames the selected result to a name; None removes it."""
    _renaming[:] = [rename] if rename else []


def shelf_properties() -> dict[str, Any]:
    """Return the gallery's properties, as annotations of a property group."""
    return {
        "text": StringProperty(
            name="Search",
            description="Show only results that contain all of these words",
            options={"SKIP_SAVE", "TEXTEDIT_UPDATE"},
            update=_to_newest,
        ),
        "provider": EnumProperty(
            name="Provider",
            description="Show only results of this provider",
            items=[
                (ALL, "All Providers", "Show the results of all providers"),
                *(
                    (provider.id, provider.label, "Show only results of this provider")
                    for provider in all_providers().values()
                ),
            ],
            options={"SKIP_SAVE"},
            update=_to_newest,
        ),
        "starred": BoolProperty(
            name="Starred Only",
            description="Show only results with a star",
            options={"SKIP_SAVE"},
            update=_to_newest,
        ),
        "title": StringProperty(
            name="Name",
            description="Name of this result in the library",
            get=_get_title,
            set=_set_title,
            options={"SKIP_SAVE"},
        ),
        "first": IntProperty(min=0, options=TRANSIENT),
        "selected": StringProperty(options=TRANSIENT),
        "notice": StringProperty(options=TRANSIENT),
    }


def _to_newest(shelf: Any, _context: bpy.types.Context) -> None:
    """Go back to the first page, since a changed filter lists other results."""
    shelf.first = 0


def _get_title(_shelf: Any) -> str:
    from .listing import selected_result

    item = selected_result(bpy.context)
    return getattr(item, "title", "")


def _set_title(_shelf: Any, name: str) -> None:
    if _renaming:
        _renaming[0](bpy.context, name)
