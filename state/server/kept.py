# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only a server knows, in a scene: one text of JSON, and the fields that edit it.

The text holds what the server said and what the user chose, by provider: address and date, and for
each setting its name, type, bounds, and value. They are no registered properties, since another
server has others. Instead, a collection has an item for each, whose fields read and write the text.
So the values are saved with the file, and each edit is an undo step.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import bpy

from ...providers import Message, Provider, Setting, Settings, all_providers, values_of
from ...providers._shared.settings import is_same
from ...providers._shared.untrusted_text import clean

TEXT = "server_settings"
"""The scene's property with the JSON text."""
ITEMS = "server_rows"
"""The scene's collection with an item for each setting."""
MOST_TEXT = 4_000_000
"""Characters of JSON text that are read; a script could write more."""
MOST_ROWS = 1000
"""Rows that are read, to find the usable ones among them."""


class Kept(NamedTuple):
    """The settings of one server that a scene holds, and their values.

    `values` has the chosen ones by name, and `switches` whether optional ones are sent, if the user
    decided that. `gone` names those that were changed, and that the server no longer has. `cache`
    is for what is made of all this, such as the texts of menus, which Blender does not copy.
    """

    settings: Mapping[str, Setting]
    values: Mapping[str, Any]
    switches: Mapping[str, bool]
    gone: frozenset[str]
    address: str
    date: str
    key: str
    cache: dict[Any, Any]

    def with_value(self, name: str, value: Any) -> Kept:
        """Return a copy with a chosen value; the default counts as none, and so follows it."""
        values = {other: item for other, item in self.values.items() if other != name}
        if not is_same(value, self.settings[name].default):
            values[name] = value
        return self._replace(values=values)

    def with_switch(self, name: str, *, on: bool) -> Kept:
        """Return a copy in which an optional setting is switched on or off."""
        switches = {other: item for other, item in self.switches.items() if other != name}
        if on != (self.settings[name].default is not None):
            switches[name] = on
        return self._replace(switches=switches)


NOTHING = Kept({}, {}, {}, frozenset(), "", "", "", {})


def kept_settings(scene: bpy.types.Scene, provider: Provider[Any]) -> Kept:
    """Return the settings of the provider's server that a scene holds, which may be none."""
    if not provider.has_server_settings:
        return NOTHING
    return parse_text(getattr(scene.image_to_mesh, TEXT)).get(provider.id, NOTHING)


def with_server_values(
    scene: bpy.types.Scene, provider: Provider[Any], settings: Settings
) -> Settings:
    """Return declared settings together with those of the server, with the scene's values."""
    from ...providers._shared.server_settings import settings_with

    kept = kept_settings(scene, provider)
    if not kept.settings:
        return settings
    model = kept.cache.get(type(settings))
    if model is None:
        model = settings_with(type(settings), tuple(kept.settings.values()), kept.gone)
        kept.cache[type(settings)] = model
    own = {name: effective_value(kept, name) for name in kept.settings}
    made: Settings = model(**values_of(settings), **own)
    return made


def write_server_values(
    scene: bpy.types.Scene, provider: Provider[Any], values: Mapping[str, Any]
) -> None:
    """Choose values for settings that the scene holds; others are ignored.

    None switches an optional setting off.
    """
    kept = kept_settings(scene, provider)
    for name in kept.settings.keys() & values.keys():
        if kept.settings[name].optional:
            kept = kept.with_switch(name, on=values[name] is not None)
        if values[name] is not None:
            kept = kept.with_value(name, values[name])
    if kept.settings:
        write_kept(scene, provider, kept)


def reset_server_values(
    scene: bpy.types.Scene, provider: Provider[Any], names: Iterable[str]
) -> None:
    """Drop the chosen values of these settings, and the settings that the server no longer has."""
    kept, dropped = kept_settings(scene, provider), set(names)
    lost = kept.gone & dropped
    write_kept(
        scene,
        provider,
        kept._replace(
            settings={name: item for name, item in kept.settings.items() if name not in lost},
            values={name: item for name, item in kept.values.items() if name not in dropped},
            switches={name: item for name, item in kept.switches.items() if name not in dropped},
            gone=kept.gone - lost,
        ),
    )


def keep_server_settings(scene: bpy.types.Scene, provider: Provider[Any], found: Any) -> None:
    """Store what a server said, a `SettingList`; chosen values stay, also those that it refuses.

    A setting that the server no longer has stays if the user changed it, until it is reset. If the
    server was asked about something else, such as another model, its other settings replace all.
    """
    from ...providers._shared.server_settings import as_kind

    kept = kept_settings(scene, provider)
    settings = {row.name: row for row in found.rows}
    changed = kept.values.keys() | kept.switches.keys()
    gone = frozenset(changed - settings.keys()) if found.key == kept.key else frozenset()
    settings |= {name: kept.settings[name] for name in kept.settings if name in gone}
    values = {
        name: as_kind(settings[name].kind, value, settings[name].choices)
        for name, value in kept.values.items()
        if name in settings
    }
    switches = {name: on for name, on in kept.switches.items() if name in settings}
    rows = Kept(settings, values, switches, gone, found.address, found.date, found.key, {})
    write_kept(scene, provider, rows)


