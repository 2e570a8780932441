# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier sessions: one line for each kind, with the buttons that resolve it."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...providers import all_providers
from ..text_layout import draw_text


def has_arrivals() -> bool:
    """Return whether `draw_arrivals` has anything to draw."""
    found = jobs.session().recovery.found
    waits = found.unsent or found.waiting or found.uncertain
    return bool(waits or found.arrived or found.theirs or found.untrusted)


def draw_arrivals(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw meshes that arrived while Blender was closed, and other unfinished jobs.

    The unfinished jobs wait for the user, run in another Blender instance, or are untrusted.
    """
    recovered = jobs.session().recovery.found
    if recovered.arrived:
        box = layout.box()
        count = len(recovered.arrived)
        singular, plural = tr("{} new result"), tr("{} new results")
        row = box.row()
        row.label(text=(singular if count == 1 else plural).format(count), icon="CHECKMARK")
        row.operator("image_to_mesh.dismiss_arrivals", text="", icon="X", emboss=False)
        box.operator("image_to_mesh.import_arrivals", icon="IMPORT")
    for record in recovered.unsent:
        _draw_resume(layout, context, record, tr("{}: not submitted"), tr("Submit"))
    for record in recovered.waiting:
        _draw_resume(layout, context, record, tr("{}: not finished"), tr("Resume"))
    # Information only: the other instance will finish these jobs.
    if recovered.theirs:
        count = len(recovered.theirs)
        singular, plural = (
            tr("{} job running in another Blender instance"),
            tr("{} jobs running in another Blender instance"),
        )
        draw_text(layout, context, (singular if count == 1 else plural).format(count), active=False)
    if recovered.untrusted:
        box = layout.box()
        count = len(recovered.untrusted)
        singular, plural = (
            tr("{} job of another user: trust the library to resume it"),
            tr("{} jobs of other users: trust the library to resume them"),
        )
        draw_text(box, context, (singular if count == 1 else plural).format(count), icon="QUESTION")
        box.operator("image_to_mesh.trust_library", text=tr("Trust...")).trust = True
    for record in recovered.uncertain:
        box = layout.box()
        box.label(text=record.name, icon="QUESTION")
        for sentence in jobs.describe_uncertain(record):
            draw_text(box, context, translate(sentence))
        draw_ways(box, record)


def draw_ways(layout: bpy.types.UILayout, record: jobs.Record) -> None:
    """Draw the buttons that resolve an uncertain order."""
    provider = all_providers().get(record.provider)
    column = layout.column(align=True)
    if provider and provider.key_url:
        url = column.operator("wm.url_open", text=tr("Open {}").format(provider.label), icon="URL")
        url.url = provider.key_url
    if provider and provider.lookup_name:
        _draw_way(column, record, "ATTACH", tr("Attach {}...").format(tr(provider.lookup_name)))
    _draw_way(column, record, "SUBMIT_AGAIN", tr("Submit Again..."))
    _draw_way(column, record, "FORGET", tr("Discard..."))


def _draw_way(column: bpy.types.UILayout, record: jobs.Record, how: str, text: str) -> None:
    button = column.operator("image_to_mesh.settle", text=text)
    button.job = record.id
    button.how = how


def _draw_resume(
    layout: bpy.types.UILayout, context: bpy.types.Context, record: jobs.Record, why: str, text: str
) -> None:
    """Draw a sentence and its button.

    The sentence is wrapped: it is about money, and must not be cut off.
    """
    box = layout.box()
    draw_text(box, context, why.format(record.name))
    box.operator("image_to_mesh.resume", text=text, icon="PLAY").job = record.id
