# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh report: figures in two columns, defects in red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy

from ...i18n.translate import tr
from ...state.import_options import edit_options_of
from ..text_layout import draw_fact, fits_line

TITLE = 0.55
"""Share of a row's width for the title of a figure with a long value."""
AXES = ("X", "Y", "Z")
COUNTS = (
    ("triangles", "Triangles"),
    ("parts", "Parts"),
    ("uv_islands", "UV Islands"),
)
FAULTS = (
    ("holes", "Holes"),
    ("non_manifold_edges", "Non-Manifold"),
    ("inner_shells", "Inner Shells"),
    ("flipped_faces", "Flipped Faces"),
)
CLEANED = frozenset({"holes", "inner_shells", "flipped_faces"})
"""Faults that *Clean* fixes; holes with many edges stay, as its settings say."""


def draw_report(
    layout: bpy.types.UILayout, context: bpy.types.Context, card: Mapping[str, Any]
) -> None:
    """Draw the figures of a mesh report."""
    box = layout.box().column(align=True)
    for name, title in COUNTS:
        _draw_figure(box, context, title, f"{card.get(name, 0):,}")
    for name, title in FAULTS:
        if card.get(name):
            _draw_figure(box, context, title, f"{card[name]:,}", alert=True)
    watertight = card.get("watertight")
    _draw_figure(box, context, "Watertight", _yes(watertight), alert=not watertight)
    units = context.scene.unit_settings
    # As Blender draws dimensions: a row for each axis.
    for axis, side in zip(AXES, card.get("size", ()), strict=False):
        _draw_figure(box, context, f"{tr('Size')} {axis}", _length(units, side))
    for texture in card.get("textures", ()):
        _draw_figure(box, context, "Texture", texture["name"])
        _draw_figure(box, context, "", f"{texture['width']} × {texture['height']}")
    if check := card.get("print"):
        _draw_print_check(box, context, check)


def fixable_text(context: bpy.types.Context, card: Mapping[str, Any]) -> str:
    """Return a sentence with the faults that *Clean Mesh* fixes; "" without one."""
    titles = [tr(title) for title in _fixable(card, edit_options_of(context.scene))]
    return tr("Clean Mesh can fix: {}").format(", ".join(titles)) if titles else ""


def _fixable(card: Mapping[str, Any], options: Any) -> Iterator[str]:
    """Yield the titles of the faults that *Clean* fixes with these settings."""
    skipped = {"holes": not options.fill, "inner_shells": not options.shells}
    for name, title in FAULTS:
        if name in CLEANED and card.get(name) and not skipped.get(name):
            yield title


def _draw_print_check(
    layout: bpy.types.UILayout, context: bpy.types.Context, check: Mapping[str, Any]
) -> None:
    layout.separator()
    printable = check["printable"]
    _draw_figure(layout, context, "Printable", _yes(printable), alert=not printable)
    thin = check["thinnest"] < check["wall"]
    _draw_figure(layout, context, "Thinnest Wall", f"{check['thinnest']:.2f} mm", alert=thin)
    sides = " × ".join(f"{side:.1f}" for side in check["size"])
    _draw_figure(layout, context, "Print Size", f"{sides} mm")


def _draw_figure(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    title: str,
    value: str,
    *,
    alert: bool = False,
) -> None:
    """Draw a title and its value at the right; each has a column of its own if both do not fit."""
    # Already translated; and a texture's name, which also stands here, must not be.
    shown = tr(title) if title else ""
    fits = fits_line(context, f"{shown} {value}")
    row = layout.row() if fits else layout.split(factor=TITLE)
    row.alert = alert
    row.label(text=shown, translate=False)
    if fits:
        draw_fact(row, value)
        return
    right = row.row()
    right.alignment = "RIGHT"
    right.label(text=value, translate=False)


def _yes(it_is: object) -> str:
    return tr("Yes" if it_is else "No")


def _length(units: bpy.types.UnitSettings, length: float) -> str:
    """Format a length in Blender units in the scene's unit system."""
    if units.system == "NONE":
        return f"{length:.3g}"
    meters = length * units.scale_length
    return bpy.utils.units.to_string(units.system, "LENGTH", meters, precision=3)
