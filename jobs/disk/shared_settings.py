# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider's settings as a JSON file, which users share.

Such a file may come from a stranger. It is data: it contains no key, no address, and no path of a
file, and the settings in it pass the same checks as those that the user enters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ...providers import (
    InvalidSettings,
    Message,
    Provider,
    Settings,
    changed_values,
    get_provider,
    os_reason,
    settings_of,
)

VERSION = 1
MARK = "image_to_mesh_settings"
"""The field that says that a JSON file has settings, and in which version."""
LARGEST = 200_000
"""Maximum bytes of a file; those that are written have about 1,000."""
ANOTHER = "Choose a file that was saved with Export Settings."


class SharedSettings(NamedTuple):
    """A provider, and values for some of its settings; the others have their defaults."""

    provider: Provider[Any]
    values: dict[str, Any]

    @property
    def settings(self) -> Settings:
        """The settings. Raises InvalidSettings for values that the provider does not take."""
        from ...providers._shared.adapters import parse_settings

        settings: Settings = parse_settings(self.provider.settings, self.values)
        return settings


def encode_settings(provider: Provider[Any], settings: Settings, without: Iterable[str]) -> bytes:
    """Return a file with the declared settings that are changed, except for files and `without`."""
    shared = {
        setting.name
        for setting in settings_of(provider.settings)
        if setting.kind != "file" and setting.name not in without
    }
    values = {name: value for name, value in changed_values(settings).items() if name in shared}
    data = {MARK: VERSION, "provider": provider.id, "settings": values}
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def read_shared_settings(path: Path) -> SharedSettings:
    """Return what a file contains, with its values checked.

    Raises InvalidSettings if it cannot be read, is not such a file, or has values that the provider
    does not take.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _refusal(path, os_reason(error)) from error
    if len(data) > LARGEST:
        raise _refusal(path, Message.of("it is too large"))
    found = _decode(path, data)
    names = {setting.name for setting in settings_of(found.provider.settings) if setting.file}
    if names & found.values.keys():  # guard: shared-settings-name-no-files
        raise _refusal(path, Message.of("it names a file of this computer"))
    _ = found.settings  # raises an error that names the setting
    return found


def _decode(path: Path, data: bytes) -> SharedSettings:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _refusal(path, Message.of("it is not JSON")) from error
    if not isinstance(content, dict) or content.get(MARK) != VERSION:
        raise _refusal(path, Message.of("it contains no settings of this version"))
    values = content.get("settings")
    plain = isinstance(values, dict) and all(
        value is None or isinstance(value, bool | int | float | str) for value in values.values()
    )
    if not isinstance(values, dict) or not plain:
        raise _refusal(path, Message.of("it contains no settings of this version"))
    return SharedSettings(get_provider(str(content.get("provider"))), values)


def _refusal(path: Path, reason: str) -> InvalidSettings:
    return InvalidSettings(
        Message("{path} cannot be used: {reason}.", path=path.name, reason=reason), ANOTHER
    )
