# SPDX-License-Identifier: GPL-3.0-or-later
"""The details of a job that failed: what happened, what to do next, and the buttons for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ..account_text import link_text
from ..text_layout import draw_text, fit_side_by_side
from .recovered import draw_ways

ABOUT_KEYS = frozenset({"missing_key", "bad_key"})


def draw_failure(box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView) -> None:
    """Draw the failure's sentences, the ways to resolve an uncertain job, and the buttons."""
    failure = view.failure
    if failure is None:
        return
    draw_text(box, context, translate(failure.message))
    if failure.hint:
        draw_text(box, context, translate(failure.hint))
    if view.record and view.state == "uncertain":
        draw_text(box, context, translate(jobs.describe_uncertain(view.record)[0]))
        draw_ways(box, view.record)
    _draw_buttons(box, context, list(_buttons(view, failure)))


class _Button(NamedTuple):
    """An operator's button with its translated text, and the operator's one property."""

    operator: str
    text: str
    icon: str
    name: str
    value: str


def _buttons(view: jobs.JobView, failure: jobs.Failure) -> Iterator[_Button]:
    if view.record and not view.record.state.over:
        yield _Button("image_to_mesh.resume", tr("Resume"), "PLAY", "job", view.job)
    if view.record and view.record.mesh:
        yield _Button("image_to_mesh.import_result", tr("Import"), "IMPORT", "job", view.job)
    if failure.kind in ABOUT_KEYS:
        yield _Button(
            "image_to_mesh.open_preferences", tr("Keys"), "PREFERENCES", "provider", view.provider
        )
    if failure.link:
        yield _Button("wm.url_open", link_text(failure.kind), "URL", "url", failure.link)
    yield _Button("image_to_mesh.copy_error", tr("Copy"), "COPYDOWN", "job", view.job)


def _draw_buttons(
    box: bpy.types.UILayout, context: bpy.types.Context, buttons: Sequence[_Button]
) -> None:
    """Draw the buttons in a row, or below each other if their texts would be cut off."""
    fit = fit_side_by_side(context, [button.text for button in buttons])
    row = box.row(align=True) if fit else box.column(align=True)
    for button in buttons:
        drawn = row.operator(button.operator, text=button.text, icon=button.icon, translate=False)
        setattr(drawn, button.name, button.value)
