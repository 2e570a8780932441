# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults for import: how models come into scenes in which nobody has chosen otherwise yet.

They are taken from a scene, kept in the preferences, and written into every scene whose placement
and mending are untouched, after a file was opened and, with a window, soon after a scene was added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import preferences
from ..app import account_watch
from ..state.scene_properties import choices_of

LOOK_EVERY = 0.5
GROUPS = ("placement", "mending")
OF_ONE_SCENE = frozenset({"reference", "name", "rna_type"})


class IMAGE_TO_MESH_OT_keep_defaults(bpy.types.Operator):
    """Let new scenes begin with this scene's placement and mending."""

    bl_idname = "image_to_mesh.keep_defaults"
    bl_label = "Use for New Scenes"
    bl_description = "Let new scenes begin with this scene's placement and mending"

    def execute(self, context: bpy.types.Context) -> set[str]:
        preferences.keep_import_defaults(context, _chosen(context.scene))
        account_watch.redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_forget_defaults(bpy.types.Operator):
    """Let new scenes begin as the add-on came."""

    bl_idname = "image_to_mesh.forget_defaults"
    bl_label = "Reset Import Defaults"
    bl_description = "Let new scenes begin with the placement and mending that the add-on came with"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if preferences.import_defaults(context):
            return True
        cls.poll_message_set("New scenes begin as the add-on came")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        preferences.keep_import_defaults(context, {})
        account_watch.redraw(context)
        return {"FINISHED"}


def _chosen(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return what a scene has chosen, but for what belongs to this scene alone."""
    chosen = {f"{group}.{name}": getattr(of, name) for group, of, name in _properties(scene)}
    if chosen["placement.position"] == "reference":
        del chosen["placement.position"]
    return chosen


def _properties(scene: bpy.types.Scene) -> Iterator[tuple[str, Any, str]]:
    for group in GROUPS:
        of = getattr(choices_of(scene), group)
        for declared in of.bl_rna.properties:
            if declared.identifier not in OF_ONE_SCENE:
                yield group, of, declared.identifier


def _apply(context: bpy.types.Context) -> None:
    """Write the defaults into the scenes where nobody has chosen anything."""
    kept = preferences.import_defaults(context)
    for scene in bpy.data.scenes if kept else ():
        rows = list(_properties(scene)) if scene.is_editable else []
        if any(of.is_property_set(name) for _, of, name in rows):
            continue
        for group, of, name in rows:
            value = kept.get(f"{group}.{name}", getattr(of, name))
            try:
                setattr(of, name, value)
            except (TypeError, ValueError):  # kept by another version, which had other choices
                continue


def _look() -> float:
    _apply(bpy.context)
    return LOOK_EVERY


@persistent
def _on_load(*_: object) -> None:
    _apply(bpy.context)


def register() -> None:
    """Look after every file that is opened, and with a window for scenes that are added."""
    bpy.app.handlers.load_post.append(_on_load)
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=LOOK_EVERY, persistent=True)


def unregister() -> None:
    """Look no longer."""
    bpy.app.handlers.load_post.remove(_on_load)
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)


classes = (IMAGE_TO_MESH_OT_keep_defaults, IMAGE_TO_MESH_OT_forget_defaults)
