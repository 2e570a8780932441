# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only a server knows, on the command line: read from it before they are checked."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..jobs.setting_files import digests_of, read_setting_files
from ..providers import (
    InvalidSettings,
    Provider,
    Settings,
    all_providers,
    base_url,
    get_provider,
    keys_for,
    settings_of,
)
from .running import BlenderHost

if TYPE_CHECKING:
    from ..providers._shared.server_settings import SettingList

OPTION = "--address"

_read: dict[Any, SettingList] = {}
"""What servers have said in this process, so that a batch asks each once."""


def add_address(command: argparse.ArgumentParser) -> None:
    """Add the option for the server's address to a command."""
    command.add_argument(
        OPTION, default="", metavar="URL", help="the server, for providers whose address you choose"
    )


def at_address(
    arguments: argparse.Namespace, host: BlenderHost, provider: Provider[Any]
) -> BlenderHost:
    """Return `host` with the address that the command names for a provider, if it names one.

    Raises InvalidSettings for an address that must not be called, or that the provider lacks.
    """
    if not arguments.address:
        return host
    is_chosen = provider.self_hosted or provider.has_server_settings
    if provider.address is None or not is_chosen:  # guard: keys-to-no-other-address
        raise InvalidSettings(f"{provider.label} does not take {OPTION}.", f"Leave out {OPTION}.")
    base = provider.full_address(arguments.address)
    provider.check_address(base, OPTION)
    own = {**host.preferences, provider.address.preference: arguments.address}
    return replace(host, preferences=own)


def settings_for(
    host: BlenderHost, provider: Provider[Any], given: Mapping[str, object]
) -> tuple[Settings, dict[str, bytes]]:
    """Return the settings that `given` stands for, and the contents of the files that they name.

    If the provider's server has settings of its own, it is asked for them first. Raises
    InvalidSettings for invalid settings and files, and ImageToMeshError if the server does not
    answer.
    """
    from ..providers._shared.adapters import parse_settings

    if not provider.has_server_settings:
        settings = parse_settings(provider.settings, given)
        return settings, read_setting_files(settings)
    declared = {setting.name for setting in settings_of(provider.settings)}
    of_add_on = {name: value for name, value in given.items() if name in declared}
    settings = parse_settings(provider.settings, of_add_on)
    files = read_setting_files(settings)
    return parse_settings(
        _model(provider, read_list(host, provider, settings, files)), given
    ), files


def provider_to_ask(arguments: argparse.Namespace) -> Provider[Any]:
    """Return the provider whose server the command asks for its settings.

    Raises InvalidSettings if the command does not say which.
    """
    if arguments.provider:
        return get_provider(arguments.provider)
    asked = [provider for provider in all_providers().values() if provider.has_server_settings]
    if len(asked) == 1:
        return asked[0]
    known = ", ".join(provider.id for provider in asked) or "none"
    raise InvalidSettings(
        f"{OPTION} needs to know the provider. Those whose servers have settings: {known}.",
        "Add --provider ID.",
    )


def read_list(
    host: BlenderHost, provider: Provider[Any], settings: Settings, files: Mapping[str, bytes]
) -> SettingList:
    """Return the settings of a provider's server; it is asked once for the same."""
    from ..jobs.tasks.server_settings import SettingsQuery, read_server_settings

    query = SettingsQuery(
        provider.id,
        provider.server_settings_key(settings),
        base_url(provider, host.preferences, os.environ),
        settings=settings,
        files=files,
        keys=keys_for(provider, host.preferences, os.environ),
        online=host.online,
    )
    asked = (query, *sorted(digests_of(files).items()))
    if asked not in _read:
        _read[asked] = read_server_settings(query)
    return _read[asked]


def model_at(
    host: BlenderHost, provider: Provider[Any], given: Mapping[str, object]
) -> tuple[type[Settings], SettingList]:
    """Return a provider's settings together with those of its server, and what the server said."""
    from ..providers._shared.adapters import parse_settings

    settings = parse_settings(provider.settings, given)
    found = read_list(host, provider, settings, read_setting_files(settings))
    return _model(provider, found), found


def _model(provider: Provider[Any], found: SettingList) -> type[Settings]:
    from ..providers._shared.server_settings import settings_with

    model: type[Settings] = settings_with(provider.settings, found.rows)
    return model
