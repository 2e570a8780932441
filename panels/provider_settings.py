# SPDX-License-Identifier: GPL-3.0-or-later
"""A row per setting, made of its declaration; what differs from the preset has the way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import bpy

from ..i18n.translate import tr, translate
from ..providers import Setting, settings_of
from ..state.preflight import broken_settings
from ..state.preset_baseline import baseline_of, differing
from ..state.scene_properties import (
    group_of,
    property_name,
    provider_of,
    read_settings,
    switch_name,
)
from .text_layout import draw_text, draw_value, fits_beside

GROUPS = {
    "quality": "Quality",
    "surface": "Surface",
    "mesh": "Mesh",
    "placement": "Placement",
}


class Remarks(NamedTuple):
    """What there is to say of settings, by name.

    Why one has no effect, why one cannot be sent, which differ from where they started.
    """

    unused: dict[str, str]
    broken: dict[str, str]
    differing: frozenset[str]


def draw_basic(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Lay the preset's menu and the few settings that matter."""
    provider = provider_of(context.scene)
    declared = settings_of(provider.settings)
    if not declared:
        return
    remarks = _remarks(context)
    row = layout.row(align=True)
    preset = baseline_of(context.scene, provider).preset
    row.menu("IMAGE_TO_MESH_MT_presets", text=preset or "Presets")
    row.operator("image_to_mesh.preset_add", text="", icon="ADD")
    if preset:
        button = row.operator("image_to_mesh.preset_add", text="", icon="REMOVE")
        button.name = preset
        button.remove_name = True
    if preset or remarks.differing:
        row.operator("image_to_mesh.reset_settings", text="", icon="LOOP_BACK")
    _draw_rows(layout, context, [one for one in declared if one.basic], remarks)
    hidden = {one.name for one in declared if not one.basic}
    if broken := [remarks.broken[name] for name in remarks.broken if name in hidden]:
        draw_text(layout, context, translate(broken[0]), icon="ERROR")


def draw_rest(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Lay the other settings in the groups that an artist thinks in."""
    remarks = _remarks(context)
    rest = [one for one in settings_of(provider_of(context.scene).settings) if not one.basic]
    for group, title in GROUPS.items():
        declared = [one for one in rest if one.group == group]
        if not declared:
            continue
        header, body = layout.panel(f"image_to_mesh_{group}")
        header.label(text=tr(title))
        if body:
            _draw_rows(body, context, declared, remarks)


def has_rest(context: bpy.types.Context) -> bool:
    """Say whether the scene's provider has more settings than the basic ones."""
    return any(not one.basic for one in settings_of(provider_of(context.scene).settings))


def _remarks(context: bpy.types.Context) -> Remarks:
    provider = provider_of(context.scene)
    settings = read_settings(context.scene, provider)
    started = baseline_of(context.scene, provider)
    return Remarks(
        dict(settings.inactive_fields()), broken_settings(settings), differing(settings, started)
    )


def _draw_rows(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    declared: Iterable[Setting],
    remarks: Remarks,
) -> None:
    column, group = layout.column(), group_of(context.scene, provider_of(context.scene))
    for setting in declared:
        beside = fits_beside(context, setting.title if _has_title(setting) else "")
        broken, unused = remarks.broken.get(setting.name), remarks.unused.get(setting.name)
        if setting.optional and not beside:
            column.label(text=tr(setting.title))
        whole = column.row(align=True)
        title = tr(setting.title) if setting.optional and beside else ""
        row = whole.row(align=True, heading=title)
        row.use_property_split = beside
        row.active = not unused
        row.alert = bool(broken)
        _draw_value(row, context, group, setting)
        if setting.name in remarks.differing:
            back = whole.operator(
                "image_to_mesh.reset_settings", text="", icon="LOOP_BACK", emboss=False
            )
            back.setting = setting.name
        if broken or unused:
            below = column.column()
            below.alert = bool(broken)
            draw_text(below, context, translate(broken or unused or ""), active=bool(broken))


def _draw_value(
    row: bpy.types.UILayout, context: bpy.types.Context, group: Any, setting: Setting
) -> None:
    name = property_name(setting.name)
    if not setting.optional:
        draw_value(row, context, group, name, slider=_has_range(setting))
        return
    switch = switch_name(setting.name)
    row.prop(group, switch, text="")
    value = row.row(align=True)
    value.active = row.active and getattr(group, switch)
    if setting.kind == "bool":
        value.prop(group, name, text="On" if getattr(group, name) else "Off", toggle=True)
    else:
        value.prop(group, name, text="", slider=_has_range(setting))


def _has_title(setting: Setting) -> bool:
    """Say whether the title stands apart; a checkbox has it at its side."""
    return setting.optional or setting.kind != "bool"


def _has_range(setting: Setting) -> bool:
    return setting.unit == "factor"
