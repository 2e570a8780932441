# SPDX-License-Identifier: GPL-3.0-or-later
"""The details of a job that failed: what happened, what to do next, and the buttons for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...providers import all_providers
from ..account_text import KEY_ICON, link_text
from ..keys.other_server import ICON, other_server
from ..text_layout import BOX_GAP, draw_text, fit_side_by_side
from .recovered import draw_ways, resume_text

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
        box.separator(factor=BOX_GAP)
        draw_ways(box, view.record)
    box.separator(factor=BOX_GAP)
    _draw_buttons(box, context, list(_buttons(context, view, failure)))


class _Button(NamedTuple):
    """An operator's button with its translated text, and the operator's properties."""

    operator: str
    text: str
    icon: str
    values: dict[str, str]


def _buttons(
    context: bpy.types.Context, view: jobs.JobView, failure: jobs.Failure
) -> Iterator[_Button]:
    job = {"job": view.job}
    if other := other_server(context, failure, view.provider):
        server = {"provider": other.provider, "address": other.address}
        yield _Button("image_to_mesh.use_server", other.text, ICON, server)
    if view.record and not view.record.state.over:
        yield _Button("image_to_mesh.resume", resume_text(view.record), "PLAY", job)
    if view.record and view.record.mesh:
        yield _Button("image_to_mesh.import_result", tr("Import"), "IMPORT", job)
    if failure.kind in ABOUT_KEYS:
        owner = {"provider": view.provider}
        yield _Button("image_to_mesh.open_preferences", tr("Change Key"), KEY_ICON, owner)
    if failure.link:
        yield _Button("wm.url_open", link_text(failure.kind), "URL", {"url": failure.link})
    if view.record and view.record.pictures and view.record.provider in all_providers():
        yield _Button("image_to_mesh.reuse", tr("Use Settings"), "NONE", job)
    yield _Button("image_to_mesh.copy_error", tr("Copy Error"), "COPYDOWN", job)


def _draw_buttons(
    box: bpy.types.UILayout, context: bpy.types.Context, buttons: Sequence[_Button]
) -> None:
    """Draw the buttons in a row, or below each other if their texts would be cut off."""
    fit = fit_side_by_side(context, [button.text for button in buttons])
    row = box.row(align=True) if fit else box.column(align=True)
    for button in buttons:
        drawn = row.operator(button.operator, text=button.text, icon=button.icon, translate=False)
        for name, value in button.values.items():
            setattr(drawn, name, value)
