# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: a box per service, the library, import defaults, advanced options."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr, translate
from ..preferences import (
    OFFLINE,
    account_of,
    answer,
    has_account,
    has_keys,
    import_defaults,
    is_offline,
    key_problem,
    key_source,
    library,
)
from ..providers import BadKey, KeyField, Provider, all_providers, ca_bundle_problem
from ..state.manual import MANUAL
from .account_text import balance_text

CHARACTER_WIDTH = 7.0
"""Upper estimate of a character's mean width in pixels, at a UI scale of 1."""


def draw(self: Any, context: bpy.types.Context) -> None:
    """Draw the whole page. `self` is the `AddonPreferences` instance."""
    layout = self.layout
    layout.use_property_split = True
    layout.use_property_decorate = False
    for fields, users in _services():
        _draw_service(layout, context, fields, users, self)
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
    box.prop(preferences, "library", text="Folder")
    box.prop(preferences, "library_limit", text="Limit (GB)")
    found = jobs.library_index(library(context))
    if found.opened:
        hint = box.row()
        hint.active = False
        hint.alignment = "RIGHT"
        count, size = f"{len(found.entries):,}", f"{found.size / 1e9:.1f}"
        hint.label(text=tr("{} jobs, {} GB").format(count, size))
    row = box.row()
    row.operator("image_to_mesh.show_folder", icon="FILE_FOLDER").job = ""
    row.operator("image_to_mesh.add_asset_library", text="Asset Library", icon="ASSET_MANAGER")
    text = "Stop Trusting" if found.trusted else "Trust This Library..."
    button = row.operator("image_to_mesh.trust_library", text=text, icon="COMMUNITY")
    button.trust = not found.trusted
    if bpy.ops.image_to_mesh.clean_up.poll():
        row.operator("image_to_mesh.clean_up", text="Clean Up", icon="TRASH")


def _draw_import(box: Any, context: bpy.types.Context, preferences: Any) -> None:
    """Draw whether new scenes use saved defaults, and the buttons to change that."""
    box.label(text="Import Defaults")
    if import_defaults(context):
        text = "New scenes use your saved placement and cleanup settings"
    else:
        text = "Set placement and cleanup in the sidebar, then click Use Current Scene"
    _draw_sentence(box, context, text)
    row = box.row()
    row.operator("image_to_mesh.keep_defaults", text="Use Current Scene", icon="SCENE_DATA")
    if bpy.ops.image_to_mesh.forget_defaults.poll():
        row.operator("image_to_mesh.forget_defaults", text="Reset", icon="LOOP_BACK")
    box.prop(preferences, "frame_new")


def _draw_viewport(box: Any, preferences: Any) -> None:
    """Draw what the add-on shows in the 3D Viewport."""
    box.label(text="3D Viewport")
    box.prop(preferences, "show_placeholders")


def _services() -> list[tuple[tuple[KeyField, ...], list[Provider[Any]]]]:
    """Return the providers that need keys, grouped by the keys that they share."""
    services: dict[tuple[KeyField, ...], list[Provider[Any]]] = {}
    for provider in all_providers().values():
        if provider.keys:
            services.setdefault(provider.keys, []).append(provider)
    return list(services.items())


def _draw_service(
    layout: Any,
    context: bpy.types.Context,
    fields: tuple[KeyField, ...],
    users: list[Provider[Any]],
    preferences: Any,
) -> None:
    box = layout.box()
    row = box.row()
    row.label(text=", ".join(provider.label for provider in users))
    if users[0].key_url:
        row.operator("wm.url_open", text="Get a Key", icon="URL").url = users[0].key_url
    for field in fields:
        box.prop(preferences, field.preference, text=field.title)
        source = key_source(context, field)
        hint = box.row()
        hint.active = False
        hint.alignment = "RIGHT"
        hint.label(text=source or tr("No key set here or in {}").format(field.environment))
    problem = key_problem(context, users[0])
    if isinstance(problem, BadKey):
        _draw_sentence(box, context, translate(problem.message, problem.hint), icon="ERROR")
    # Providers with the same keys and address share one balance, so one button is enough.
    accounts = [
        provider for provider in users if has_account(provider) and provider is account_of(provider)
    ]
    for provider in accounts:
        _draw_account(box, context, provider, alone=len(accounts) == 1)


def _draw_account(
    box: Any, context: bpy.types.Context, provider: Provider[Any], *, alone: bool
) -> None:
    """Draw the button that tests a key, and the service's last answer."""
    reply = answer(context, provider)
    offline = is_offline(context, provider)
    row = box.row()
    row.label(text=balance_text(reply), icon=_icon(reply))
    button = row.row()
    button.alignment = "RIGHT"
    button.enabled = has_keys(context, provider) and not offline and not (reply and reply.waiting)
    text = "Test" if alone else tr("Test {}").format(provider.label)
    button.operator("image_to_mesh.test_key", text=text).provider = provider.id
    if offline:
        _draw_sentence(box, context, OFFLINE, icon="INFO")
    if reply and reply.failure:
        _draw_sentence(box, context, translate(reply.failure.message, reply.failure.hint))
        if reply.failure.link:
            box.operator("wm.url_open", text="Help", icon="URL").url = reply.failure.link


def _icon(said: jobs.AccountAnswer | None) -> str:
    if said is None:
        return "NONE"
    if said.waiting:
        return "TIME"
    return "ERROR" if said.failure else "CHECKMARK"


def _draw_sentence(
    layout: Any, context: bpy.types.Context, text: str, *, icon: str = "NONE"
) -> None:
    """Draw a sentence, wrapped to the region's width."""
    # Tests and scripts draw without a region; 700 is a usual width of the preferences.
    width = context.region.width if context.region else 700
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    column = layout.column(align=True)
    for number, line in enumerate(
        textwrap.wrap(tr(text), max(30, int(width / scale / CHARACTER_WIDTH)))
    ):
        column.label(text=line, icon="BLANK1" if number and icon != "NONE" else icon)


def _draw_advanced(layout: Any, context: bpy.types.Context, preferences: Any) -> None:
    header = layout.row()
    header.use_property_split = False
    header.alignment = "LEFT"
    icon = "DOWNARROW_HLT" if preferences.show_addresses else "RIGHTARROW"
    header.prop(preferences, "show_addresses", text="Advanced", icon=icon, emboss=False)
    if not preferences.show_addresses:
        return
    with_address = [provider for provider in all_providers().values() if provider.address]
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
