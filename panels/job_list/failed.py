# SPDX-License-Identifier: GPL-3.0-or-later
"""The details of a job that failed: what happened, what to do next, and the buttons for that."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import translate
from ..account_text import link_text
from ..text_layout import draw_text, is_narrow
from .recovered import draw_ways

ABOUT_KEYS = frozenset({"missing_key", "bad_key"})


def draw_failure(box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView) -> None:
    """Draw the failure's sentences, wrapped, and its buttons below."""
    failure = view.failure
    if failure is None:
        return
    draw_text(box, context, translate(failure.message))
    if failure.hint:
        draw_text(box, context, translate(failure.hint))
    if view.record and view.state == "uncertain":
        draw_text(box, context, translate(jobs.describe_uncertain(view.record)[0]))
        draw_ways(box, view.record)
    # Side by side, their words would be cut off in a narrow sidebar.
    row = box.column(align=True) if is_narrow(context) else box.row(align=True)
    _draw_buttons(row, view, failure)


def _draw_buttons(row: bpy.types.UILayout, view: jobs.JobView, failure: jobs.Failure) -> None:
    if view.record and not view.record.state.over:
        row.operator("image_to_mesh.resume", icon="PLAY").job = view.job
    if view.record and view.record.mesh:
        row.operator("image_to_mesh.import_result", text="Import", icon="IMPORT").job = view.job
    if failure.kind in ABOUT_KEYS:
        row.operator("image_to_mesh.open_preferences", text="Keys", icon="PREFERENCES")
    if failure.link:
        row.operator("wm.url_open", text=link_text(failure.kind), icon="URL").url = failure.link
    row.operator("image_to_mesh.copy_error", text="Copy", icon="COPYDOWN").job = view.job
