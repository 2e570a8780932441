# SPDX-License-Identifier: GPL-3.0-or-later
"""The Generate button, with its price and the sentences about what to expect or to change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import bpy

from ..i18n.translate import tr, translate
from ..state.preflight import why_not
from ..state.scene_properties import choices_of, provider_of
from . import image_checks
from .account_text import Price, price_of, with_price
from .provider_state import account_failure
from .text_layout import draw_text, text_height


class Notice(NamedTuple):
    """A sentence above Generate, with its icon."""

    text: str
    icon: str = "NONE"


class Action(NamedTuple):
    """The price and the sentences of Generate, known before anything is drawn."""

    price: Price
    notices: tuple[Notice, ...]
    can_run: bool

    def height(self, context: bpy.types.Context) -> float:
        """Return how much room the sentences take, in units of a row."""
        return sum(text_height(context, notice.text, notice.icon) for notice in self.notices)


def plan_action(context: bpy.types.Context) -> Action:
    """Return what Generate shows, so that the preview above it can leave room for that."""
    reason, price = why_not(context), price_of(context)
    return Action(price, tuple(_notices(context, reason, price)), not reason)


def draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, action: Action) -> None:
    """Draw the sentences, and Generate below them."""
    for notice in action.notices:
        draw_text(layout, context, notice.text, icon=notice.icon)
    row = layout.row()
    row.scale_y = 1.5
    row.enabled = action.can_run
    text = with_price("Generate", action.price)
    row.operator("image_to_mesh.generate", text=text, icon="MESH_DATA")


def _notices(context: bpy.types.Context, reason: str, price: Price) -> Iterator[Notice]:
    for text in image_checks.problems(choices_of(context.scene).image):
        yield Notice(text, "ERROR")
    if failure := account_failure(context, provider_of(context.scene)):
        yield Notice(failure)
    elif price.problem:
        yield Notice(tr("Price unknown: {reason}").format(reason=translate(price.problem)))
    if reason:
        yield Notice(reason, "INFO")
