# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that a preset's file changes, for the tooltips of the menu."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ...i18n.translate import tr
from ...providers import Provider, Settings, changed_values, settings_of
from ...state.results.setting_texts import value_text
from ...state.scene_properties import property_name, read_group, switch_name, write_group

LARGEST = 100_000
"""Bytes of a preset's file that are read; those that the menu saves have about 1,000."""
NOT_A_PRESET = (
    *(OSError, ValueError, SyntaxError, AttributeError, TypeError, OverflowError),
    # ast raises these for values within values.
    *(RecursionError, MemoryError),
)
"""What reading a file raises that is no preset, or holds values that a setting cannot have."""
_TYPES = {"bool": bool, "int": int, "float": (int, float), "enum": str, "str": str, "file": str}


def describe_preset(file: Path, provider: Provider[Any]) -> str:
    """Return a line for each setting that a preset changes from its default, translated.

    The file is read, not executed. Empty if it is not a preset's.
    """
    try:
        settings = _read_preset(file, provider)
    except NOT_A_PRESET:
        return ""
    changed = changed_values(settings)
    lines = [
        f"{tr(setting.title)}: {value_text(setting, getattr(settings, setting.name))}"
        for setting in settings_of(type(settings))
        if setting.name in changed
    ]
    rest = "Default values for the other settings" if lines else "Default values for all settings"
    return "\n".join([*lines, tr(rest)])


def _read_preset(file: Path, provider: Provider[Any]) -> Settings:
    """Return the defaults with the values that a preset assigns to attributes."""
    with file.open(encoding="utf-8") as stream:
        tree = ast.parse(stream.read(LARGEST))
    group, types = SimpleNamespace(), _types(provider)
    write_group(group, provider.settings())
    for node in tree.body:
        # The line that names the group assigns to a plain name.
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            name, value = node.targets[0].attr, ast.literal_eval(node.value)
            if not isinstance(value, types.get(name, object)):
                raise TypeError(f"{name} cannot be {value!r:.40}")
            setattr(group, name, value)
    return read_group(group, provider.settings)


def _types(provider: Provider[Any]) -> dict[str, Any]:
    """Return the types of values that each property of a provider's settings takes."""
    settings = settings_of(provider.settings)
    return {
        **{switch_name(setting.name): bool for setting in settings},
        **{property_name(setting.name): _TYPES[setting.kind] for setting in settings},
    }
