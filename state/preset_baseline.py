# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a scene's settings started from: a preset's, or the provider's defaults.

Panels mark settings that differ, and reset them with one click. The scene stores a preset's values
as they were when it was chosen, so that drawing reads no file.
"""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from enum import Enum
from typing import Any, NamedTuple

import bpy

from ..providers import Provider, Settings, values_of
from .scene_properties import choices_of, read_settings, write_settings
from .server.kept import kept_settings, reset_server_values
from .subject_box import ENDS


class Baseline(NamedTuple):
    """The preset's name, empty for the defaults, and its values by setting."""

    preset: str
    values: dict[str, Any]


def baseline_of(scene: bpy.types.Scene, provider: Provider[Any]) -> Baseline:
    """Return the baseline of the scene's settings for a provider.

    Settings that the preset lacks have their default values. Without a preset, all settings do.
    """
    kept = _parse_baselines(choices_of(scene).baselines).get(provider.id)
    of_server = kept_settings(scene, provider).settings
    values = {**_defaults(provider), **{name: row.default for name, row in of_server.items()}}
    # Scripts and other versions can write the property, too.
    if not isinstance(kept, list) or len(kept) != 2 or not isinstance(kept[1], dict):
        return Baseline("", values)
    return Baseline(str(kept[0]), {**values, **kept[1]})


def keep_baseline(scene: bpy.types.Scene, provider: Provider[Any], preset: str) -> None:
    """Make the current settings the baseline, named after a preset.

    If `preset` is empty, the provider's defaults become the baseline instead.
    """
    kept = dict(_parse_baselines(choices_of(scene).baselines))
    kept.pop(provider.id, None)
    if preset:
        now, declared = _plain(read_settings(scene, provider)), _defaults(provider)
        # Without the settings of a server, which presets do not hold.
        kept[provider.id] = [preset, {name: now[name] for name in declared}]
    choices_of(scene).baselines = json.dumps(kept) if kept else ""


def differing(settings: Settings, baseline: Baseline) -> frozenset[str]:
    """Return the names of the settings that differ from the baseline."""
    now = _plain(settings)
    return frozenset(name for name, value in now.items() if value != baseline.values.get(name))


def take_back(scene: bpy.types.Scene, provider: Provider[Any], *names: str) -> None:
    """Reset the named settings to the baseline, or all of them if none is named."""
    values = baseline_of(scene, provider).values
    now = read_settings(scene, provider)
    chosen = {name: values[name] for name in _plain(now) if not names or name in names}
    of_server = kept_settings(scene, provider).settings.keys() & chosen.keys()
    back = {name: value for name, value in chosen.items() if name not in of_server}
    write_settings(scene, provider, replace(now, **back))
    if of_server:
        reset_server_values(scene, provider, of_server)


# Cached by its text, since every draw asks for the baseline several times.
@functools.lru_cache(maxsize=8)
def _parse_baselines(text: str) -> dict[str, Any]:
    try:
        kept = json.loads(text) if text else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


# Providers are singletons, so this computes the defaults once for each.
@functools.lru_cache(maxsize=32)
def _defaults(provider: Provider[Any]) -> dict[str, Any]:
    return _plain(provider.settings())


def _plain(settings: Settings) -> dict[str, Any]:
    """Return the values that a preset can hold: all except the box, which belongs to an image."""
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in values_of(settings).items()
        if name not in ENDS
    }
