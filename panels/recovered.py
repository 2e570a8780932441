# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier sessions left: one quiet line for each kind, with what can be done about it."""

from __future__ import annotations

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..providers import all_providers
from .text_layout import draw_text


def draw_arrivals(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Lay a line for the meshes that came in, and for the jobs that wait for a person."""
    left = jobs.session().recovery.left
    if left.arrived:
        row = layout.row(align=True)
        count = len(left.arrived)
        one, many = tr("{} new result"), tr("{} new results")
        row.label(text=(one if count == 1 else many).format(count))
        row.operator("image_to_mesh.import_arrivals", icon="IMPORT")
        row.operator("image_to_mesh.dismiss_arrivals", text="", icon="X", emboss=False)
    for record in left.unsent:
        _draw_resume(layout, record, tr("{}: not sent yet"), tr("Send"))
    for record in left.waiting:
        _draw_resume(layout, record, tr("{}: not finished"), tr("Resume"))
    if left.theirs:
        row = layout.row()
        row.active = False
        count = len(left.theirs)
        one, many = tr("{} job runs in another Blender"), tr("{} jobs run in another Blender")
        row.label(text=(one if count == 1 else many).format(count))
    if left.strange:
        row = layout.row(align=True)
        count = len(left.strange)
        one, many = tr("{} job was written by others"), tr("{} jobs were written by others")
        row.label(text=(one if count == 1 else many).format(count), icon="QUESTION")
        row.operator("image_to_mesh.trust_library", text=tr("Trust...")).trust = True
    for record in left.uncertain:
        box = layout.box()
        box.label(text=record.name, icon="QUESTION")
        for sentence in jobs.describe_uncertain(record):
            draw_text(box, context, translate(sentence))
        draw_ways(box, record)


def draw_ways(layout: bpy.types.UILayout, record: jobs.Record) -> None:
    """Lay the ways to settle an order whose answer never came."""
    provider = all_providers().get(record.provider)
    column = layout.column(align=True)
    if provider and provider.key_url:
        url = column.operator("wm.url_open", text=tr("Open {}").format(provider.label), icon="URL")
        url.url = provider.key_url
    if provider and provider.lookup_name:
        _draw_way(column, record, "ATTACH", tr("Attach {}...").format(provider.lookup_name))
    _draw_way(column, record, "SUBMIT_AGAIN", tr("Not Received: Submit Again..."))
    _draw_way(column, record, "FORGET", tr("Discard"))


def _draw_way(column: bpy.types.UILayout, record: jobs.Record, how: str, text: str) -> None:
    button = column.operator("image_to_mesh.settle", text=text)
    button.job = record.id
    button.how = how


def _draw_resume(layout: bpy.types.UILayout, record: jobs.Record, why: str, text: str) -> None:
    row = layout.row(align=True)
    row.label(text=why.format(record.name))
    row.operator("image_to_mesh.resume", text=text).job = record.id
