# SPDX-License-Identifier: GPL-3.0-or-later
"""The Mesh Tools panel: versions of the active mesh, tools, their progress, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...jobs.custom_properties import JOB
from ...jobs.mesh_versions import stored_label, versions_of
from ...state.active_result import result_root
from ...state.import_options import edit_options_of
from ...state.visibility import TAB, note_drawn
from ..text_layout import TITLE_SHARE, draw_text, draw_value, fit_side_by_side, fits_beside
from .report import draw_report, fixable_text

ROTATIONS = (
    ("LEFT", "+90°", "NONE"),
    ("RIGHT", "−90°", "NONE"),
    ("BACK", "180°", "NONE"),
    ("RESET", "", "LOOP_BACK"),
)
"""Rotations with the texts and icons of their buttons; Blender has no icons for a quarter turn."""


def draw_mesh_edits(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the versions of the active object's mesh, the tools, and their progress.

    A generated model can also be rotated. The latest report is below *Check Mesh*, if it still
    applies to the mesh.
    """
    obj = _measured_object(context)
    if obj is None:
        draw_text(layout, context, "This model has no mesh", icon="INFO")
        return
    key = jobs.object_key(obj.session_uid)
    view = jobs.mesh_edits().view(key)
    _draw_version(layout, obj)
    if result_root(context.view_layer.objects.active):
        _draw_rotations(layout, context)
    # One tool at a time per object: each one starts from the mesh as it is.
    is_free = view is None or view.over
    check = layout.column()
    check.enabled = is_free
    check.operator("image_to_mesh.health_card", text="Check Mesh", icon="VIEWZOOM")
    card = jobs.mesh_edits().card(key, str(obj.data.session_uid))
    fixable = ""
    if card is not None and _is_current(card, obj, context):
        draw_report(layout, context, card)
        fixable = fixable_text(context, card)
    tools = layout.column()
    tools.enabled = is_free
    tools.separator()
    if fixable:
        draw_text(tools, context, fixable)
    _draw_tools(tools, context)
    # Below the tools, so that nothing moves under the pointer.
    if view is not None:
        _draw_outcome(layout, context, view)


def _is_current(card: Mapping[str, Any], obj: bpy.types.Object, context: bpy.types.Context) -> bool:
    """Return whether a report still applies, as the mesh may have been edited by hand since.

    A report on a model with several objects always does.
    """
    is_whole_model = obj != context.view_layer.objects.active
    return is_whole_model or card.get("points") == len(obj.data.vertices)


def _draw_version(layout: bpy.types.UILayout, obj: bpy.types.Object) -> None:
    label = translate(stored_label(obj, obj.data))
    layout.menu("IMAGE_TO_MESH_MT_versions", text=label, icon="MESH_DATA")


def _draw_tools(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the tools that change the mesh, each group with its settings."""
    chosen = edit_options_of(context.scene)
    layout.operator("image_to_mesh.clean_mesh", icon="BRUSH_DATA")
    header, body = layout.panel("image_to_mesh_clean", default_closed=True)
    header.label(text="Clean Mesh Settings")
    if body:
        for name in ("shells", "debris", "fill"):
            draw_value(body, context, chosen, name)
    layout.separator()
    draw_value(layout, context, chosen, "faces")
    is_wide = fit_side_by_side(context, [tr(name) for name in ("Reduce Faces", "Quad Remesh")])
    row = layout.row(align=True) if is_wide else layout.column(align=True)
    row.operator("image_to_mesh.decimate", icon="MOD_DECIM")
    row.operator("image_to_mesh.quad_remesh", icon="MOD_REMESH")
    layout.separator()
    draw_value(layout, context, chosen, "levels")
    layout.operator("image_to_mesh.detail_levels", icon="MOD_MULTIRES")
    layout.separator()
    header, body = layout.panel("image_to_mesh_print", default_closed=True)
    header.label(text="3D Print")
    if body:
        draw_value(body, context, chosen, "print_height")
        draw_value(body, context, chosen, "wall")
        body.operator("image_to_mesh.print_check", icon="CHECKMARK")


def _draw_rotations(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the four buttons that rotate the active model."""
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


def _draw_outcome(
    layout: bpy.types.UILayout, context: bpy.types.Context, view: jobs.EditView
) -> None:
    """Draw the progress of a tool, its result and notes, or why it failed."""
    if not view.over:
        row = layout.row(align=True)
        row.progress(factor=view.fraction or 0.0, text=translate(view.phase))
        row.operator("image_to_mesh.stop_care", text="", icon="X").job = view.order.key
    elif view.failure is not None:
        failure = view.failure
        draw_text(layout, context, translate(failure.message, failure.hint), icon="ERROR")
    elif view.summary:
        draw_text(layout, context, translate(view.summary), icon="CHECKMARK")
        for note in view.notes:
            draw_text(layout, context, translate(note), active=False)


def _measured_object(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the active mesh object, or the first mesh object below the active object, or None."""
    active = context.view_layer.objects.active
    if active is None or active.type == "MESH":
        return active
    return next((child for child in active.children_recursive if child.type == "MESH"), None)


class IMAGE_TO_MESH_MT_versions(bpy.types.Menu):
    """The versions of the active object's mesh."""

    bl_idname = "IMAGE_TO_MESH_MT_versions"
    bl_label = "Versions"
    bl_description = "Versions of this mesh; choose which one the object shows"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        obj = _measured_object(context)
        if obj is None:
            return
        stored = versions_of(obj)
        for key, mesh in stored:
            label = translate(stored_label(obj, mesh))
            icon = "RADIOBUT_ON" if mesh == obj.data else "RADIOBUT_OFF"
            layout.operator("image_to_mesh.bring_version", text=label, icon=icon).stored = key
        if not stored:
            layout.label(text="Mesh tools keep earlier versions here", icon="INFO")
        layout.separator()
        if JOB in obj:
            layout.operator("image_to_mesh.library_versions", icon="FILE_FOLDER")
            layout.operator("image_to_mesh.bring_back")
        layout.operator("image_to_mesh.forget_versions", icon="TRASH")


class IMAGE_TO_MESH_PT_care(bpy.types.Panel):
    """Tools for the active object's mesh."""

    bl_idname = "IMAGE_TO_MESH_PT_care"
    bl_label = "Mesh Tools"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB
    bl_order = 20
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        active = context.view_layer.objects.active
        return active is not None and (active.type == "MESH" or JOB in active)

    def draw(self, context: bpy.types.Context) -> None:
        note_drawn()
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        draw_mesh_edits(self.layout, context)


classes = (IMAGE_TO_MESH_MT_versions, IMAGE_TO_MESH_PT_care)
