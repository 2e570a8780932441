# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the person: keys, addresses of services, the library folder.

Keys live here and nowhere else, so they cannot travel with a .blend. Fields follow from what the
providers declare, and beside each key stands what its service says of it.
"""

from __future__ import annotations

import ipaddress
import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty

from . import providers
from .jobs import Answer, Enquiry, catalogue, library_folder, session
from .providers import (
    BadKey,
    ImageToMeshError,
    KeyField,
    Provider,
    Secret,
    Settings,
    all_providers,
)

OFFLINE = "Blender is offline: turn on Allow Online Access in Preferences > System"
CHARACTER_WIDTH = 7.0
"""Pixels that a character of a sentence takes at most, at a scale of 1."""

_registered: list[type] = []


def get(context: bpy.types.Context) -> MappingProxyType[str, str]:
    """Return every preference by name; all empty where the add-on has no preferences yet."""
    preferences = _stored(context)
    return MappingProxyType({name: getattr(preferences, name, "") for name in _names()})


def keys(context: bpy.types.Context, provider: Provider[Any]) -> dict[str, Secret]:
    """Return the provider's keys; raises MissingKey or BadKey naming what is wrong."""
    return providers.keys_for(provider, get(context), os.environ)


def address(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return the service's address, empty where the provider has none."""
    return providers.base_url(provider, get(context), os.environ)


def library(context: bpy.types.Context) -> Path:
    """Return the folder that holds the jobs."""
    return library_folder(bpy.path.abspath(get(context)["library"]), os.environ)


def turns(context: bpy.types.Context) -> dict[str, int]:
    """Return the degrees by which people turned models, by provider and model."""
    try:
        kept = json.loads(getattr(_stored(context), "turns", "") or "{}")
    except ValueError:
        return {}
    return {str(key): int(kept[key]) % 360 for key in kept} if isinstance(kept, dict) else {}


def remember_turn(context: bpy.types.Context, key: str, degrees: int) -> None:
    """Keep how far models of one provider and model are turned from now on."""
    stored = _stored(context)
    if stored is not None:
        stored.turns = json.dumps({**turns(context), key: degrees % 360}, sort_keys=True)
        context.preferences.is_dirty = True


def library_limit(context: bpy.types.Context) -> int:
    """Return how many bytes the library may have; 0 for as many as it takes."""
    return int(getattr(_stored(context), "library_limit", 0.0) * 1e9)


def key_origin(context: bpy.types.Context, field: KeyField) -> str:
    """Say where the key in use comes from; empty where none is set."""
    if get(context)[field.preference].strip():
        return "Key from these preferences"
    if os.environ.get(field.environment, "").strip():
        return f"Key from the environment ({field.environment})"
    return ""


def has_keys(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Say whether every key that the provider wants is set, and can be one."""
    return key_problem(context, provider) is None


def key_problem(context: bpy.types.Context, provider: Provider[Any]) -> ImageToMeshError | None:
    """Return what keeps the keys from being used, as far as that shows without the service."""
    try:
        keys(context, provider)
    except ImageToMeshError as error:
        return error
    return None


def is_offline(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Say whether Blender's online access being off keeps this provider from working."""
    if "network" not in provider.needs or bpy.app.online_access:
        return False
    return not _is_loopback(address(context, provider))


def has_account(provider: Provider[Any]) -> bool:
    """Say whether the service tells what an account holds, which tests the key."""
    return bool(provider.keys) and type(provider).balance is not Provider.balance


def enquiry(
    context: bpy.types.Context, provider: Provider[Any], settings: Settings | None = None
) -> Enquiry:
    """Return the question for the price of settings, or without them for the balance.

    Providers that share key and address share the balance. Raises as `keys` does.
    """
    asked = provider if settings else _account_of(provider)
    return Enquiry(
        asked.id,
        settings,
        keys(context, provider),
        address(context, provider),
        bpy.app.online_access,
    )


def answer(
    context: bpy.types.Context, provider: Provider[Any], settings: Settings | None = None
) -> Answer | None:
    """Return what the service last said to this question; None where nobody asked."""
    if not has_keys(context, provider):
        return None
    return session().enquiries.answer(enquiry(context, provider, settings))


def balance_text(said: Answer | None) -> str:
    """Say in one line what is known of an account; empty where nobody asked."""
    if said is None:
        return ""
    if said.waiting:
        return "Asking…"
    if said.failure:
        return "Balance: unknown"
    return "The key works" if said.amount is None else f"Balance: {amount_text(said)}"


def amount_text(said: Answer) -> str:
    """Say an amount as people write it: 1,250 credits, 12.5 USD."""
    number = f"{said.amount or 0.0:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {said.unit}".strip()


def register() -> None:
    """Make the preferences class of what the providers declare, and register it."""
    made = _preferences_class()
    bpy.utils.register_class(made)
    _registered.append(made)


def unregister() -> None:
    """Take the class away again; Blender keeps the values."""
    while _registered:
        bpy.utils.unregister_class(_registered.pop())


def _account_of(provider: Provider[Any]) -> Provider[Any]:
    """Return the first provider that has the same keys and address."""
    same = (
        one
        for one in all_providers().values()
        if (one.keys, one.address) == (provider.keys, provider.address)
    )
    return next(same, provider)


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _forget_answers(_: Any, _context: bpy.types.Context) -> None:
    """Show no answer to an earlier key, or from an earlier address."""
    session().enquiries.forget()


def _stored(context: bpy.types.Context) -> Any:
    addon = context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def _names() -> Iterator[str]:
    yield "library"
    for provider in all_providers().values():
        yield from (field.preference for field in provider.keys)
        if provider.address:
            yield provider.address.preference


def _preferences_class() -> type:
    annotations: dict[str, Any] = {
        "library": StringProperty(
            name="Library Folder",
            description="Where jobs, pictures and meshes are kept; empty for the user data folder",
            subtype="DIR_PATH",
        ),
        "library_limit": FloatProperty(
            name="Library Limit",
            description="Above so many GB the oldest jobs that were imported go to the system's "
            "bin; 0 keeps everything",
            min=0.0,
            soft_max=1000.0,
            precision=1,
        ),
        "show_addresses": BoolProperty(
            name="Addresses",
            description="Show the services' addresses, for gateways and self-hosted servers",
        ),
        "turns": StringProperty(
            name="Turns",
            description="How far the models of each provider are turned when they come in",
            options={"HIDDEN"},
        ),
    }
    for provider in all_providers().values():
        annotations.update(_fields(provider))
    body = {
        "__module__": __name__,
        "__annotations__": annotations,
        "bl_idname": __package__,
        "draw": _draw,
    }
    return type("IMAGE_TO_MESH_preferences", (bpy.types.AddonPreferences,), body)


def _fields(provider: Provider[Any]) -> Iterator[tuple[str, Any]]:
    for field in provider.keys:
        yield (
            field.preference,
            StringProperty(
                name=field.title,
                description=f"Kept in your preferences; empty takes {field.environment} instead",
                subtype="PASSWORD",
                update=_forget_answers,
            ),
        )
    if provider.address:
        default, variable = provider.address.default, provider.address.environment
        yield (
            provider.address.preference,
            StringProperty(
                name=f"{provider.label} Address",
                description=f"Empty for {default}, or for {variable} where it is set",
                update=_forget_answers,
            ),
        )


def _draw(self: Any, context: bpy.types.Context) -> None:
    layout = self.layout
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop(self, "library")
    _draw_library(layout, context, self)
    for fields, users in _services():
        _draw_service(layout, context, fields, users, self)
    _draw_addresses(layout, self)


def _draw_library(layout: Any, context: bpy.types.Context, preferences: Any) -> None:
    """Lay the limit of the library, how full it is, and what can be done with it."""
    found = catalogue(library(context))
    layout.prop(preferences, "library_limit", text="Limit (GB)")
    if found.opened:
        said = layout.row()
        said.active = False
        said.alignment = "RIGHT"
        said.label(text=f"{len(found.entries):,} jobs, {found.size / 1e9:.1f} GB")
    row = layout.row()
    row.operator("image_to_mesh.show_folder", icon="FILE_FOLDER").job = ""
    row.operator("image_to_mesh.add_asset_library", icon="ASSET_MANAGER")
    row.operator("image_to_mesh.clean_up", text="Clean Up", icon="TRASH")


def _services() -> list[tuple[tuple[KeyField, ...], list[Provider[Any]]]]:
    """Return the providers that want keys, those that share them together."""
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
        origin = key_origin(context, field)
        hint = box.row()
        hint.active = False
        hint.alignment = "RIGHT"
        hint.label(text=origin or f"No key here, nor in {field.environment}")
    problem = key_problem(context, users[0])
    if isinstance(problem, BadKey):
        _draw_sentence(box, context, str(problem), icon="ERROR")
    accounts = [one for one in users if has_account(one) and one is _account_of(one)]
    for provider in accounts:
        _draw_account(box, context, provider, alone=len(accounts) == 1)


def _draw_account(
    box: Any, context: bpy.types.Context, provider: Provider[Any], *, alone: bool
) -> None:
    """Lay the button that tests a key, what its service said, and what to do about it."""
    said = answer(context, provider)
    offline = is_offline(context, provider)
    row = box.row()
    row.label(text=balance_text(said), icon=_icon(said))
    button = row.row()
    button.alignment = "RIGHT"
    button.enabled = has_keys(context, provider) and not offline and not (said and said.waiting)
    text = "Test" if alone else f"Test {provider.label}"
    button.operator("image_to_mesh.test_key", text=text).provider = provider.id
    if offline:
        _draw_sentence(box, context, OFFLINE, icon="INFO")
    if said and said.failure:
        _draw_sentence(box, context, f"{said.failure.message} {said.failure.hint}")
        if said.failure.link:
            box.operator("wm.url_open", text="Help", icon="URL").url = said.failure.link


def _icon(said: Answer | None) -> str:
    if said is None:
        return "NONE"
    if said.waiting:
        return "TIME"
    return "ERROR" if said.failure else "CHECKMARK"


def _draw_sentence(
    layout: Any, context: bpy.types.Context, text: str, *, icon: str = "NONE"
) -> None:
    """Lay a sentence over as many lines as the window's width asks for."""
    width = context.region.width if context.region else 700
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    column = layout.column(align=True)
    for number, line in enumerate(
        textwrap.wrap(text, max(30, int(width / scale / CHARACTER_WIDTH)))
    ):
        column.label(text=line, icon="BLANK1" if number and icon != "NONE" else icon)


def _draw_addresses(layout: Any, preferences: Any) -> None:
    with_address = [provider for provider in all_providers().values() if provider.address]
    if not with_address:
        return
    header = layout.row()
    header.use_property_split = False
    header.alignment = "LEFT"
    icon = "DOWNARROW_HLT" if preferences.show_addresses else "RIGHTARROW"
    header.prop(preferences, "show_addresses", text="Advanced", icon=icon, emboss=False)
    if preferences.show_addresses:
        for name, provider in _by_address(with_address).items():
            layout.prop(preferences, name, text=f"{provider.label} Address")


def _by_address(found: list[Provider[Any]]) -> dict[str, Provider[Any]]:
    """Return one provider per address preference: several may share it."""
    first: dict[str, Provider[Any]] = {}
    for provider in found:
        if provider.address:
            first.setdefault(provider.address.preference, provider)
    return first
