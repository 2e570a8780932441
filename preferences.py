# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the person: keys, addresses of services, the library folder.

Keys live here and nowhere else, so they cannot travel with a .blend. Fields follow from what the
providers declare, and beside each key stands what its service says of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty

from . import jobs, providers
from .i18n.translate import label, tr
from .providers import (
    ImageToMeshError,
    KeyField,
    Provider,
    Secret,
    Settings,
    all_providers,
    set_ca_bundle,
)

OFFLINE = "Blender is offline: turn on Allow Online Access in Preferences > System"

_registered: list[type] = []
_drawing: list[Callable[[Any, bpy.types.Context], None]] = []
"""What lays the page: the panels' room, which may read this one, and not the other way round."""


def get(context: bpy.types.Context) -> MappingProxyType[str, str]:
    """Return every preference by name; all empty where the add-on has no preferences yet."""
    preferences = _stored(context)
    return MappingProxyType({name: getattr(preferences, name, "") for name in _names()})


def keys(context: bpy.types.Context, provider: Provider[Any]) -> dict[str, Secret]:
    """Return the provider's keys; raises MissingKey or BadKey naming what is wrong."""
    return providers.keys_for(provider, get(context), os.environ)


def address(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return the service's address, empty where the provider has none.

    Raises InvalidSettings for one that cannot be called.
    """
    name = provider.address.preference if provider.address else ""
    own = {name: getattr(_stored(context), name, "")} if name else {}
    return providers.base_url(provider, own, os.environ)


def address_problem(context: bpy.types.Context, provider: Provider[Any]) -> ImageToMeshError | None:
    """Return what is wrong with the address that is set for a service."""
    try:
        address(context, provider)
    except ImageToMeshError as error:
        return error
    return None


def library(context: bpy.types.Context) -> Path:
    """Return the folder that holds the jobs."""
    # Not by way of `get`, which reads every preference: panels ask this several times a redraw.
    chosen = getattr(_stored(context), "library", "") or ""
    return jobs.library_folder(bpy.path.abspath(chosen), os.environ)


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


def import_defaults(context: bpy.types.Context) -> dict[str, Any]:
    """Return what new scenes begin with, by group and property; empty for the add-on's own."""
    try:
        kept = json.loads(getattr(_stored(context), "import_defaults", "") or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def keep_import_defaults(context: bpy.types.Context, chosen: dict[str, Any]) -> None:
    """Let new scenes begin so."""
    stored = _stored(context)
    if stored is not None:
        stored.import_defaults = json.dumps(chosen, sort_keys=True) if chosen else ""
        context.preferences.is_dirty = True


def library_limit(context: bpy.types.Context) -> int:
    """Return how many bytes the library may have; 0 for as many as it takes."""
    return int(getattr(_stored(context), "library_limit", 0.0) * 1e9)


def key_origin(context: bpy.types.Context, field: KeyField) -> str:
    """Say where the key in use comes from; empty where none is set."""
    if get(context)[field.preference].strip():
        return tr("Key from these preferences")
    if os.environ.get(field.environment, "").strip():
        return tr("Key from the environment ({})").format(field.environment)
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
    if not provider.is_remote or bpy.app.online_access:
        return False
    try:
        return not providers.is_loopback_address(address(context, provider))
    except ImageToMeshError:
        return False


def may_reach(address: str) -> bool:
    """Say whether Blender's online access allows this address; loopback is not online."""
    return bool(bpy.app.online_access) or providers.is_loopback_address(address)


def has_account(provider: Provider[Any]) -> bool:
    """Say whether the service tells what an account holds, which tests the key."""
    return bool(provider.keys) and type(provider).balance is not Provider.balance


def account_query(
    context: bpy.types.Context, provider: Provider[Any], settings: Settings | None = None
) -> jobs.AccountQuery:
    """Return the question for the price of settings, or without them for the balance.

    Providers that share key and address share the balance. Raises as `keys` does.
    """
    asked = provider if settings else account_of(provider)
    return jobs.AccountQuery(
        asked.id,
        settings,
        keys(context, provider),
        address(context, provider),
        bpy.app.online_access,
    )


def answer(
    context: bpy.types.Context, provider: Provider[Any], settings: Settings | None = None
) -> jobs.AccountAnswer | None:
    """Return what the service last said to this question; None where nobody asked."""
    if not has_keys(context, provider) or address_problem(context, provider):
        return None
    return jobs.session().account_queries.answer(account_query(context, provider, settings))


def balance_text(said: jobs.AccountAnswer | None) -> str:
    """Say in one line what is known of an account; empty where nobody asked."""
    if said is None:
        return ""
    if said.waiting:
        return tr("Asking…")
    if said.failure:
        return tr("Balance: unknown")
    if said.amount is None:
        return tr("The key works")
    return tr("Balance: {}").format(amount_text(said))


def amount_text(said: jobs.AccountAnswer) -> str:
    """Say an amount as people write it: 1,250 credits, 12.5 USD."""
    number = f"{said.amount or 0.0:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {tr(said.unit)}".strip()


def drawn_by(draw: Callable[[Any, bpy.types.Context], None]) -> None:
    """Let this function lay the page, until the add-on is disabled."""
    _drawing[:] = [draw]


def register() -> None:
    """Make the preferences class of what the providers declare, and register it."""
    made = _preferences_class()
    bpy.utils.register_class(made)
    _registered.append(made)
    _trust_bundle(_stored(bpy.context))


def unregister() -> None:
    """Take the class away again; Blender keeps the values."""
    _drawing.clear()
    set_ca_bundle("")
    while _registered:
        bpy.utils.unregister_class(_registered.pop())


def account_of(provider: Provider[Any]) -> Provider[Any]:
    """Return the first provider that has the same keys and address."""
    same = (
        one
        for one in all_providers().values()
        if (one.keys, one.address) == (provider.keys, provider.address)
    )
    return next(same, provider)


def _forget_answers(_: Any, _context: bpy.types.Context) -> None:
    """Show no answer to an earlier key, or from an earlier address."""
    jobs.session().account_queries.forget()


def _trust_bundle(stored: Any) -> None:
    """Trust the authorities of the person's file from the next connection on."""
    chosen = getattr(stored, "certificates", "") if stored else ""
    set_ca_bundle(bpy.path.abspath(chosen) if chosen else "")


def _change_bundle(stored: Any, context: bpy.types.Context) -> None:
    _trust_bundle(stored)
    _forget_answers(stored, context)


def _stored(context: bpy.types.Context) -> Any:
    addon = context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def _names() -> list[str]:
    # A list, not a generator, since panels ask for it at every redraw.
    names = ["library"]
    for provider in all_providers().values():
        names += [field.preference for field in provider.keys]
        if provider.address:
            names.append(provider.address.preference)
    return names


def _preferences_class() -> type:
    annotations: dict[str, Any] = {
        "library": StringProperty(
            name="Library Folder",
            description="Where jobs, images and meshes are stored; empty for the user data folder",
            subtype="DIR_PATH",
        ),
        "library_limit": FloatProperty(
            name="Library Limit",
            description=(
                "When the library exceeds this size (GB), move the oldest imported jobs to the "
                "trash (0 = no limit)"
            ),
            min=0.0,
            soft_max=1000.0,
            precision=1,
        ),
        "certificates": StringProperty(
            name="Certificate Bundle",
            description=(
                "Custom CA certificates (PEM) used instead of the default ones, for networks that "
                "inspect connections; REQUESTS_CA_BUNDLE takes precedence"
            ),
            subtype="FILE_PATH",
            update=_change_bundle,
        ),
        "show_addresses": BoolProperty(
            name="Advanced",
            description="Show the services' addresses and the certificate bundle, for gateways, "
            "self-hosted servers and company networks",
        ),
        "import_defaults": StringProperty(
            name="Import Defaults",
            description="What new scenes begin with",
            options={"HIDDEN"},
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
                description=label(
                    "Stored in your preferences; if empty, {variable} is used",
                    variable=field.environment,
                ),
                subtype="PASSWORD",
                update=_forget_answers,
            ),
        )
    if provider.address:
        default, variable = provider.address.default, provider.address.environment
        yield (
            provider.address.preference,
            StringProperty(
                name=label("{provider} Address", provider=provider.label),
                description=label(
                    "Empty for {address}, or for {variable} where it is set",
                    address=default,
                    variable=variable,
                ),
                update=_forget_answers,
            ),
        )


def _draw(self: Any, context: bpy.types.Context) -> None:
    for draw in _drawing:
        draw(self, context)
