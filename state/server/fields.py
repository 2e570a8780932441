# SPDX-License-Identifier: GPL-3.0-or-later
"""The property that edits a setting: its own, or for a server's setting a field of an item."""

from __future__ import annotations

from typing import Any, NamedTuple

import bpy

from ...providers import Provider, Setting
from ..optional_switch import choice_name
from ..scene_properties import choices_of, switch_name
from .items import field_of
from .kept import ITEMS, kept_settings


class Field(NamedTuple):
    """The property that edits a setting: `value` of `data`.

    `text` replaces the property's title, which is the same for all settings of a server.
    """

    data: Any
    setting: Setting
    value: str
    text: str = ""

    @property
    def switch(self) -> str:
        """The property that says whether an optional setting is sent."""
        return "use" if self.text else switch_name(self.setting.name)

    @property
    def menu(self) -> str:
        """The property with the menu of an optional switch."""
        return "switch" if self.text else choice_name(self.setting.name)


def server_fields(scene: bpy.types.Scene, provider: Provider[Any]) -> dict[str, Field]:
    """Return the fields of the settings of a provider's server, by name."""
    kept = kept_settings(scene, provider)
    items = {
        item.name: item
        for item in getattr(choices_of(scene), ITEMS)
        if item.provider == provider.id
    }
    return {
        name: Field(items[name], setting, field_of(kept, setting), setting.title)
        for name, setting in kept.settings.items()
        if name in items
    }
