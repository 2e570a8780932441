# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in narrow regions. Blender's labels do not wrap, so this file measures and breaks it."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import blf
import bpy

from ..i18n.translate import tr

MARGIN = 60.0
"""Pixels of a row that text cannot use: the tabs, and the borders of panel and box."""
ICON = 24.0
"""Width of an icon and its gap, in pixels at a UI scale of 1."""
UNIT = 20.0
"""Height of a row, in pixels at a UI scale of 1."""
LINE = 0.8
"""Height of a line of a sentence, in units of a row."""
GAP = 0.25
"""Height between two elements of a panel, in units of a row."""
BOX_GAP = 0.6
"""Height between the sentences of a job's box and its buttons, for `UILayout.separator`."""
HEADER_MARGIN = 104.0
"""Pixels of a subpanel's header that text cannot use: the tabs, the triangle, a gap, and the grip.
"""
NARROW = 260.0
"""Region width in pixels below which a title does not fit beside its value."""
LEAST_ROOM = 60.0
"""Minimum width of a line, in pixels at a UI scale of 1: single letters are hard to read."""
BREAKS = re.compile(
    r"(?<=\s)(?=\S)(?!(?<=\d\s)(?:[kMG]?B|s|min|[cm]?m)\b)|(?<=[^\W\d]-)(?=[^\W\d])"
)
"""Where a text may break: after spaces, except between a number and its unit, and after the hyphens
of words."""
LONGEST = 3000
"""Characters of a text that are drawn."""
BORDERS = 8.0
"""Pixels that Blender keeps free at both sides of a text."""
TITLE_SHARE = 0.4
"""Share of a row that Blender gives to a title with `use_property_split`."""
ROW_MARGIN = 54.0
"""Pixels of a region's width beside a row: the tabs, and the borders of the panel."""
TITLE_MARGIN = 4.0
"""Pixels that Blender keeps free beside the title of a row."""
CHECKBOX = 24.0
"""Width of a checkbox and its gap, in pixels at a UI scale of 1."""
BUTTON = 21.0
"""Pixels of a button that its text cannot use: its icon, and its borders."""
# Blender's default size of interface text, in points.
FONT_SIZE = 11.0
# Width of a sidebar that nobody has resized; scripts draw without a region.
USUAL = 280.0
NUMBER = 36.0
"""Width of the number in a field with its title, in pixels at a UI scale of 1."""
# Blender cuts off the title of these fields; the others draw it inside.
MENUS = frozenset({"ENUM", "POINTER", "STRING"})


def draw_text(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    text: str,
    *,
    icon: str = "NONE",
    active: bool = True,
) -> None:
    """Draw a sentence, translated and wrapped to the region's width."""
    column = layout.column(align=True)
    column.active = active
    column.scale_y = LINE
    for number, line in enumerate(_lines(context, text, icon)):
        # An empty icon indents the other lines as far as the first one.
        blank = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=blank if number else icon, translate=False)


def draw_fact(row: bpy.types.UILayout, text: str, icon: str = "NONE") -> None:
    """Draw a translated text in full at the right of a row, where a long name would cut it off."""
    fact = row.row()
    fact.alignment = "RIGHT"
    fact.ui_units_x = (_drawn_width(text) + BORDERS + (0.0 if icon == "NONE" else ICON)) / UNIT
    fact.label(text=text, icon=icon, translate=False)


def text_height(context: bpy.types.Context, text: str, icon: str = "NONE") -> float:
    """Return the height of what `draw_text` draws, in units of a row."""
    return LINE * len(_lines(context, text, icon))


