# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier sessions left: one quiet line for each kind, with what can be done about it."""

from __future__ import annotations

import bpy

from ..jobs import Record, known_of, session
from ..providers import all_providers
from .text import draw_text


def draw_arrivals(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Lay a line for the meshes that came in, and for the jobs that wait for a person."""
    left = session().returning.left
    if left.arrived:
        row = layout.row(align=True)
        row.label(text=_count(len(left.arrived), "result came in", "results came in"))
        row.operator("image_to_mesh.import_arrivals", icon="IMPORT")
        row.operator("image_to_mesh.dismiss_arrivals", text="", icon="X", emboss=False)
    for record in left.unsent:
        _draw_resume(layout, record, "not sent yet", "Send")
    for record in left.waiting:
        _draw_resume(layout, record, "not finished", "Resume")
    if left.theirs:
        row = layout.row()
        row.active = False
        said = _count(len(left.theirs), "job runs", "jobs run")
        row.label(text=f"{said} in another Blender")
    for record in left.uncertain:
        box = layout.box()
        box.label(text=record.name, icon="QUESTION")
        for sentence in known_of(record):
            draw_text(box, context, sentence, active=False)
        draw_ways(box, record)


def draw_ways(layout: bpy.types.UILayout, record: Record) -> None:
    """Lay the ways to settle an order whose answer never came."""
    provider = all_providers().get(record.provider)
    column = layout.column(align=True)
    if provider and provider.key_url:
        url = column.operator("wm.url_open", text=f"Look at {provider.label}", icon="URL")
        url.url = provider.key_url
    if provider and provider.looked_up:
        _draw_way(column, record, "ATTACH", f"Attach {provider.looked_up}…")
    _draw_way(column, record, "SUBMIT_AGAIN", "It Did Not Arrive: Submit Again…")
    _draw_way(column, record, "FORGET", "Forget")


def _draw_way(column: bpy.types.UILayout, record: Record, how: str, text: str) -> None:
    button = column.operator("image_to_mesh.settle", text=text)
    button.job = record.id
    button.how = how


def _draw_resume(layout: bpy.types.UILayout, record: Record, why: str, text: str) -> None:
    row = layout.row(align=True)
    row.label(text=f"{record.name}: {why}")
    row.operator("image_to_mesh.resume", text=text).job = record.id


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
