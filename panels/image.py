# SPDX-License-Identifier: GPL-3.0-or-later
"""The top of the sidebar: the image with its preview, or the invitation to choose one.

The preview shrinks to make room for texts that come and go, such as warnings, so that nothing below
them moves away from under the pointer.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..providers import Provider
from ..state.preflight import image_problem
from ..state.previews import sent_image
from .generate import Action, draw_warnings
from .image_checks import DOWNLOADING, checks_height, draw_checks, is_downloading
from .text_layout import draw_gap, draw_text

PREVIEW = 7.0
"""Height of the preview in units of a row, without any sentence below it."""
BORDER = 0.5
"""Height of the border that Blender draws around the preview."""
LEAST_PREVIEW = 2.4 + BORDER
"""Minimum height of the preview, with room for an image of 48 pixels."""


def draw_picture(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    chosen: Any,
    provider: Provider[Any],
    action: Action,
) -> None:
    """Draw the image's preview with warnings, its field and buttons, and what is sent.

    Warnings arrive a moment after the image was chosen. They are below the preview, which gives
    them its room, so that no row moves.
    """
    column = layout.column(align=True)
    taken = action.height(context) + checks_height(context, chosen.image, provider)
    _draw_preview(column, chosen.image, PREVIEW - taken)
    draw_warnings(column, context, action)
    row = column.row(align=True)
    # Not template_ID: its other buttons would leave no room for the name.
    row.prop(chosen, "image", text="")
    row.operator("image_to_mesh.open_image", text="", icon="FILE_FOLDER")
    row.operator("image_to_mesh.paste", text="", icon="PASTEDOWN")
    row.menu("IMAGE_TO_MESH_MT_pictures", text="", icon="DOWNARROW_HLT")
    draw_checks(layout, context, chosen.image, provider)


def draw_invitation(layout: bpy.types.UILayout, context: bpy.types.Context, chosen: Any) -> None:
    """Draw the ways to choose a first image, below a note while an image is being downloaded."""
    if is_downloading():
        draw_text(layout, context, DOWNLOADING, icon="TIME")
    column = layout.column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.5
    row.operator("image_to_mesh.open_image", text="Open Image...", icon="FILE_FOLDER")
    row = column.row(align=True)
    row.operator("image_to_mesh.paste", text="Paste", icon="PASTEDOWN")
    row.menu("IMAGE_TO_MESH_MT_pictures", text="", icon="DOWNARROW_HLT")
    layout.operator("image_to_mesh.use_sample", icon="IMAGE_DATA")
    if len(bpy.data.images):
        layout.prop(chosen, "image", text="")


def _draw_preview(layout: bpy.types.UILayout, image: bpy.types.Image, units: float) -> None:
    """Draw the preview; for an image that cannot be read, a gap if only that has room."""
    if image_problem(image) and units < LEAST_PREVIEW:
        if units > 0:
            draw_gap(layout, units)
        return
    icon = sent_image.icon_of(image)
    layout.box().template_icon(icon_value=icon, scale=max(units, LEAST_PREVIEW) - BORDER)
