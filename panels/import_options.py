# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for imported models: placement, storage, cleanup, and rotation."""

from __future__ import annotations

from typing import Any

import bpy

from ..state.import_options import placement_of
from ..state.visibility import TAB, note_drawn
from .text_layout import draw_value, is_narrow, titled_row

ROTATIONS = (
    ("LEFT", "LOOP_BACK"),
    ("RIGHT", "LOOP_FORWARDS"),
    ("BACK", "FILE_REFRESH"),
    ("RESET", "TRACKER"),
)


def draw_placement(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the rows for location, size and rows of models."""
    chosen = placement_of(context.scene)
    column = layout.column()
    draw_value(column, context, chosen, "position")
    if chosen.position == "reference":
        draw_value(column, context, chosen, "reference")
        row = column.row()
        row.alert = chosen.reference is None
        if chosen.reference is None:
            row.label(text="Choose an image or an object", icon="INFO")
    else:
        row = titled_row(column, context, "Size")
        row.prop(chosen, "use_size", text="")
        value = row.row(align=True)
        value.active = chosen.use_size
        value.prop(chosen, "size", text="")
        value.prop(chosen, "measure", text="")
    row = titled_row(column, context, "Arrange in Row")
    row.prop(chosen, "use_row", text="")
    value = row.row(align=True)
    value.active = chosen.use_row
    value.prop(chosen, "spacing", text="")


def draw_storage(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the rows for how a model and its textures are stored."""
    chosen = placement_of(context.scene)
    column = layout.column()
    draw_value(column, context, chosen, "storage", expand=True)
    row = column.row()
    row.active = chosen.storage == "appended"
    draw_value(row, context, chosen, "images", expand=True)


def draw_cleanup(layout: bpy.types.UILayout, context: bpy.types.Context, cleanup: Any) -> None:
    """Draw the options of Cleanup on Import."""
    column = layout.column(heading="" if is_narrow(context) else "Clean Up")
    column.use_property_split = not is_narrow(context)
    for name in ("tidy", "weld", "outward", "metals"):
        column.prop(cleanup, name)
    row = column.row()
    row.active = cleanup.tidy
    row.prop(cleanup, "apply_transforms")
    column = layout.column()
    for name in ("colors", "normals", "angle", "texture_limit"):
        if name != "angle" or cleanup.normals != "keep":
            draw_value(column, context, cleanup, name)


def draw_rotations(layout: bpy.types.UILayout, job: str = "") -> None:
    """Draw the four buttons that rotate a result, if the scene has one."""
    # Hidden rather than grayed out: without a result, the row would only take space.
    if not bpy.ops.image_to_mesh.turn.poll():
        return
    row = layout.row(align=True)
    row.label(text="Rotate")
    for to, icon in ROTATIONS:
        button = row.operator("image_to_mesh.turn", text="", icon=icon)
        button.to, button.job = to, job


class IMAGE_TO_MESH_PT_placement(bpy.types.Panel):
    """Placement and cleanup of imported models."""

    bl_idname = "IMAGE_TO_MESH_PT_placement"
    bl_label = "Placement"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB
    bl_order = 10
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_placement(layout, context)
        draw_storage(layout, context)
        draw_rotations(layout)
        header, body = layout.panel("image_to_mesh_mending", default_closed=True)
        header.label(text="Cleanup on Import")
        if body:
            draw_cleanup(body, context, context.scene.image_to_mesh.mending)
        layout.operator("image_to_mesh.keep_defaults", icon="PREFERENCES")


classes = (IMAGE_TO_MESH_PT_placement,)
