# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in a narrow region: Blender's labels do not wrap by themselves."""

from __future__ import annotations

import textwrap

import bpy

from ..words import tr

CHARACTER_WIDTH = 5.7
"""Mean width in pixels of a character of the interface font at a scale of 1."""
MARGIN = 60.0
"""Pixels of a row that text cannot use: the tabs, the panel's borders, a box's."""
ICON_CHARACTERS = 4


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


def wrapped(text: str, characters: int) -> list[str]:
    """Break a text into lines; a word that is too long is broken as well."""
    return textwrap.wrap(text, max(characters, 12)) or [""]


def duration(seconds: float, *, exact: bool = True) -> str:
    """Say a time as people do: 3.2 s (3 s unless exact), 48 s, 2 min 05 s."""
    if exact and seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _characters(context: bpy.types.Context) -> int:
    region = context.region
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    width = region.width / scale if region else 250.0
    return int((width - MARGIN) / CHARACTER_WIDTH)
