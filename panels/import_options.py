# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for imported models: location, size, storage, and cleanup."""

from __future__ import annotations

import bpy

from ..i18n.translate import tr
from ..state.import_options import placement_of
from .text_layout import (
    draw_choices,
    draw_value,
    fit_row,
    fits_checkbox,
    fits_choices,
    fits_header,
    titled_row,
)

CHECKBOXES = ("tidy", "weld", "outward", "metals", "apply_transforms")
"""Options of Cleanup on Import that are on or off; the last one needs the first."""


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
    """Draw the rows for new models' location, size, and storage."""
    _draw_location(layout, context)
    _draw_size(layout, context)
    _draw_storage(layout, context)


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
    """Draw the options of Cleanup on Import, and the button that makes the defaults of both."""
    cleanup = context.scene.image_to_mesh.mending
    titles = [cleanup.bl_rna.properties[name].name for name in CHECKBOXES]
    column = layout.column()
    column.use_property_split = all(fits_checkbox(context, title) for title in titles)
    for name in CHECKBOXES[:-1]:
        column.prop(cleanup, name)
    row = column.row()
    row.active = cleanup.tidy
    row.prop(cleanup, CHECKBOXES[-1])
    column = layout.column()
    for name in ("colors", "normals", "angle", "texture_limit"):
        if name != "angle" or cleanup.normals != "keep":
            draw_value(column, context, cleanup, name)
    # In a narrow sidebar, the text takes the place of the icon.
    icon = "FILE_TICK" if fit_row(context, [tr("Save as Import Defaults")]) else "NONE"
    layout.operator("image_to_mesh.keep_defaults", icon=icon)
