# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's preferences: keys, service addresses, the library folder, import defaults.

Keys are stored here only, so they never travel with a .blend file. `fields` declares them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bpy

from .. import jobs, providers
from ..providers import (
    UNENCRYPTED,
    Address,
    ImageToMeshError,
    KeyField,
    Provider,
    Secret,
    Settings,
    all_providers,
    set_ca_bundle,
)
from . import fields

# Blender identifies an add-on's preferences by the name of the add-on's package, the one above.
ADDON = __package__.rpartition(".")[0]

# The panel compares the reason with this text, and then offers a button for it.
OFFLINE = "Blender is offline: turn on Allow Online Access in Preferences › System"

_registered: list[type] = []
_drawing: list[Callable[[Any, bpy.types.Context], None]] = []
"""The function that draws the page. `panels` sets it, since this file may not import `panels`."""
_listeners: list[Callable[[str], None]] = []
"""The function that is called when a key was changed; `app` sets it."""


def addon_preferences(context: bpy.types.Context) -> Any:
    """Return the `AddonPreferences`, which panels draw; None if the add-on is not enabled."""
    addon = context.preferences.addons.get(ADDON)
    return addon.preferences if addon else None


def get(context: bpy.types.Context) -> MappingProxyType[str, str]:
    """Return the library folder, keys, and addresses by the names of their preferences.

    All values are empty strings if the add-on is not enabled.
    """
    preferences = addon_preferences(context)
    return MappingProxyType({name: getattr(preferences, name, "") for name in _names()})


def keys(context: bpy.types.Context, provider: Provider[Any]) -> dict[str, Secret]:
    """Return a provider's keys by the names of their preferences.

    Raises MissingKey for a key that is not set, BadKey for a malformed one.
    """
    # Not through `get`, which reads every preference: panels call this several times per redraw.
    names = (*(field.preference for field in provider.keys), UNENCRYPTED)
    own = {name: getattr(addon_preferences(context), name, "") for name in names}
    return providers.keys_for(provider, own, os.environ)


