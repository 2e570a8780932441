# SPDX-License-Identifier: GPL-3.0-or-later
"""The selected result: its name, its facts, and its buttons."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...preferences import library
from ...state.results.listing import Damaged, selected_result
from ...state.results.setting_texts import changed_text
from ...state.results.shelf import shelf_of
from ...state.results.texts import (
    provider_label,
    version_texts,
    when_text,
    why_no_import,
)
from ..account_text import cost_text
from ..text_layout import draw_text, is_narrow


def draw_details(
    layout: bpy.types.UILayout, context: bpy.types.Context, item: jobs.Entry | Damaged
) -> None:
    """Draw the details of a result, or that its record is damaged, and the buttons for it."""
    box = layout.box()
    if isinstance(item, Damaged):
        draw_text(box, context, item.sentence, icon="ERROR")
        draw_text(box, context, "Restore its job.json from a backup, or delete the job")
        _draw_folder(box, item.job)
        _draw_delete(box, context, item.job)
        return
    row = box.row(align=True)
    row.prop(shelf_of(context), "title", text="")
    star = "SOLO_ON" if item.starred else "SOLO_OFF"
    row.operator("image_to_mesh.star_result", text="", icon=star).job = item.job
    facts = box.column(align=True)
    draw_text(facts, context, f"{when_text(item.created)}, {provider_label(item)}")
    if item.faces or item.credits:
        draw_text(facts, context, _facts_text(item))
    if changed := changed_text(item):
        draw_text(facts, context, changed, active=False)
    _draw_buttons(box, context, item)


def _facts_text(entry: jobs.Entry) -> str:
    """Return a result's faces and cost: “40,012 faces, 30 Credits”."""
    facts = [tr("{} faces").format(f"{entry.faces:,}")] if entry.faces else []
    if entry.credits:
        facts.append(cost_text(entry.provider, entry.credits))
    return ", ".join(facts)


def _draw_buttons(box: bpy.types.UILayout, context: bpy.types.Context, entry: jobs.Entry) -> None:
    trusted = jobs.library_index(library(context)).trusted
    reason = why_no_import(entry, trusted=trusted)
    if reason:
        draw_text(box, context, reason, icon="ERROR")
    if reason and not entry.missing:
        box.operator("image_to_mesh.trust_library", text="Trust...", icon="COMMUNITY").trust = True
    column = box.column(align=True)
    column.enabled = not reason
    row = column.row(align=True)
    row.operator("image_to_mesh.import_result", text="Import", icon="IMPORT").job = entry.job
    # Once per draw and not per row: a poll goes through the operator system.
    if bpy.ops.image_to_mesh.replace.poll():
        row.operator("image_to_mesh.replace", text="Replace").job = entry.job
    if entry.versions:
        count = len(entry.versions.splitlines()) + 1
        text = tr("Versions ({})").format(count)
        column.menu("IMAGE_TO_MESH_MT_result_versions", text=text)
    # The settings of a result whose mesh is lost are still there.
    column = box.column(align=True)
    row = column.column(align=True) if is_narrow(context) else column.row(align=True)
    settings = row.row(align=True)
    settings.enabled = entry.own or trusted
    settings.operator("image_to_mesh.reuse", text="Use Settings").job = entry.job
    _draw_folder(row, entry.job)
    _draw_delete(box, context, entry.job)


def _draw_folder(layout: bpy.types.UILayout, job: str) -> None:
    layout.operator("image_to_mesh.show_folder", text="Show in Folder").job = job


def _draw_delete(layout: bpy.types.UILayout, context: bpy.types.Context, job: str) -> None:
    if job in jobs.library_index(library(context)).not_deleted:
        # Asks first: there is no trash to bring it back from.
        button = layout.operator("image_to_mesh.delete", text="Delete Permanently...", icon="TRASH")
        button.job = job
    else:
        layout.operator("image_to_mesh.delete_result", icon="TRASH").job = job


class IMAGE_TO_MESH_MT_result_versions(bpy.types.Menu):
    """The versions of the selected result, which can each be imported"""

    bl_idname = "IMAGE_TO_MESH_MT_result_versions"
    bl_label = "Versions"

    def draw(self, context: bpy.types.Context) -> None:
        entry = selected_result(context)
        if not isinstance(entry, jobs.Entry):
            return
        for file, text in version_texts(entry):
            button = self.layout.operator("image_to_mesh.import_result", text=text, translate=False)
            button.job, button.version = entry.job, file


classes = (IMAGE_TO_MESH_MT_result_versions,)
