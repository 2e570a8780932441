# SPDX-License-Identifier: GPL-3.0-or-later
"""A row per setting, made of its declaration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import bpy

from ..properties import property_name, switch_name
from ..providers import Setting, Settings, settings_of
from ..readiness import broken_settings
from .text import draw_text


class Remarks(NamedTuple):
    """Sentences about settings, by name: why one has no effect, why one cannot be sent."""

    unused: dict[str, str]
    broken: dict[str, str]


def draw_settings(
    layout: bpy.types.UILayout, context: bpy.types.Context, group: Any, settings: Settings
) -> None:
    """Lay the basic settings open and the others folded away."""
    declared = settings_of(type(settings))
    remarks = Remarks(dict(settings.unused()), broken_settings(settings))
    _draw_rows(layout, context, group, (one for one in declared if one.basic), remarks)
    rest = [one for one in declared if not one.basic]
    if not rest:
        return
    header, body = layout.panel("image_to_mesh_more_settings", default_closed=True)
    header.label(text="More Settings")
    if body:
        _draw_rows(body, context, group, rest, remarks)


def _draw_rows(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    group: Any,
    declared: Iterable[Setting],
    remarks: Remarks,
) -> None:
    column = layout.column()
    for setting in declared:
        broken, unused = remarks.broken.get(setting.name), remarks.unused.get(setting.name)
        row = column.row(align=True, heading=setting.title if setting.optional else "")
        row.active = not unused
        row.alert = bool(broken)
        _draw_value(row, group, setting)
        if broken or unused:
            below = column.column()
            below.alert = bool(broken)
            draw_text(below, context, broken or unused or "", active=bool(broken))


def _draw_value(row: bpy.types.UILayout, group: Any, setting: Setting) -> None:
    name = property_name(setting.name)
    if not setting.optional:
        row.prop(group, name, slider=_has_range(setting))
        return
    switch = switch_name(setting.name)
    row.prop(group, switch, text="")
    value = row.row(align=True)
    value.active = row.active and getattr(group, switch)
    if setting.kind == "bool":
        value.prop(group, name, text="On" if getattr(group, name) else "Off", toggle=True)
    else:
        value.prop(group, name, text="", slider=_has_range(setting))


def _has_range(setting: Setting) -> bool:
    return setting.unit == "factor"
