# SPDX-License-Identifier: GPL-3.0-or-later
"""The Mesh Cleanup panel: the mesh report, the edits, and their progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..jobs.custom_properties import JOB, VERSION
from ..jobs.library.file_names import ORIGINAL
from ..state.import_options import edit_options_of
from ..state.visibility import TAB, note_drawn
from .text_layout import draw_text, draw_value, has_room, is_narrow

TITLE = 0.55
"""Share of a row's width for the title of a figure."""

COUNTS = (
    ("triangles", "Triangles"),
    ("parts", "Parts"),
    ("uv_islands", "UV Islands"),
)
FAULTS = (
    ("holes", "Holes"),
    ("non_manifold_edges", "Non-Manifold Edges"),
    ("inner_shells", "Inner Shells"),
    ("flipped_faces", "Flipped Faces"),
)


def draw_mesh_edits(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the report and the edits of the active object's mesh, if a job made it."""
    job, version = _active_version(context)
    if not job:
        return
    view = jobs.mesh_edits().view(job)
    if view is not None and not view.over:
        _draw_work(layout, view)
    elif view is not None and view.failure is not None:
        draw_text(layout, context, translate(view.failure.message, view.failure.hint))
    card = jobs.mesh_edits().card(job, version)
    if card is not None:
        draw_card(layout, context, card)
    column = layout.column()
    # One edit at a time per job: each one starts from a version on disk.
    column.enabled = view is None or view.over
    _draw_buttons(column, context)


def draw_card(
    layout: bpy.types.UILayout, context: bpy.types.Context, card: Mapping[str, Any]
) -> None:
    """Draw the figures of a mesh report, defects in red."""
    box = layout.box().column(align=True)
    for name, title in COUNTS:
        _draw_figure(box, context, title, f"{card.get(name, 0):,}")
    size = card.get("size", (0.0, 0.0, 0.0))
    _draw_figure(box, context, "Size", " × ".join(f"{side:.3g}" for side in size) + " m")
    for texture in card.get("textures", ()):
        _draw_figure(box, context, texture["name"], f"{texture['width']} × {texture['height']}")
    for name, title in FAULTS:
        if card.get(name):
            _draw_figure(box, context, title, f"{card[name]:,}", alert=True)
    _draw_figure(box, context, "Watertight", _yes(card.get("watertight")))
    check = card.get("print")
    if check:
        size = " × ".join(f"{side:.1f}" for side in check["size"])
        _draw_figure(box, context, "Print Size", f"{size} mm")
        thin = check["thinnest"] < check["wall"]
        _draw_figure(box, context, "Thinnest Wall", f"{check['thinnest']:.2f} mm", alert=thin)
        _draw_figure(
            box, context, "Printable", _yes(check["printable"]), alert=not check["printable"]
        )


def _yes(it_is: object) -> str:
    return tr("Yes" if it_is else "No")


def _draw_figure(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    title: str,
    value: str,
    *,
    alert: bool = False,
) -> None:
    """Draw a figure beside its title, or below it if the row is too narrow."""
    fits = has_room(context, value, 1.0 - TITLE)
    row = layout.split(factor=TITLE) if fits else layout.column(align=True)
    row.alert = alert
    # Already translated; and a texture's name, which also stands here, must not be.
    row.label(text=tr(title), translate=False)
    value_row = row.row()
    value_row.alignment = "LEFT" if fits else "RIGHT"
    value_row.label(text=value, translate=False)


def _draw_work(layout: bpy.types.UILayout, view: jobs.EditView) -> None:
    row = layout.row(align=True)
    row.progress(factor=view.fraction or 0.0, text=translate(view.phase))
    row.operator("image_to_mesh.stop_care", text="", icon="X").job = view.order.job


def _draw_buttons(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    chosen = edit_options_of(context.scene)
    layout.operator("image_to_mesh.health_card", icon="VIEWZOOM")
    layout.operator("image_to_mesh.clean_mesh", icon="BRUSH_DATA")
    header, body = layout.panel("image_to_mesh_clean", default_closed=True)
    header.label(text="Clean Mesh Settings")
    if body:
        for name in ("shells", "debris", "fill"):
            draw_value(body, context, chosen, name)
    draw_value(layout, context, chosen, "faces")
    row = layout.column(align=True) if is_narrow(context) else layout.row(align=True)
    row.operator("image_to_mesh.decimate", icon="MOD_DECIM")
    row.operator("image_to_mesh.quad_remesh", icon="MOD_REMESH")
    row = layout.row(align=True)
    draw_value(row, context, chosen, "levels")
    row.operator("image_to_mesh.detail_levels", text="Create", icon="MOD_MULTIRES")
    draw_value(layout, context, chosen, "print_height")
    draw_value(layout, context, chosen, "wall")
    layout.operator("image_to_mesh.print_check", icon="CHECKMARK")


def _active_version(context: bpy.types.Context) -> tuple[str, str]:
    """Return the job and version of the active object, or empty texts if no job made it."""
    obj = context.view_layer.objects.active
    while obj is not None and JOB not in obj:
        obj = obj.parent
    if obj is None:
        return "", ""
    return str(obj[JOB]), str(obj.get(VERSION, ORIGINAL))


class IMAGE_TO_MESH_PT_care(bpy.types.Panel):
    """Edits of the active object's generated mesh."""

    bl_idname = "IMAGE_TO_MESH_PT_care"
    bl_label = "Mesh Cleanup"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB
    bl_order = 20
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(_active_version(context)[0])

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        draw_mesh_edits(self.layout, context)


classes = (IMAGE_TO_MESH_PT_care,)
