# SPDX-License-Identifier: GPL-3.0-or-later
"""One row per provider setting, drawn from its declaration, with a button to reset changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import bpy

from ..i18n.translate import tr, translate
from ..providers import Setting, Settings, settings_of
from ..state.preflight import broken_settings
from ..state.preset_baseline import baseline_of, differing
from ..state.scene_properties import (
    choices_of,
    group_of,
    property_name,
    provider_of,
    read_settings,
)
from ..state.server.fields import Field, server_fields
from ..state.updates import live_preview
from . import depth_model
from .server_settings import draw_server, draw_server_test
from .text_layout import ICON, draw_text, draw_value, fits_beside, fits_checkbox, fits_header

GROUPS = {
    "quality": "Quality",
    "surface": "Surface",
    "mesh": "Mesh",
    "server": "Server",
    "placement": "Transform",  # “Placement” is the subpanel below, which holds for all providers
}


class Remarks(NamedTuple):
    """Notes about settings, by name: why they are unused or invalid, and which were changed."""

    unused: dict[str, str]
    broken: dict[str, str]
    differing: frozenset[str]


def draw_presets(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the menu of presets, with the chosen preset's name if that fits into the header."""
    # Translated, as Blender does in the menu.
    preset = tr(baseline_of(context.scene, provider_of(context.scene)).preset)
    # The icon and the arrow of the menu take as much room as four characters.
    text = preset if fits_header(context, "Settings", f"{preset}mmmm") else ""
    layout.menu("IMAGE_TO_MESH_MT_presets", text=text, icon="PRESET", translate=False)


def draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the basic settings, live preview, and models to download, then the other settings."""
    provider = provider_of(context.scene)
    settings = read_settings(context.scene, provider)
    remarks, shown = _remarks(context, settings), _shown_settings(settings)
    _draw_rows(layout, context, [setting for setting in shown if setting.basic], remarks)
    _draw_live_preview(layout, context)
    depth_model.draw_models(layout, context, provider)
    if provider.has_server_settings:
        draw_server(layout, context, provider)
    if provider.has_server_check:
        draw_server_test(layout, context, provider)
    for group, title in GROUPS.items():
        declared = [setting for setting in shown if setting.group == group and not setting.basic]
        if not declared:
            continue
        header, body = layout.panel(f"image_to_mesh_{group}", default_closed=True)
        # Already translated: Blender knows other words for some, such as “Masche” for Mesh.
        header.label(text=tr(title), translate=False)
        if body:
            _draw_rows(body, context, declared, remarks)
        else:
            _draw_remark(header, context, title, [setting.name for setting in declared], remarks)


def has_settings(context: bpy.types.Context) -> bool:
    """Return whether the scene's provider has settings, or its server may have some."""
    provider = provider_of(context.scene)
    return bool(settings_of(provider.settings)) or provider.has_server_settings


def _shown_settings(settings: Settings) -> list[Setting]:
    """Return the settings to show: all but quiet ones that have their default value."""
    return [
        setting
        for setting in settings_of(type(settings))
        if not (setting.quiet and getattr(settings, setting.name) == setting.default)
    ]


def _remarks(context: bpy.types.Context, settings: Settings) -> Remarks:
    started = baseline_of(context.scene, provider_of(context.scene))
    return Remarks(
        dict(settings.inactive_fields()), broken_settings(settings), differing(settings, started)
    )


def _draw_remark(
    header: bpy.types.UILayout,
    context: bpy.types.Context,
    title: str,
    names: list[str],
    remarks: Remarks,
) -> None:
    """Draw in a closed group's header how many of its settings were changed, or are invalid."""
    count = len(remarks.differing.intersection(names))
    is_broken = not remarks.broken.keys().isdisjoint(names)
    if not count and not is_broken:
        return
    text = tr("{} changed").format(count) if count else ""
    row = header.row()
    row.alignment = "RIGHT"
    row.alert = is_broken
    shown = text if fits_header(context, title, text) else f"({count})"
    row.label(text=shown, icon="ERROR" if is_broken else "NONE", translate=False)


