# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene's settings started from: a preset, or the provider's defaults.

The panel marks what differs from it, and one click takes it back. A preset's values are kept with
the scene as they were when it was chosen, so that drawing reads no file.
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


class Baseline(NamedTuple):
    """A preset's name, empty for the defaults, and its values by setting."""

    preset: str
    values: dict[str, Any]


def baseline_of(scene: bpy.types.Scene, provider: Provider[Any]) -> Baseline:
    """Return what the scene's settings of a provider started from."""
    kept = _kept(choices_of(scene).baselines).get(provider.id)
    values = _defaults(provider)
    if not isinstance(kept, list) or len(kept) != 2 or not isinstance(kept[1], dict):
        return Baseline("", values)
    return Baseline(str(kept[0]), {**values, **kept[1]})


def keep_baseline(scene: bpy.types.Scene, provider: Provider[Any], preset: str) -> None:
    """Take the settings as they are now for where changes count from; none of no preset."""
    kept = dict(_kept(choices_of(scene).baselines))
    kept.pop(provider.id, None)
    if preset:
        kept[provider.id] = [preset, _plain(read_settings(scene, provider))]
    choices_of(scene).baselines = json.dumps(kept) if kept else ""


def differing(settings: Settings, baseline: Baseline) -> frozenset[str]:
    """Return the names of the settings that are not as they started."""
    now = _plain(settings)
    return frozenset(name for name, value in now.items() if value != baseline.values.get(name))


def take_back(scene: bpy.types.Scene, provider: Provider[Any], *names: str) -> None:
    """Set settings to what they started from: all without a name."""
    values = baseline_of(scene, provider).values
    now = read_settings(scene, provider)
    back = {name: values[name] for name in values_of(now) if not names or name in names}
    write_settings(scene, provider, replace(now, **back))


@functools.lru_cache(maxsize=8)
def _kept(text: str) -> dict[str, Any]:
    try:
        kept = json.loads(text) if text else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


@functools.lru_cache(maxsize=32)
def _defaults(provider: Provider[Any]) -> dict[str, Any]:
    return _plain(provider.settings())


def _plain(settings: Settings) -> dict[str, Any]:
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in values_of(settings).items()
    }
