# SPDX-License-Identifier: GPL-3.0-or-later
"""One row per provider setting, drawn from its declaration, with a button to reset changes."""

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
    """Notes about settings, by name: why one is unused, why one is invalid, which were changed."""

    unused: dict[str, str]
    broken: dict[str, str]
    differing: frozenset[str]


def draw_basic(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the preset menu and the basic settings."""
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
    _draw_rows(layout, context, [setting for setting in declared if setting.basic], remarks)
    hidden = {setting.name for setting in declared if not setting.basic}
    # Settings in closed subpanels would otherwise gray out Generate without a visible reason.
    if broken := [remarks.broken[name] for name in remarks.broken if name in hidden]:
        draw_text(layout, context, translate(broken[0]), icon="ERROR")


def draw_rest(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the other settings, grouped into subpanels."""
    remarks = _remarks(context)
    rest = _rest(context)
    for group, title in GROUPS.items():
        declared = [setting for setting in rest if setting.group == group]
        if not declared:
            continue
        header, body = layout.panel(f"image_to_mesh_{group}")
        header.label(text=tr(title))
        if body:
            _draw_rows(body, context, declared, remarks)


def has_rest(context: bpy.types.Context) -> bool:
    """Return whether the scene's provider has settings beyond the basic ones."""
    return any(_rest(context))


def _rest(context: bpy.types.Context) -> list[Setting]:
    """Return the settings beyond the basic ones; quiet ones only if they have another value."""
    provider = provider_of(context.scene)
    settings = read_settings(context.scene, provider)
    return [
        setting
        for setting in settings_of(provider.settings)
        if not setting.basic
        and not (setting.quiet and getattr(settings, setting.name) == setting.default)
    ]


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
    # A button: a second checkbox beside the switch's would be confusing.
    if setting.kind == "bool":
        value.prop(group, name, text="On" if getattr(group, name) else "Off", toggle=True)
    else:
        value.prop(group, name, text="", slider=_has_range(setting))


def _has_title(setting: Setting) -> bool:
    """Return whether the title needs its own column; a checkbox carries its title."""
    return setting.optional or setting.kind != "bool"


def _has_range(setting: Setting) -> bool:
    return setting.unit == "factor"
