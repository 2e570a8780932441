# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the saved import defaults to scenes in which nothing has been chosen yet.

Blender has no handler for new scenes. Defaults are applied when a file is opened, while the tab is
visible, and before a mesh is generated: early enough that nobody notices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ... import preferences
from ...state.scene_properties import choices_of
from .. import heartbeat
from ..redraw import is_shown

GROUPS = ("placement", "mending")
OF_ONE_SCENE = frozenset({"image_reference", "reference", "referenced_image", "name", "rna_type"})


def chosen_in(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return a scene's import options by "group.property", except those specific to the scene."""
    chosen = {f"{title}.{name}": getattr(group, name) for title, group, name in _properties(scene)}
    if chosen["placement.position"] == "reference":
        del chosen["placement.position"]
    return chosen


def apply_defaults(context: bpy.types.Context) -> None:
    """Write the saved defaults to the editable scenes in which nothing has been chosen yet."""
    defaults = preferences.import_defaults(context)
    for scene in bpy.data.scenes if defaults else ():
        # Scenes linked from other files are read-only.
        rows = list(_properties(scene)) if scene.is_editable else []
        if any(group.is_property_set(name) for _, group, name in rows):
            continue
        # Every property, even one without a saved default: one that is set marks the scene as done.
        for title, group, name in rows:
            value = defaults.get(f"{title}.{name}", getattr(group, name))
            try:
                setattr(group, name, value)
            except (TypeError, ValueError):  # Saved by another version, with other choices.
                continue


def poll(context: bpy.types.Context, _now: float) -> None:
    """Apply the defaults to new scenes."""
    apply_defaults(context)


STEP = heartbeat.Step("new_scenes", heartbeat.IN_SIGHT, is_shown, poll)


@persistent  # Blender drops other handlers when it opens a file, which is when this one acts.
def _on_load(*_: object) -> None:
    apply_defaults(bpy.context)


def register() -> None:
    """Apply the defaults whenever a file is opened, and to new scenes."""
    bpy.app.handlers.load_post.append(_on_load)
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the handler and the step."""
    bpy.app.handlers.load_post.remove(_on_load)
    heartbeat.remove(STEP)


def _properties(scene: bpy.types.Scene) -> Iterator[tuple[str, Any, str]]:
    for title in GROUPS:
        group = getattr(choices_of(scene), title)
        for declared in group.bl_rna.properties:
            if declared.identifier not in OF_ONE_SCENE:
                yield title, group, declared.identifier
