# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier sessions: one line for each kind, with the buttons that resolve it."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...providers import all_providers
from ..text_layout import BOX_GAP, draw_text, fit_side_by_side


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
        _draw_resume(layout, context, record, "{}: not submitted to {}")
    for record in recovered.waiting:
        _draw_resume(layout, context, record, "{}: not finished by {}")
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
            tr("{} job by another user. Trust this library to resume it."),
            tr("{} jobs by other users. Trust this library to resume them."),
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
    layout: bpy.types.UILayout, context: bpy.types.Context, record: jobs.Record, why: str
) -> None:
    """Draw a sentence, and the buttons that continue the job or discard it.

    The sentence is wrapped: it is about money, and must not be cut off.
    """
    provider = all_providers().get(record.provider)
    name = tr(provider.label) if provider else record.provider
    box = layout.box()
    draw_text(box, context, tr(why).format(record.name, name))
    box.separator(factor=BOX_GAP)
    texts = (resume_text(record), tr("Discard..."))
    is_wide = fit_side_by_side(context, texts)
    row = box.row(align=True) if is_wide else box.column(align=True)
    for operator, text, icon in zip(("resume", "discard"), texts, ("PLAY", "X"), strict=True):
        button = row.operator(f"image_to_mesh.{operator}", text=text, icon=icon, translate=False)
        button.job = record.id


def resume_text(record: jobs.Record) -> str:
    """Return the translated text of the button that resumes a job; “...” means that it asks."""
    return tr("Submit...") if jobs.is_unsent(record) else tr("Resume")
