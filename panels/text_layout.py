# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in a narrow region: Blender's labels do not wrap by themselves."""

from __future__ import annotations

import functools
import textwrap
from typing import Any

import blf
import bpy

from ..i18n.translate import tr

CHARACTER_WIDTH = 5.7
"""Mean width in pixels of a character of the interface font at a scale of 1."""
MARGIN = 60.0
"""Pixels of a row that text cannot use: the tabs, the panel's borders, a box's."""
ICON_CHARACTERS = 4
NARROW = 260.0
"""Pixels of width under which a title has no room beside its value."""
BORDERS = 8.0
"""Pixels that Blender leaves free at the sides of a text."""
TITLE_SHARE = 0.4
"""What Blender gives a title beside its value."""
FONT_SIZE = 11.0
USUAL = 280.0
MENUS = frozenset({"ENUM", "POINTER", "STRING"})


def draw_text(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    *,
    icon: str = "NONE",
    active: bool = True,
) -> None:
    """Lay a sentence over as many lines as the region's width asks for."""
    column = layout.column(align=True)
    column.active = active
    column.scale_y = 0.8
    room = _characters(context) - (0 if icon == "NONE" else ICON_CHARACTERS)
    for number, line in enumerate(wrapped(tr(text), room)):
        blank = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=blank if number else icon)


@functools.lru_cache(maxsize=256)
def wrapped(text: str, characters: int) -> tuple[str, ...]:
    """Break a text into lines; a word that is too long is broken as well."""
    return tuple(textwrap.wrap(text, max(characters, 12))) or ("",)


def duration(seconds: float, *, exact: bool = True) -> str:
    """Say a time as people do: 3.2 s (3 s unless exact), 48 s, 2 min 05 s."""
    if exact and seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def is_narrow(context: bpy.types.Context) -> bool:
    """Say whether titles belong into the fields or above them: beside them they would be cut."""
    return _width(context) < NARROW


def has_room(context: bpy.types.Context, text: str, share: float) -> bool:
    """Say whether a text is shown whole in a share of a line."""
    return _drawn_width(text) <= share * (_width(context) - MARGIN) - BORDERS


def fits_beside(context: bpy.types.Context, title: str) -> bool:
    """Say whether a title is shown whole beside its value."""
    return not is_narrow(context) and has_room(context, tr(title), TITLE_SHARE)


def titled_row(
    layout: bpy.types.UILayout, context: bpy.types.Context, title: str
) -> bpy.types.UILayout:
    """Lay a title and return a row for its values: beside it, below where that has no room."""
    if fits_beside(context, title):
        return layout.row(align=True, heading=tr(title))
    layout.label(text=tr(title))
    row = layout.row(align=True)
    row.use_property_split = False
    return row


def draw_value(
    layout: bpy.types.UILayout, context: bpy.types.Context, data: Any, name: str, **shown: Any
) -> None:
    """Lay a property with its title: where that has no room inside the field, a menu's above it."""
    declared = data.bl_rna.properties[name]
    if fits_beside(context, "" if declared.type == "BOOLEAN" else declared.name):
        layout.prop(data, name, **shown)
        return
    column = layout.column(align=True)
    column.use_property_split = False
    if declared.type in MENUS:
        column.label(text=tr(declared.name))
        column = column.row(align=True)
        shown = {"text": "", **shown} if "expand" not in shown else shown
    column.prop(data, name, **shown)


@functools.lru_cache(maxsize=512)
def _drawn_width(text: str) -> float:
    """Return how many pixels a text takes at a scale of 1."""
    blf.size(0, FONT_SIZE)
    return float(blf.dimensions(0, text)[0])


def _characters(context: bpy.types.Context) -> int:
    return int((_width(context) - MARGIN) / CHARACTER_WIDTH)


def _width(context: bpy.types.Context) -> float:
    """Return the region's width at a scale of 1; of a usual one where there is none."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    return float(context.region.width / scale) if context.region else USUAL
