# SPDX-License-Identifier: GPL-3.0-or-later
"""The row that offers a model for download, with its size, its progress, or why it failed."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr, translate
from ..providers import Provider
from .account_text import ONLINE_ICON
from .text_layout import ICON, UNIT, draw_text, first_share


def draw_models(
    layout: bpy.types.UILayout, context: bpy.types.Context, provider: Provider[Any]
) -> None:
    """Draw an offer or the download's progress for each provider model that is not installed."""
    for name in provider.models:
        weights = jobs.find_weights(name)
        state = jobs.weights_downloads().state(weights)
        if state.is_running:
            _draw_progress(layout, state)
        elif state.is_there is False:
            _draw_offer(layout, context, weights, state)


def _draw_progress(layout: bpy.types.UILayout, state: jobs.WeightsState) -> None:
    row = layout.row(align=True)
    if state.fraction is None:
        text = tr("Downloading in another Blender instance")
    else:
        text = tr("Downloading depth model {}").format(f"{state.fraction:.0%}")
    row.progress(factor=state.fraction or 0.0, text=text)
    row.operator("image_to_mesh.cancel_depth_model", text="", icon="X")


def _draw_offer(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    weights: jobs.Weights,
    state: jobs.WeightsState,
) -> None:
    column = layout.column()
    if state.failure:
        draw_text(
            column, context, translate(state.failure.message, state.failure.hint), icon="ERROR"
        )
    if preferences.may_reach(weights.url):
        operator, text, icon = "get_depth_model", tr("Download"), "IMPORT"
    else:
        operator, text, icon = "allow_online", tr("Allow Online Access"), ONLINE_ICON
    row = _titled_row(column, context, weights, text)
    row.operator(f"image_to_mesh.{operator}", text=text, icon=icon, translate=False)
    row.operator("image_to_mesh.depth_model_from_file", text="", icon="FILE_FOLDER")


def _titled_row(
    column: bpy.types.UILayout, context: bpy.types.Context, weights: jobs.Weights, text: str
) -> bpy.types.UILayout:
    """Draw the model's size, and return the row for its buttons: beside it if they fit."""
    title = tr("Depth Model ({} MB)").format(weights.megabytes)
    share = first_share(context, title, text, taken=ICON + UNIT)
    whole = column.split(factor=share, align=True) if share else column
    whole.label(text=title, translate=False)
    return whole.row(align=True)
