# SPDX-License-Identifier: GPL-3.0-or-later
"""The Generate or Update button, with its price, and warnings above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import bpy

from ..i18n.translate import tr, translate
from ..state.active_result import active_result
from ..state.preflight import image_problem, why_not
from ..state.scene_properties import choices_of, provider_of
from . import image_checks, views
from .account_text import Price, price_of, with_price
from .provider_state import account_failure, is_refused
from .text_layout import GAP, UNIT, draw_text, fit_row, fit_side_by_side, text_height

LARGE = 1.5
"""Height of the main button, in units of a row."""


class Notice(NamedTuple):
    """A sentence above Generate, with its icon."""

    text: str
    icon: str = "NONE"


class Action(NamedTuple):
    """The texts of Generate's buttons, the sentences above them, and the buttons' state.

    `warnings` about the image are below its preview, and `notices` are right above the buttons. Of
    both, those that disable the buttons have the icon ERROR, and others INFO or none. `buttons`
    holds one text for Generate, or two for Update and Generate New; an empty text stands for an
    icon. `can_run` says whether the buttons are enabled. `is_stacked` says whether Generate New has
    a row of its own below Update; that row is left empty below Generate.
    """

    buttons: tuple[str, ...]
    warnings: tuple[Notice, ...]
    notices: tuple[Notice, ...]
    can_run: bool
    is_stacked: bool

    def height(self, context: bpy.types.Context) -> float:
        """Return the height of what comes and goes above the button, in units of a row.

        Warnings follow the preview without gaps; each notice has one.
        """
        heights = [
            text_height(context, notice.text, notice.icon)
            for notice in (*self.warnings, *self.notices)
        ]
        return views.foreign_height(context) + sum(heights) + GAP * len(self.notices)


def plan_action(context: bpy.types.Context) -> Action:
    """Return what Generate shows, so that the preview above it can leave room for its sentences.

    A price for which the button has no room is a sentence above it: it must not be cut off.
    """
    image = choices_of(context.scene).image
    unusable, reason, price = image_problem(image), why_not(context), price_of(context)
    names = ("Update", "Generate New") if active_result(context) else ("Generate",)
    buttons = _labels(context, names, price)
    notices = [*_notices(context, "" if unusable else reason, price)]
    if price.text and buttons is None:
        notices.insert(0, Notice(price.text))
        buttons = _labels(context, names, Price())
    warnings = [Notice(text, "INFO") for text in image_checks.problems(image)]
    if unusable:
        warnings.insert(0, Notice(unusable, "ERROR"))
    if buttons is None:
        buttons = (tr(names[0]), *[tr(name) if _is_paid(context) else "" for name in names[1:]])
    return Action(buttons, tuple(warnings), tuple(notices), not reason, _is_paid(context))


def draw_warnings(layout: bpy.types.UILayout, context: bpy.types.Context, action: Action) -> None:
    """Draw the action's warnings about the image."""
    for warning in action.warnings:
        draw_text(layout, context, warning.text, icon=warning.icon)


def draw_generate(layout: bpy.types.UILayout, context: bpy.types.Context, action: Action) -> None:
    """Draw the action's notices, the question about views of another image, and *Generate*.

    If the active object was made from the chosen image by the chosen provider, draw two buttons
    instead: *Update* puts the mesh into that object, and *Generate New* adds another one.
    """
    for notice in action.notices:
        draw_text(layout, context, notice.text, icon=notice.icon)
    views.draw_foreign(layout, context)
    column = layout.column(align=True)
    column.enabled = action.can_run
    row = column.row(align=True)
    row.scale_y = LARGE
    if len(action.buttons) == 1:
        icon = "MESH_DATA" if fit_row(context, action.buttons) else "NONE"
        _draw_button(row, context, "generate", action.buttons[0], icon)
        if action.is_stacked:  # at the end of a job, Generate New comes here, and moves nothing
            column.label(text="")
        return
    # First: at the end of a job, Update takes the place of the button under the pointer.
    _draw_button(row, context, "update", action.buttons[0], "FILE_REFRESH")
    below = column if action.is_stacked else row
    _draw_button(below, context, "generate", action.buttons[1], "ADD")


def _draw_button(
    row: bpy.types.UILayout, context: bpy.types.Context, name: str, text: str, icon: str
) -> None:
    """Draw an operator's button, and tell the operator which editor the button is in.

    The operator cannot tell where it was clicked: Blender runs operators of panels in the region of
    the editor's content, not in the sidebar's.
    """
    button = row.operator(f"image_to_mesh.{name}", text=text, icon=icon, translate=False)
    area = getattr(context, "area", None)  # tests draw without an area
    button.place = "image_editor" if area and area.type == "IMAGE_EDITOR" else "sidebar"


def _labels(
    context: bpy.types.Context, names: tuple[str, ...], price: Price
) -> tuple[str, ...] | None:
    """Return the translated texts of buttons with their price; None if there is no room for it.

    Generate New stands below Update if it may cost money. Otherwise, it becomes an icon if both do
    not fit beside each other. Generate alone may take the place of its icon.
    """
    texts = tuple(with_price(name, price) for name in names)
    others = len(texts) - 1
    if others and _is_paid(context):
        return texts if all(fit_row(context, [text]) for text in texts) else None
    if others and fit_side_by_side(context, texts):
        return texts
    if fit_row(context, texts[:1], taken=UNIT * others, icons=bool(others)):
        return (texts[0], *[""] * (len(texts) - 1))
    return None


def _is_paid(context: bpy.types.Context) -> bool:
    """Return whether an order may cost money, so that its button needs words."""
    return provider_of(context.scene).is_remote


def _notices(context: bpy.types.Context, reason: str, price: Price) -> Iterator[Notice]:
    provider = provider_of(context.scene)
    if failure := account_failure(context, provider):
        yield Notice(failure, "ERROR" if is_refused(context, provider) else "INFO")
    elif price.problem:
        sentence = tr("Price unknown: {reason}").format(reason=translate(price.problem))
        yield Notice(sentence, "INFO")
    if reason:
        yield Notice(reason, "ERROR")
