# SPDX-License-Identifier: GPL-3.0-or-later
"""The row that offers a model for download, with its size, its progress, or why it failed."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr, translate
from ..providers import Provider
from .text_layout import draw_text

WHAT_FOR = "Optional: a model that sees depth in images"


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
    is_online = preferences.may_reach(weights.url)
    draw_text(column, context, WHAT_FOR, active=False)
    if not is_online:
        text = tr("To get the depth model ({} MB), Blender must be online.")
        draw_text(column, context, text.format(weights.megabytes))
    row = column.row(align=True)
    if is_online:
        text = tr("Get Depth Model ({} MB)").format(weights.megabytes)
        row.operator("image_to_mesh.get_depth_model", text=text, icon="IMPORT")
    else:
        row.operator("image_to_mesh.allow_online", icon="INTERNET")
    row.operator("image_to_mesh.depth_model_from_file", text="", icon="FILE_FOLDER")