def _lines(context: bpy.types.Context, text: str, icon: str) -> tuple[str, ...]:
    room = _width(context) - MARGIN - BORDERS - (0.0 if icon == "NONE" else ICON)
    shown = tr(text)
    # Texts of servers and of strangers' files are drawn as well.
    return wrap_text(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…", room)


# Cached: panels draw the same sentences many times a second while a job runs.
@functools.lru_cache(maxsize=256)
def wrap_text(text: str, room: float) -> tuple[str, ...]:
    """Break a text into lines, within a word only if the word is longer than a line.

    `room` is the width of a line, in pixels at a UI scale of 1. Blender cuts off wider lines.
    """
    lines = [""]
    for piece in BREAKS.split(text.strip()):
        if _drawn_width(f"{lines[-1]}{piece}".rstrip()) <= room:
            lines[-1] += piece
        else:
            lines += _cut_word(piece, max(room, LEAST_ROOM))
    return tuple(line.rstrip() for line in lines if line) or ("",)


def _cut_word(word: str, room: float) -> Iterator[str]:
    """Yield the pieces of a word, each as long as fits into a line, but at least one letter."""
    while len(word) > 1 and _drawn_width(word) > room:
        # No more letters than pixels, and a few measurements for each line: words may be very long.
        sizes = range(2, min(len(word), int(room) + 2))
        size = 1 + bisect_right(sizes, room, key=lambda size: _drawn_width(word[:size]))
        yield word[:size]
        word = word[size:]
    yield word


def duration(seconds: float, *, exact: bool = True) -> str:
    """Format seconds: 3.2 s (3 s unless `exact`), 48 s, 2 min 05 s."""
    if exact and seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """Format seconds as short as possible: 0:03, 2:05, 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def is_narrow(context: bpy.types.Context) -> bool:
    """Return whether the region is too narrow for any title beside its field."""
    return _width(context) < NARROW


def fits_line(context: bpy.types.Context, text: str, taken: float = 0.0) -> bool:
    """Return whether a text fits into one line of a box, beside icons of `taken` pixels in all."""
    return _drawn_width(text) <= _width(context) - MARGIN - BORDERS - taken


def fit_side_by_side(context: bpy.types.Context, texts: Sequence[str]) -> bool:
    """Return whether buttons with icons and these translated texts fit into one row."""
    room = (_width(context) - MARGIN) / max(1, len(texts)) - ICON - BORDERS
    return all(_drawn_width(text) <= room for text in texts)


def first_share(
    context: bpy.types.Context, first: str, second: str, share: float = 1.0, *, taken: float = 0.0
) -> float:
    """Return the fraction of a row for the first of two buttons; 0 if both do not fit.

    `share` is the part of the region's width that the row may take, and `taken` is the width of
    icons that the second button shares its place with, in pixels.
    """
    needed = [_drawn_width(text) + BORDERS for text in (first, second)]
    needed[1] += taken
    room = share * (_width(context) - MARGIN)
    return needed[0] / sum(needed) if sum(needed) <= room else 0.0


def fits_beside(context: bpy.types.Context, title: str, taken: float = 0.0) -> bool:
    """Return whether a title fits beside its value; `taken` is the width of an icon in pixels."""
    width = _width(context)
    room = TITLE_SHARE * (width - ROW_MARGIN - taken) - TITLE_MARGIN
    return width >= NARROW and _drawn_width(tr(title)) <= room


def fits_checkbox(context: bpy.types.Context, title: str, taken: float = 0.0) -> bool:
    """Return whether a checkbox has room for its title in the column of the values."""
    width = _width(context)
    room = (1.0 - TITLE_SHARE) * (width - ROW_MARGIN - taken) - CHECKBOX
    return width >= NARROW and _drawn_width(tr(title)) <= room


def fit_row(
    context: bpy.types.Context,
    texts: Sequence[str],
    *,
    share: float = 1.0,
    taken: float = 0.0,
    icons: bool = True,
) -> bool:
    """Return whether buttons with these translated texts just fit into a panel's row.

    `share` is the part of the row that the buttons have, less `taken` pixels. `icons` is whether
    each button has an icon.
    """
    room = (share * (_width(context) - ROW_MARGIN) - taken) / max(1, len(texts))
    room -= BUTTON if icons else BORDERS
    return all(_drawn_width(text) <= room for text in texts)


def fits_header(context: bpy.types.Context, title: str, text: str) -> bool:
    """Return whether a text fits into a subpanel's header, beside the subpanel's title."""
    return _drawn_width(tr(title)) + _drawn_width(text) <= _width(context) - HEADER_MARGIN


def titled_row(
    layout: bpy.types.UILayout, context: bpy.types.Context, title: str
) -> bpy.types.UILayout:
    """Draw a title and return the row for its values: beside it if that fits, else below."""
    if fits_beside(context, title):
        return layout.row(align=True, heading=tr(title), translate=False)
    layout.label(text=tr(title), translate=False)
    row = layout.row(align=True)
    row.use_property_split = False
    return row


def draw_value(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    data: Any,
    name: str,
    *,
    beside: bool | None = None,
    **shown: Any,
) -> None:
    """Draw a property with its title: beside the field if that fits, else in or above the field.

    `beside` is whether it fits, if the caller knows: in a row with buttons, there is less room.
    `shown` are arguments of `UILayout.prop`; a `text` replaces the property's own title.
    """
    declared = data.bl_rna.properties[name]
    title = str(shown.get("text", declared.name))
    if beside is None:
        fits = fits_checkbox if declared.type == "BOOLEAN" else fits_beside
        beside = fits(context, title)
    if beside:
        layout.prop(data, name, **shown)
        return
    column = layout.column(align=True)
    column.use_property_split = False
    is_inside = declared.type not in MENUS and (
        declared.type == "BOOLEAN" or fits_line(context, tr(title), ICON + NUMBER)
    )
    if not is_inside:
        column.label(text=tr(title), translate=False)
        column = column.row(align=True)
        shown = {**shown, "text": ""}
    column.prop(data, name, **shown)


def fits_choices(context: bpy.types.Context, declared: bpy.types.EnumProperty) -> bool:
    """Return whether the items of an enum fit as buttons beside the property's title."""
    names = [tr(item.name) for item in declared.enum_items]
    share = 1.0 - TITLE_SHARE
    return fits_beside(context, declared.name) and fit_row(context, names, share=share)


def draw_choices(
    layout: bpy.types.UILayout, context: bpy.types.Context, data: Any, name: str, *, beside: bool
) -> None:
    """Draw the items of an enum as buttons, with the property's title beside or above them.

    Below the title, the buttons are below each other if their names would be cut off.
    """
    if beside:
        layout.row(align=True).prop(data, name, expand=True)
        return
    declared = data.bl_rna.properties[name]
    layout.label(text=tr(declared.name), translate=False)
    fits = fit_row(context, [tr(item.name) for item in declared.enum_items])
    buttons = layout.row(align=True) if fits else layout.column(align=True)
    buttons.use_property_split = False
    buttons.prop(data, name, expand=True)


# Cached: measuring with blf is the most expensive part of a draw.
@functools.lru_cache(maxsize=512)
def _drawn_width(text: str) -> float:
    """Return the width of a text in pixels at a UI scale of 1."""
    blf.size(0, FONT_SIZE)
    return float(blf.dimensions(0, text)[0])


def _width(context: bpy.types.Context) -> float:
    """Return the width of the region in pixels at a UI scale of 1; USUAL without a region."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    return float(context.region.width / scale) if context.region else USUAL
