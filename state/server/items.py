# SPDX-License-Identifier: GPL-3.0-or-later
"""The items of the scene's collection: one for each setting, with a field for each kind of value.

The fields store nothing themselves: they read and write the scene's text of JSON. A number is
fitted into the bounds and steps of its setting when it is entered, as Blender does for others; a
value that a server refuses later stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    StringProperty,
)

from ...i18n.translate import CONTEXT
from ...providers import Setting, all_providers
from ..menus.numbers import INT_LIMIT, distinct_numbers
from ..optional_switch import choice_property
from .kept import ITEMS, NOTHING, TEXT, Kept, is_on, parse_text, write_kept

FIELDS = {"bool": "flag", "int": "whole", "float": "number", "str": "text", "enum": "choice"}
"""The field of an item that edits a setting, by the setting's kind."""
NO_CHOICE = 0
"""Number of the menu's entry for a setting that has no value yet."""


def classes() -> list[type]:
    """Return the class of the items if any provider's server has settings, else an empty list.

    Registering a class takes time at every start of Blender.
    """
    for provider in all_providers().values():
        if provider.has_server_settings:
            return [_item_class()]
    return []


def properties() -> dict[str, Any]:
    """Return the scene's properties for the text and the items, by name, if `classes` has some."""
    made = classes()
    if not made:
        return {}
    return {
        TEXT: StringProperty(options={"HIDDEN"}),
        ITEMS: CollectionProperty(type=made[0], options={"HIDDEN"}),
    }


def field_of(kept: Kept, setting: Setting) -> str:
    """Return the field of an item that edits a setting.

    A whole number that Blender cannot hold is edited as text, as is a text that should be a number.
    """
    value = kept.values.get(setting.name, setting.default)
    if setting.kind in ("int", "float") and isinstance(value, str):
        return "text"
    is_large = setting.kind == "int" and isinstance(value, int) and abs(value) > INT_LIMIT
    return "text" if is_large else FIELDS[setting.kind]


def _find_kept(item: Any) -> Kept:
    text = getattr(item.id_data.image_to_mesh, TEXT)
    return parse_text(text).get(item.provider, NOTHING)


def _setting(item: Any) -> Setting | None:
    return _find_kept(item).settings.get(item.name)


def _value(item: Any) -> Any:
    kept = _find_kept(item)
    setting = kept.settings.get(item.name)
    return kept.values.get(item.name, setting.default if setting else None)


def _change(item: Any, change: Callable[[Kept], Kept]) -> None:
    provider, kept = all_providers().get(item.provider), _find_kept(item)
    if provider is not None and item.name in kept.settings:
        write_kept(item.id_data, provider, change(kept))


def _store(item: Any, value: Any) -> None:
    name = item.name
    _change(item, lambda kept: kept.with_value(name, value))


def _get_use(item: Any) -> bool:
    return item.name in _find_kept(item).settings and is_on(_find_kept(item), item.name)


def _set_use(item: Any, value: bool) -> None:
    name = item.name
    _change(item, lambda kept: kept.with_switch(name, on=value))


def _get_flag(item: Any) -> bool:
    return _value(item) is True


def _number(item: Any) -> float:
    value, setting = _value(item), _setting(item)
    if isinstance(value, int | float):
        return value
    return (setting.minimum if setting else None) or 0


def _get_whole(item: Any) -> int:
    return int(max(-INT_LIMIT, min(INT_LIMIT, _number(item))))


def _get_number(item: Any) -> float:
    return float(_number(item))


def _set_number(item: Any, value: float) -> None:
    from ...providers._shared.server_settings import fit_number
    from ..scene_properties import round_to_declared

    setting = _setting(item)
    if setting is not None:
        plain = round_to_declared(value) if setting.kind == "float" else value
        _store(item, fit_number(setting, plain))


def _get_text(item: Any) -> str:
    value = _value(item)
    return "" if value is None else str(value).replace("\0", "")


def _set_text(item: Any, value: str) -> None:
    from ...providers._shared.server_settings import as_kind

    setting = _setting(item)
    if setting is not None and setting.kind == "int" and value.strip().lstrip("-").isdecimal():
        return _store(item, int(value))
    return _store(item, as_kind("str", value))


def _menu(item: Any, _context: Any) -> list[tuple[str, str, str, str, int]]:
    """Return the entries of a setting's menu: its choices, and its value if that is another."""
    kept, setting, value = _find_kept(item), _setting(item), _value(item)
    if setting is None:
        return []
    if item.name not in kept.cache:
        entries = {
            _identifier(choice.value): (choice.title, choice.description, "NONE")
            for choice in setting.choices
        }
        if value is None:
            entries = {"no_value": ("Not Set", "", "NONE"), **entries}
        else:
            entries.setdefault(_identifier(value), (str(value), "Not at this server", "ERROR"))
        numbers = {**distinct_numbers(entries), "no_value": NO_CHOICE}
        kept.cache[item.name] = [
            (identifier, *shown, numbers[identifier]) for identifier, shown in entries.items()
        ]
    return kept.cache[item.name]


def _numbers(item: Any) -> dict[str, int]:
    """Return the numbers of the menu's entries by their identifiers."""
    return {entry[0]: entry[-1] for entry in _menu(item, None)}


def _get_choice(item: Any) -> int:
    value = _value(item)
    return NO_CHOICE if value is None else _numbers(item).get(_identifier(value), NO_CHOICE)


def _set_choice(item: Any, number: int) -> None:
    setting, numbers = _setting(item), _numbers(item)
    for choice in setting.choices if setting else ():
        if numbers[_identifier(choice.value)] == number:
            return _store(item, choice.value)
    return None


def _identifier(value: object) -> str:
    """Return a choice's identifier, or "empty": Blender draws items without one as headings."""
    return str(value) or "empty"


@functools.cache
def _item_class() -> type:
    """Return the class of the items: their provider, and the fields.

    `use` is the switch of an optional setting, and `switch` the menu of an optional switch.
    """
    common: dict[str, Any] = {
        "name": "Value",
        "description": "Setting that the server has",
        "options": set(),
        "translation_context": CONTEXT,
    }
    annotations = {
        "provider": StringProperty(options={"HIDDEN"}),
        "use": BoolProperty(**common, get=_get_use, set=_set_use),
        "flag": BoolProperty(**common, get=_get_flag, set=_store),
        "whole": IntProperty(**common, get=_get_whole, set=_set_number),
        "number": FloatProperty(**common, precision=3, get=_get_number, set=_set_number),
        "text": StringProperty(**common, get=_get_text, set=_set_text),
        "choice": EnumProperty(**common, items=_menu, get=_get_choice, set=_set_choice),
        "switch": choice_property("use", "flag", **common),
    }
    body = {"__module__": __name__, "__annotations__": annotations}
    return type("IMAGE_TO_MESH_PG_server_row", (bpy.types.PropertyGroup,), body)
