# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: a row per service, the library, import defaults, advanced options."""

from __future__ import annotations

from typing import Any

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...preferences import default_library, has_keys, import_defaults, is_offline, library
from ...preferences.fields import shown_name
from ...providers import KeyField, Provider, all_providers, ca_bundle_problem
from ...state.manual import MANUAL
from ..account_text import columns_of
from ..text_layout import TITLE_SHARE, wrap_text
from .popover import draw_key, draw_key_page, draw_offline, service_name

BORDERS = 60.0
"""Pixels of the page's width that text cannot use, at a UI scale of 1."""

COLUMNS = (0.25, 0.29, 0.2)
"""Shares of a service's row: name, state, and balance; the rest is for the button."""

Fields = tuple[KeyField, ...]
_orders: dict[tuple[tuple[Fields, ...], bool], list[Fields]] = {}
"""Cached order of the rows, in which the key fields stand for a service. The cache's key holds all
services, and whether the library was read."""


def draw(self: Any, context: bpy.types.Context) -> None:
    """Draw the whole page. `self` is the `AddonPreferences` instance."""
    layout = self.layout
    layout.use_property_split = True
    layout.use_property_decorate = False
    services = _services(context)
    if any(is_offline(context, users[0]) for users in services):
        draw_offline(layout.row())
    for users in services:
        _draw_service(layout, context, users, self)
    _draw_library(layout.box(), context, self)
    _draw_import(layout.box(), context, self)
    _draw_viewport(layout.box(), self)
    _draw_advanced(layout, context, self)
    row = layout.row()
    row.operator("image_to_mesh.save_diagnostics", icon="TEXT")
    row.operator("wm.url_open", text="Online Manual", icon="HELP").url = MANUAL


def _draw_library(box: Any, context: bpy.types.Context, preferences: Any) -> None:
    """Draw the library's folder and limit, how much it holds, and its buttons."""
    box.label(text="Library")
    folder = str(default_library())
    box.prop(preferences, "library", text="Folder", placeholder=folder)
    row = box.row(heading="Limit (GB)")
    row.prop(preferences, "use_library_limit", text="")
    size = row.row()
    size.enabled = is_limited = preferences.use_library_limit
    size.prop(preferences, "library_limit" if is_limited else "library_usual_limit", text="")
    found = jobs.library_index(library(context))
    if found.opened:
        hint = box.split(factor=TITLE_SHARE)
        hint.label(text="")
        count, size = f"{len(found.entries):,}", f"{found.size / 1e9:.1f}"
        hint.label(text=tr("Jobs: {} ({} GB)").format(count, size), translate=False)
    row = box.row()
    row.operator("image_to_mesh.show_folder", text="Show Library", icon="FILE_FOLDER").job = ""
    row.operator("image_to_mesh.add_asset_library", text="Asset Library", icon="ASSET_MANAGER")
    text = "Stop Trusting" if found.trusted else "Trust This Library..."
    button = row.operator("image_to_mesh.trust_library", text=text, icon="COMMUNITY")
    button.trust = not found.trusted
    if bpy.ops.image_to_mesh.clean_up.poll():
        row.operator("image_to_mesh.clean_up", text="Clean Up", icon="TRASH")


def _draw_import(box: Any, context: bpy.types.Context, preferences: Any) -> None:
    """Draw whether new scenes use saved defaults, buttons to change that, and a framing option."""
    box.label(text="Import Defaults")
    if import_defaults(context):
        text = "New scenes use your saved placement and cleanup settings"
    else:
        text = "Set placement and cleanup in the sidebar, then click Save as Import Defaults"
    _draw_sentence(box, context, text)
    row = box.row()
    row.operator("image_to_mesh.keep_defaults", icon="FILE_TICK")
    if bpy.ops.image_to_mesh.forget_defaults.poll():
        row.operator("image_to_mesh.forget_defaults", text="Reset", icon="LOOP_BACK")
    box.prop(preferences, "frame_new")


def _draw_viewport(box: Any, preferences: Any) -> None:
    """Draw the option for what the add-on shows in the 3D Viewport."""
    box.label(text="3D Viewport")
    box.prop(preferences, "show_placeholders")