def effective_value(kept: Kept, name: str) -> Any:
    """Return the value of a setting that is sent; None if it is switched off or has none."""
    if not is_on(kept, name):
        return None
    return kept.values.get(name, kept.settings[name].default)


def is_on(kept: Kept, name: str) -> bool:
    """Return whether a setting is sent; only optional ones can be switched off."""
    setting = kept.settings[name]
    return not setting.optional or kept.switches.get(name, setting.default is not None)


def server_problem(kept: Kept, address: str, key: str) -> str:
    """Return why the settings of the scene cannot be used with the server at `address`.

    `key` is the provider's `server_settings_key`. Empty if they can, or if they do not exist.
    """
    if not kept.settings or (kept.address, kept.key) == (address, key):
        return ""
    if kept.address == address:
        return "The server has other settings for this choice: click Get Settings"
    return Message("The settings are those of {address}: click Get Settings", address=kept.address)


# -- the text ------------------------------------------------------------------------------------


# Cached by the text, since every draw reads it several times.
@functools.lru_cache(maxsize=16)
def parse_text(text: str) -> Mapping[str, Kept]:
    """Return what a text holds, by provider; without what no server could have said."""
    known = all_providers()
    return {
        name: _parse_provider(value, known[name].settings)
        for name, value in _objects_in(text).items()
        if name in known
    }


def _objects_in(text: str) -> dict[str, Mapping[str, Any]]:
    """Return the text's objects by provider, also those of providers that do not exist here."""
    try:
        data = json.loads(text) if text and len(text) <= MOST_TEXT else {}
    except (ValueError, RecursionError):
        return {}
    found = data if isinstance(data, dict) else {}
    return {name: value for name, value in found.items() if isinstance(value, dict)}


def _parse_provider(data: Mapping[str, Any], model: type[Settings]) -> Kept:
    from ...providers._shared.server_settings import as_kind, decode_setting, usable_rows

    rows = data.get("settings")
    listed = rows[:MOST_ROWS] if isinstance(rows, list) else []
    decoded = [(decode_setting(row), row) for row in listed]
    # The text may come from a stranger's file, so its rows are judged as those of a server.
    usable = usable_rows(model, (setting for setting, _ in decoded if setting is not None))[0]
    settings = {setting.name: setting for setting in usable}
    values: dict[str, Any] = {}
    switches: dict[str, bool] = {}
    gone: set[str] = set()
    for setting, row in decoded:
        if setting is None or settings.get(setting.name) is not setting:
            continue
        value = as_kind(setting.kind, row.get("value"), setting.choices)
        if value is not None:
            values[setting.name] = value
        if isinstance(row.get("on"), bool):
            switches[setting.name] = row["on"]
        if row.get("gone") is True:
            gone.add(setting.name)
    address, date, key = (_text_in(data, name) for name in ("address", "date", "key"))
    # The panel shows the first two.
    shown = clean(address), clean(date, 40)
    return Kept(settings, values, switches, frozenset(gone), *shown, key, {})


def _text_in(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def write_kept(scene: bpy.types.Scene, provider: Provider[Any], kept: Kept) -> None:
    """Store the settings of a provider's server, and make the collection's items theirs."""
    choices = scene.image_to_mesh
    data = {**_objects_in(getattr(choices, TEXT)), provider.id: _encode(kept)}
    setattr(choices, TEXT, json.dumps(data, ensure_ascii=False))
    items = getattr(choices, ITEMS)
    present = [item.name for item in items if item.provider == provider.id]
    if present != list(kept.settings):
        _replace_items(items, provider.id, kept.settings)


def _encode(kept: Kept) -> dict[str, Any]:
    from ...providers._shared.server_settings import encode_setting

    rows = []
    for name, setting in kept.settings.items():
        row = encode_setting(setting)
        row |= {"value": kept.values[name]} if name in kept.values else {}
        row |= {"on": kept.switches[name]} if name in kept.switches else {}
        rows.append(row | ({"gone": True} if name in kept.gone else {}))
    return {"address": kept.address, "date": kept.date, "key": kept.key, "settings": rows}


def _replace_items(items: Any, provider: str, names: Iterable[str]) -> None:
    for index in reversed(range(len(items))):
        if items[index].provider == provider:
            items.remove(index)
    for name in names:
        item = items.add()
        item.name, item.provider = name, provider
