# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and their values as texts: in tooltips of presets, and for a result."""

from __future__ import annotations

import functools
import json
from typing import Any

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...providers import Setting, all_providers, settings_of

MOST = 4
"""Maximum number of settings in the line for a result."""


def value_text(setting: Setting, value: Any) -> str:
    """Return a value as the panel shows it, translated: “Relief”, “On”, “4,000”."""
    if value is None:
        return tr("Automatic")
    if title := next((item.title for item in setting.choices if item.value == value), ""):
        return tr(title)
    if isinstance(value, bool):
        return tr("On") if value else tr("Off")
    return value if isinstance(value, str) else f"{value:,}"


def changed_text(entry: jobs.Entry) -> str:
    """Return a result's settings that differ from their defaults: “Shape: Relief, Faces: 4,000”.

    At most `MOST` of them, in the order of the panel; empty if nothing differs.
    """
    return _changed_text(entry.provider, entry.settings, bpy.app.translations.locale)


@functools.lru_cache(maxsize=64)  # a panel draws the same result again and again
def _changed_text(name: str, text: str, _locale: str) -> str:
    provider = all_providers().get(name)
    try:
        changed = json.loads(text)
    except ValueError:  # a damaged index
        return ""
    if provider is None or not isinstance(changed, dict):
        return ""
    texts = [
        f"{tr(setting.title)}: {value_text(setting, changed[setting.name])}"
        for setting in settings_of(provider.settings)
        if isinstance(changed.get(setting.name), str | int | float)
    ]
    return ", ".join(texts[:MOST]) + (", ..." if texts[MOST:] else "")
