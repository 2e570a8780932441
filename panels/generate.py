# SPDX-License-Identifier: GPL-3.0-or-later
"""The Generate or Update button, with its price, and warnings above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import bpy

from ..i18n.translate import tr, translate
from ..state.active_result import active_result
from ..state.preflight import why_not
from ..state.scene_properties import choices_of, provider_of
from . import image_checks, views
from .account_text import Price, price_of, with_price
from .provider_state import account_failure
from .text_layout import GAP, draw_text, fit_side_by_side, text_height

LARGE = 1.5
"""Height of the main button, in units of a row."""


class Notice(NamedTuple):
    """A sentence above Generate, with its icon."""

    text: str
    icon: str = "NONE"


class Action(NamedTuple):
    """The price, the sentences above Generate, and the state of its buttons.

    `can_run` says whether the buttons are enabled, `can_update` whether Update is one of them.
    """

    price: Price
    notices: tuple[Notice, ...]
    can_run: bool
    can_update: bool = False

    def height(self, context: bpy.types.Context) -> float:
        """Return the height of what is above the button, each with a gap, in units of a row."""
        heights = (text_height(context, notice.text, notice.icon) for notice in self.notices)
        return views.foreign_height(context) + sum(GAP + height for height in heights)


def plan_action(context: bpy.types.Context) -> Action:
    """Return what Generate shows, so that the preview above it can leave room for its sentences."""
    reason, price = why_not(context), price_of(context)
    notices = tuple(_notices(context, reason, price))
    return Action(price, notices, not reason, active_result(context) is not None)


def draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, action: Action) -> None:
    """Draw the action's notices, the question about views of another image, and *Generate*.

    If the active object was made from the chosen image by the chosen provider, draw two buttons
    instead: *Update* puts the mesh into that object, and *Generate New* adds another one.
    """
    for notice in action.notices:
        draw_text(layout, context, notice.text, icon=notice.icon)
    views.draw_foreign(layout, context)
    if action.can_update:
        _draw_update(layout, context, action)
        return
    row = layout.row()
    row.scale_y = LARGE
    row.enabled = action.can_run
    text = with_price("Generate", action.price)
    _draw_button(row, context, "generate", text, "MESH_DATA")


def _draw_update(layout: bpy.types.UILayout, context: bpy.types.Context, action: Action) -> None:
    """Draw Update in the place of Generate, and Generate New beside it.

    Generate New is never below: at the end of a job, Update takes the place of the button under the
    pointer.
    """
    update, new = _labels(action.price)
    is_wide = fit_side_by_side(context, (update, new))
    row = layout.row(align=True)
    row.enabled = action.can_run
    row.scale_y = LARGE
    _draw_button(row, context, "update", update, "FILE_REFRESH")
    _draw_button(row, context, "generate", new if is_wide else "", "ADD")


def _draw_button(
    row: bpy.types.UILayout, context: bpy.types.Context, name: str, text: str, icon: str
) -> None:
    """Draw an operator's button, and tell the operator which editor the button is in.

    The operator cannot tell where it was clicked: Blender runs operators of panels in the region of
    the editor's content, not in the sidebar's.
    """
    button = row.operator(f"image_to_mesh.{name}", text=text, icon=icon)
    area = getattr(context, "area", None)  # tests draw without an area
    button.place = "image_editor" if area and area.type == "IMAGE_EDITOR" else "sidebar"


def _labels(price: Price) -> tuple[str, str]:
    return with_price(tr("Update"), price), with_price(tr("Generate New"), price)


def _notices(context: bpy.types.Context, reason: str, price: Price) -> Iterator[Notice]:
    for text in image_checks.problems(choices_of(context.scene).image):
        yield Notice(text, "ERROR")
    if failure := account_failure(context, provider_of(context.scene)):
        yield Notice(failure)
    elif price.problem:
        yield Notice(tr("Price unknown: {reason}").format(reason=translate(price.problem)))
    if reason:
        yield Notice(reason, "INFO")
