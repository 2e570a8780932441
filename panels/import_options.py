# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for imported models: location, size, storage, rotation, and cleanup."""

from __future__ import annotations

import bpy

from ..i18n.translate import tr
from ..state.import_options import placement_of
from .text_layout import (
    TITLE_SHARE,
    draw_choices,
    draw_value,
    fits_beside,
    fits_checkbox,
    fits_choices,
    fits_header,
    titled_row,
)

CHECKBOXES = ("tidy", "weld", "outward", "metals", "apply_transforms")
"""Options of Cleanup on Import that are on or off; the last one needs the first."""

ROTATIONS = (
    ("LEFT", "+90°", "NONE"),
    ("RIGHT", "−90°", "NONE"),
    ("BACK", "180°", "NONE"),
    ("RESET", "", "LOOP_BACK"),
)
"""Rotations with the texts and icons of their buttons; Blender has no icons for a quarter turn."""


def draw_location(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the location of new models in a subpanel's header, if it fits beside the title."""
    chosen = placement_of(context.scene)
    items = chosen.bl_rna.properties["position"].enum_items
    name = tr(items[chosen.current_position()].name)
    if fits_header(context, "Placement", name):
        row = layout.row()
        row.active = False
        row.label(text=name, translate=False)


def draw_placement(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the rows for new models' location, size, and storage, for rotation, and for defaults."""
    _draw_location(layout, context)
    _draw_size(layout, context)
    _draw_storage(layout, context)
    _draw_rotations(layout, context)
    layout.operator("image_to_mesh.keep_defaults", icon="FILE_TICK")


def _draw_location(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    chosen = placement_of(context.scene)
    column = layout.column()
    draw_value(column, context, chosen, "position")
    if chosen.position == "reference":
        draw_value(column, context, chosen, "reference")
        row = column.row()
        row.alert = chosen.reference is None
        if chosen.reference is None:
            row.label(text="Choose an image or object", icon="INFO")
    row = titled_row(column, context, "Arrange in Row")
    row.prop(chosen, "use_row", text="")
    value = row.row(align=True)
    value.active = chosen.use_row
    value.prop(chosen, "spacing", text="")


def _draw_size(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the size of new models, and a note if they are placed at the image's own reference."""
    chosen = placement_of(context.scene)
    own = chosen.own_reference()
    matched = own or (chosen.position == "reference" and chosen.reference)
    row = titled_row(layout.column(), context, "Size")
    row.active = not matched
    row.prop(chosen, "use_size", text="")
    value = row.row(align=True)
    value.active = chosen.use_size and not matched
    value.prop(chosen, "size", text="")
    value.prop(chosen, "measure", text="")
    if own:
        row = layout.row(align=True)
        text = tr("Placed at “{}”").format(own.name)
        row.label(text=text, icon="IMAGE_REFERENCE", translate=False)
        row.operator("image_to_mesh.leave_reference", text="", icon="X")


def _draw_storage(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    chosen = placement_of(context.scene)
    column, declared = layout.column(), chosen.bl_rna.properties
    # Both alike, or their buttons would not be aligned.
    beside = all(fits_choices(context, declared[name]) for name in ("storage", "images"))
    draw_choices(column, context, chosen, "storage", beside=beside)
    below = column.column()
    below.active = chosen.storage == "appended"
    draw_choices(below, context, chosen, "images", beside=beside)


def draw_cleanup(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the options of Cleanup on Import."""
    cleanup = context.scene.image_to_mesh.mending
    titles = [cleanup.bl_rna.properties[name].name for name in CHECKBOXES]
    beside = fits_beside(context, "Clean Up") and all(
        fits_checkbox(context, title) for title in titles
    )
    column = layout.column(heading="Clean Up" if beside else "")
    column.use_property_split = beside
    for name in CHECKBOXES[:-1]:
        column.prop(cleanup, name)
    row = column.row()
    row.active = cleanup.tidy
    row.prop(cleanup, CHECKBOXES[-1])
    column = layout.column()
    for name in ("colors", "normals", "angle", "texture_limit"):
        if name != "angle" or cleanup.normals != "keep":
            draw_value(column, context, cleanup, name)


def _draw_rotations(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the four buttons that rotate a result, if the scene has one."""
    # Hidden rather than grayed out: without a result, the row would only take space.
    if not bpy.ops.image_to_mesh.turn.poll():
        return
    is_wide = fits_beside(context, "Rotate")
    # Blender gives titles of their own column to properties only.
    row = layout.split(factor=TITLE_SHARE) if is_wide else layout.row(align=True)
    title = row.row()
    title.alignment = "RIGHT" if is_wide else "LEFT"
    title.label(text="Rotate")
    buttons = row.row(align=True)
    for to, text, icon in ROTATIONS:
        button = buttons.operator("image_to_mesh.turn", text=text, icon=icon, translate=False)
        button.to = to