def _draw_rows(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    declared: Iterable[Setting],
    remarks: Remarks,
) -> None:
    column, provider = layout.column(), provider_of(context.scene)
    group = group_of(context.scene, provider)
    server = server_fields(context.scene, provider) if provider.has_server_settings else {}
    for setting in declared:
        # None for a setting that the collection lacks, as after a script changed it.
        own = None if setting.from_server else Field(group, setting, property_name(setting.name))
        field = own or server.get(setting.name)
        if field is None:
            continue
        broken, unused = remarks.broken.get(setting.name), remarks.unused.get(setting.name)
        whole, beside = _title_row(column, context, setting)
        row = whole.row(align=True)
        row.active = not unused
        row.alert = bool(broken)
        _draw_value(row, context, field, setting, beside=beside)
        _draw_reset(whole, setting, differs=setting.name in remarks.differing)
        if broken or unused:
            below = column.column()
            below.alert = bool(broken)
            draw_text(below, context, translate(broken or unused or ""), active=bool(broken))


def _title_row(
    column: bpy.types.UILayout, context: bpy.types.Context, setting: Setting
) -> tuple[bpy.types.UILayout, bool]:
    """Draw the title of a setting with a switch, and return the row for the value.

    Other settings draw their title with the value; the second result is whether it fits beside it.
    """
    fits = fits_beside if _has_title(setting) else fits_checkbox
    beside = fits(context, setting.title, ICON)
    # A menu has its title itself: Blender would draw the row's heading above it.
    has_switch = setting.optional and setting.kind != "bool"
    if has_switch and not beside:
        column.label(text=tr(setting.title), translate=False)
    title = tr(setting.title) if has_switch and beside else ""
    row = column.row(align=True, heading=title, translate=False)
    row.use_property_split = beside
    return row, beside


def _draw_reset(row: bpy.types.UILayout, setting: Setting, *, differs: bool) -> None:
    """Draw the arrow that resets a setting, or a gap of its width, which keeps columns aligned.

    In the place of the gap, a setting of a server has a button with its description: the tooltip of
    its field is that of all such settings.
    """
    if differs:
        operator, icon = "image_to_mesh.reset_settings", "LOOP_BACK"
    elif setting.from_server:
        operator, icon = "image_to_mesh.describe_setting", "QUESTION"
    else:
        return row.label(text="", icon="BLANK1")
    row.operator(operator, text="", icon=icon, emboss=False).setting = setting.name
    return None


def _draw_value(
    row: bpy.types.UILayout,
    context: bpy.types.Context,
    field: Field,
    setting: Setting,
    *,
    beside: bool,
) -> None:
    shown = {"text": field.text, "translate": False} if field.text else {}
    if not setting.optional:
        is_slider = _has_range(setting)
        draw_value(row, context, field.data, field.value, beside=beside, slider=is_slider, **shown)
        return
    if setting.kind == "bool":
        draw_value(row, context, field.data, field.menu, beside=beside, **shown)
        return
    row.prop(field.data, field.switch, text="")
    value = row.row(align=True)
    value.active = row.active and getattr(field.data, field.switch)
    value.prop(field.data, field.value, text="", slider=_has_range(setting))


def _has_title(setting: Setting) -> bool:
    """Return whether the title is in the column of the titles, not beside a checkbox."""
    return setting.optional or setting.kind != "bool"


def _has_range(setting: Setting) -> bool:
    # All settings of a server share their fields, and these cannot show a range.
    return setting.unit == "factor" and not setting.from_server


def _draw_live_preview(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the switch for live preview if the provider has it, and report that it was drawn."""
    if not provider_of(context.scene).has_live_preview:
        return
    whole = layout.row(align=True)
    chosen = choices_of(context.scene)
    beside = fits_checkbox(context, chosen.bl_rna.properties["live_preview"].name, ICON)
    whole.use_property_split = beside
    draw_value(whole.row(align=True), context, chosen, "live_preview", beside=beside)
    whole.label(text="", icon="BLANK1")  # as wide as the arrows of the settings above
    live_preview.note_drawn(context)