def address(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return the base URL of a provider's service, "" for a provider without one.

    Raises InvalidSettings if the URL is invalid or must not be called.
    """
    name = provider.address.preference if provider.address else ""
    own = {name: getattr(addon_preferences(context), name, "")} if name else {}
    return providers.base_url(provider, own, os.environ)


def address_problem(context: bpy.types.Context, provider: Provider[Any]) -> ImageToMeshError | None:
    """Return the error for a provider's address, or for a secret that it would get unencrypted."""
    try:
        base = address(context, provider)
    except ImageToMeshError as error:
        return error
    is_sent = provider.self_hosted and provider.sends_keys_to(base)
    if not is_sent or key_problem(context, provider):
        return None
    return providers.unencrypted_problem(base, keys(context, provider))


def allow_unencrypted(context: bpy.types.Context, provider: Provider[Any]) -> None:
    """Save that the user agrees to send the secrets of a provider unencrypted to its address.

    Raises InvalidSettings if the address is invalid.
    """
    server = providers.read_address(address(context, provider)).server
    own = addon_preferences(context)
    agreed = dict.fromkeys((*getattr(own, UNENCRYPTED).split(), server))
    setattr(own, UNENCRYPTED, " ".join(agreed))
    context.preferences.is_dirty = True


def library(context: bpy.types.Context) -> Path:
    """Return the library folder: the preference, else IMAGE_TO_MESH_LIBRARY, else the default."""
    # Not through `get`, which reads every preference: panels call this several times per redraw.
    chosen = getattr(addon_preferences(context), "library", "") or ""
    return jobs.library_folder(bpy.path.abspath(chosen), os.environ)


def rotations(context: bpy.types.Context) -> dict[str, int]:
    """Return the rotations that the user chose, in degrees from 0 to 359, by "provider/model"."""
    return {key: int(value) % 360 for key, value in read_json(context, "turns").items()}


def remember_rotation(context: bpy.types.Context, key: str, degrees: int) -> None:
    """Save the rotation, in degrees, for future meshes; `key` is "provider/model"."""
    keep_json(context, "turns", {**rotations(context), key: degrees % 360})


def import_defaults(context: bpy.types.Context) -> dict[str, Any]:
    """Return the import options for new scenes by "group.property"; empty if none are saved."""
    return read_json(context, "import_defaults")


def keep_import_defaults(context: bpy.types.Context, chosen: dict[str, Any]) -> None:
    """Save the import options for new scenes; an empty dict removes them."""
    keep_json(context, "import_defaults", chosen)


def is_on(context: bpy.types.Context, name: str) -> bool:
    """Return whether a switch, `frame_new` or `show_placeholders`, is on.

    Both count as on if the add-on is not enabled.
    """
    return bool(getattr(addon_preferences(context), name, True))


def library_limit(context: bpy.types.Context) -> int:
    """Return the library's size limit in bytes; 0 means no limit."""
    return int(getattr(addon_preferences(context), "library_limit", 0.0) * 1e9)


def is_from_environment(field: KeyField | Address) -> bool:
    """Return whether an environment variable is set, which is used if the preference is empty."""
    return bool(os.environ.get(field.environment, "").strip())


def default_library() -> Path:
    """Return the library folder that is used if the preference is empty."""
    return jobs.library_folder("", os.environ)


def has_keys(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Return whether all keys of a provider are set and well-formed."""
    return key_problem(context, provider) is None


def key_problem(context: bpy.types.Context, provider: Provider[Any]) -> ImageToMeshError | None:
    """Return the error for a provider's keys, as far as can be checked offline; None if valid."""
    try:
        keys(context, provider)
    except ImageToMeshError as error:
        return error
    return None


def is_offline(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Return whether a provider is unusable because Blender's online access is off.

    A service on loopback is usable without it. Return False for an invalid address, which
    `address_problem` reports.
    """
    if not provider.is_remote or bpy.app.online_access:
        return False
    try:
        # A gateway on this machine works offline; only other addresses need the network.
        return not providers.is_loopback_address(address(context, provider))
    except ImageToMeshError:
        return False  # A bad address is reported as such, by `address_problem`.


def may_reach(address: str) -> bool:
    """Return whether Blender's online access permits an address; it always permits loopback."""
    return bool(bpy.app.online_access) or providers.is_loopback_address(address)


def key_names(provider: Provider[Any]) -> tuple[str, ...]:
    """Return the names of the preferences that hold a provider's keys."""
    return tuple(field.preference for field in provider.keys)


def has_account(provider: Provider[Any]) -> bool:
    """Return whether a provider has keys and reports a balance; querying it also tests the keys."""
    return bool(provider.keys) and type(provider).balance is not Provider.balance


def account_query(
    context: bpy.types.Context, provider: Provider[Any], settings: Settings | None = None
) -> jobs.AccountQuery:
    """Return the query for the price of these settings, or for the balance without settings.

    Providers that share keys and address share the balance. Raises MissingKey or BadKey, and
    InvalidSettings for an address that cannot be used.
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
    """Return the last answer to the `account_query` with these arguments, or None.

    The answer may be pending. None means that the query was not sent since the answers were last
    dropped, or cannot be sent because a key is missing, or a key or the address is invalid.
    """
    if not has_keys(context, provider) or address_problem(context, provider):
        return None
    return jobs.session().account_queries.answer(account_query(context, provider, settings))


def set_draw(draw: Callable[[Any, bpy.types.Context], None]) -> None:
    """Set the function that draws the preferences; disabling the add-on removes the function."""
    _drawing[:] = [draw]


def register() -> None:
    """Create the preferences class from the providers' declarations, and register it.

    Also apply the user's certificate bundle to new connections.
    """
    made = _preferences_class()
    bpy.utils.register_class(made)
    _registered.append(made)
    _trust_bundle(addon_preferences(bpy.context))


def unregister() -> None:
    """Unregister the class, and remove the functions that were set and the certificate bundle.

    Blender keeps the values of the preferences.
    """
    _drawing.clear()
    _listeners.clear()
    # Module state would outlive the add-on: the next enable starts without a bundle.
    set_ca_bundle("")
    while _registered:
        bpy.utils.unregister_class(_registered.pop())


def account_of(provider: Provider[Any]) -> Provider[Any]:
    """Return the first provider with the same keys and address, and so with the same account."""
    same = (
        other
        for other in all_providers().values()
        if (other.keys, other.address) == (provider.keys, provider.address)
    )
    return next(same, provider)


def call_when_key_changes(listener: Callable[[str], None] | None) -> None:
    """Set the function that is called when a key changes, or remove it with None.

    The function gets the name of the key's preference.
    """
    _listeners[:] = [] if listener is None else [listener]


def _on_key(name: str) -> Callable[[Any, bpy.types.Context], None]:
    """Return the update function of a key's preference.

    The update function drops the answers of all providers that use the key, and calls the listener.
    """

    # A function of its own, as Blender takes no other callable.
    def update(_: Any, _context: bpy.types.Context) -> None:
        users = [user.id for user in all_providers().values() if name in key_names(user)]
        # The answers of other services stay, which have other keys.
        jobs.session().account_queries.forget(*users)
        for listener in _listeners:
            listener(name)

    return update


def _forget_answers(_: Any, _context: bpy.types.Context) -> None:
    """Drop the answers of all services, since an address or the certificate bundle has changed."""
    jobs.session().account_queries.forget()


def _trust_bundle(own: Any) -> None:
    """Use the user's certificate bundle for new connections, or the default one if none is set."""
    chosen = getattr(own, "certificates", "") if own else ""
    set_ca_bundle(bpy.path.abspath(chosen) if chosen else "")


def _change_bundle(own: Any, context: bpy.types.Context) -> None:
    _trust_bundle(own)
    _forget_answers(own, context)


def read_json(context: bpy.types.Context, name: str) -> dict[str, Any]:
    """Return the JSON object that a preference holds, or an empty dict for anything else."""
    try:
        kept = json.loads(getattr(addon_preferences(context), name, "") or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def keep_json(context: bpy.types.Context, name: str, value: dict[str, Any]) -> None:
    """Save a JSON object as a preference if the add-on is enabled; an empty dict removes it."""
    own = addon_preferences(context)
    if own is not None:
        setattr(own, name, json.dumps(value, sort_keys=True) if value else "")
        context.preferences.is_dirty = True


def _names() -> list[str]:
    names = ["library", UNENCRYPTED]
    for provider in all_providers().values():
        names += [field.preference for field in provider.keys]
        if provider.address:
            names.append(provider.address.preference)
    return names


def _preferences_class() -> type:
    updates = fields.Updates(_on_key, _forget_answers, _change_bundle)
    # Blender reads annotations only when the class is registered, so they can be computed.
    body = {
        "__module__": __name__,
        "__annotations__": fields.all_fields(updates),
        "bl_idname": ADDON,
        "draw": _draw,
    }
    return type("IMAGE_TO_MESH_preferences", (bpy.types.AddonPreferences,), body)


def _draw(self: Any, context: bpy.types.Context) -> None:
    for draw in _drawing:
        draw(self, context)