def _services(context: bpy.types.Context) -> list[list[Provider[Any]]]:
    """Return the providers that need keys, grouped by shared keys, in the order of `_place`."""
    services: dict[Fields, list[Provider[Any]]] = {}
    for provider in all_providers().values():
        if provider.keys:
            services.setdefault(provider.keys, []).append(provider)
    # Kept while Blender runs: a row must not move away while its key is entered.
    state = (tuple(services), jobs.library_index(library(context)).opened)
    if state not in _orders:
        _orders.clear()
        places = {fields: _place(context, users) for fields, users in services.items()}
        _orders[state] = sorted(services, key=places.__getitem__)
    return [services[fields] for fields in _orders[state]]


def _place(context: bpy.types.Context, users: list[Provider[Any]]) -> tuple[int, int, int, str]:
    """Return a service's sort key: most recently used first, then with a key, by rank, by label."""
    entries = jobs.library_index(library(context)).entries
    ids = {provider.id for provider in users}
    used = (number for number, entry in enumerate(entries) if entry.provider in ids)
    has_key = any(has_keys(context, provider) for provider in users)
    rank = min(provider.rank for provider in users)
    return next(used, len(entries)), not has_key, rank, users[0].label


def _draw_service(
    layout: Any, context: bpy.types.Context, users: list[Provider[Any]], preferences: Any
) -> None:
    """Draw a service's row, and below it its key if the row is open."""
    provider, name = users[0], shown_name(users[0])
    is_open = getattr(preferences, name)
    box = layout.box()
    title, state_column, balance_column, end = _columns(box)
    _draw_fold(title, preferences, name, tr(service_name(users)))
    state, balance = columns_of(context, provider)
    state_column.label(text=state.text, icon=state.icon, translate=False)
    balance_column.label(text=balance, translate=False)
    if not provider.keys[0].optional:
        draw_key_page(end, context, provider)
    if is_open:
        draw_key(box.column(), context, provider, _room(context))
        if provider.keys[0].optional:
            draw_key_page(box, context, provider)


def _draw_fold(row: Any, preferences: Any, name: str, text: str) -> None:
    """Draw the arrow that folds what is below a row, and the row's title."""
    icon = "DOWNARROW_HLT" if getattr(preferences, name) else "RIGHTARROW"
    row.use_property_split = False
    row.alignment = "LEFT"
    row.prop(preferences, name, text="", icon=icon, emboss=False)
    # Not the arrow's own text: Blender would center it, and draw it as pressed while it is open.
    row.label(text=text, translate=False)


def _columns(box: Any) -> list[Any]:
    """Return the cells of a service's row, which are as wide as those of all others."""
    cells, rest, width = [], box, 1.0
    for share in COLUMNS:
        rest = rest.split(factor=share / width)
        rest.use_property_split = False
        cells.append(rest.row())
        width -= share
    return [*cells, rest.row()]


def _draw_sentence(
    layout: Any, context: bpy.types.Context, text: str, *, icon: str = "NONE"
) -> None:
    """Draw a sentence, translated and wrapped to the region's width."""
    column = layout.column(align=True)
    for number, line in enumerate(wrap_text(tr(text), _room(context))):
        shown = "BLANK1" if number and icon != "NONE" else icon
        column.label(text=line, icon=shown, translate=False)


def _room(context: bpy.types.Context) -> float:
    """Return the width of a line on the page, in pixels at a UI scale of 1."""
    # Tests and scripts draw without a region; 700 is a usual width of the preferences.
    width = context.region.width if context.region else 700
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    return float(width / scale) - BORDERS


def _draw_advanced(layout: Any, context: bpy.types.Context, preferences: Any) -> None:
    _draw_fold(layout.row(), preferences, "show_addresses", tr("Advanced"))
    if not preferences.show_addresses:
        return
    # The address of a user's own server is in its row.
    others = all_providers().values()
    with_address = [provider for provider in others if not provider.self_hosted]
    for name, provider in _by_address(with_address).items():
        layout.prop(preferences, name, text=tr("{} Address").format(provider.label))
    layout.prop(preferences, "certificates")
    if problem := ca_bundle_problem():
        _draw_sentence(layout, context, translate(problem), icon="ERROR")


def _by_address(providers: list[Provider[Any]]) -> dict[str, Provider[Any]]:
    """Return the first provider for each address preference; some providers share one."""
    first: dict[str, Provider[Any]] = {}
    for provider in providers:
        if provider.address:
            first.setdefault(provider.address.preference, provider)
    return first
