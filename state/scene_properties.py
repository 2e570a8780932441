# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of a scene: its images, its provider, and one group of settings per provider.

The groups are created from the providers' declarations once, on registration, so values survive
switching providers, undo, and saving the file.
"""

from __future__ import annotations

import functools
import math
import struct
import typing
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..i18n.translate import CONTEXT, label
from ..preferences.fields import path_arguments
from ..providers import Message, Provider, Setting, Settings, all_providers, settings_of, values_of
from . import import_options, views
from .menus.numbers import INT_LIMIT, number_of
from .optional_switch import choice_name, choice_property
from .server import items as server_items
from .server import kept as server
from .updates import live_preview

# From this ratio of maximum to minimum, the lower end is a useless initial value.
MAGNITUDES = 100

_registered: list[type] = []
"""Property groups in the order of registration; Blender requires the reverse to unregister them."""


def choices_of(scene: bpy.types.Scene) -> Any:
    """Return the scene's property group, `Scene.image_to_mesh`."""
    return scene.image_to_mesh


def provider_of(scene: bpy.types.Scene) -> Provider[Any]:
    """Return the scene's provider, or the first one if the file names an unknown one."""
    known = all_providers()
    return known.get(choices_of(scene).provider) or next(iter(known.values()))


def group_of(scene: bpy.types.Scene, provider: Provider[Any]) -> Any:
    """Return the scene's property group for a provider's settings."""
    return getattr(choices_of(scene), provider.id)


@functools.cache
def property_name(name: str) -> str:
    """Return the property name for a setting; a name that is built into RNA gets an underscore."""
    return f"{name}_" if name == "name" or hasattr(bpy.types.PropertyGroup, name) else name


def switch_name(name: str) -> str:
    """Return the name of the property that says whether an optional setting is sent."""
    return f"use_{name}"


def read_settings(scene: bpy.types.Scene, provider: Provider[Any]) -> Settings:
    """Return the scene's settings for a provider, with lengths in meters."""
    settings = read_group(group_of(scene, provider), provider.settings)
    settings = _lengths_times(settings, _meters(scene))
    if provider.has_server_settings:
        return server.with_server_values(scene, provider, settings)
    return settings


def taken_views(scene: bpy.types.Scene) -> tuple[str, ...]:
    """Return the views that the scene's provider takes with its current settings."""
    provider = provider_of(scene)
    # Most providers take the same views with all settings, which then need not be read.
    is_fixed = type(provider).views_for is Provider.views_for
    return provider.views if is_fixed else provider.views_for(read_settings(scene, provider))


def read_group(group: Any, model: type[Settings]) -> Settings:
    """Return the values of a settings group as an instance of its declaration.

    An optional setting that is switched off is None; an unknown choice is replaced by the default.
    """
    return model(**{setting.name: _read(group, setting) for setting in settings_of(model)})


def write_settings(scene: bpy.types.Scene, provider: Provider[Any], settings: Settings) -> None:
    """Store settings, with lengths in meters, in the scene."""
    write_group(group_of(scene, provider), _lengths_times(settings, 1.0 / _meters(scene)))
    if provider.has_server_settings:
        server.write_server_values(scene, provider, values_of(settings))


def _meters(scene: bpy.types.Scene) -> float:
    """Return the length of a scene unit in meters."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else round_to_declared(units.scale_length)


def _lengths_times(settings: Settings, factor: float) -> Settings:
    if factor == 1.0:
        return settings
    changed: dict[str, Any] = {}
    for setting in settings_of(type(settings)):
        value = getattr(settings, setting.name)
        if setting.unit == "length" and value is not None:
            # The property's bounds are those of the setting, but apply to scene units: converted to
            # meters, a value may exceed them.
            low = -math.inf if setting.minimum is None else setting.minimum
            high = math.inf if setting.maximum is None else setting.maximum
            changed[setting.name] = round_to_declared(min(max(value * factor, low), high))
    return replace(settings, **changed)


def write_group(group: Any, settings: Settings) -> None:
    """Store settings in a property group; None switches an optional setting off."""
    for setting in settings_of(type(settings)):
        if not setting.from_server:
            write_value(group, setting, getattr(settings, setting.name))


def write_value(group: Any, setting: Setting, value: Any) -> None:
    """Store one setting in its property group; None switches an optional setting off."""
    if setting.optional:
        setattr(group, switch_name(setting.name), value is not None)
    if value is not None:
        setattr(group, property_name(setting.name), _as_property(setting, value))


def settings_group(name: str, model: type[Settings]) -> type:
    """Create the property group class for a declaration of settings, without registering it."""
    annotations: dict[str, Any] = {}
    for setting in settings_of(model):
        if setting.optional:
            annotations[switch_name(setting.name)] = BoolProperty(
                name=setting.title,
                description=label(
                    "{description}. If off, the service's default is used",
                    description=Message.of(setting.description),
                ),
                default=setting.default is not None,
                options=set(),
                translation_context=CONTEXT,
            )
            if setting.kind == "bool":
                annotations[choice_name(setting.name)] = choice_property(
                    switch_name(setting.name),
                    property_name(setting.name),
                    setting.choices,
                    **_common(setting),
                )
        annotations[property_name(setting.name)] = _PROPERTIES[setting.kind](setting)
    return _group_class(f"IMAGE_TO_MESH_PG_{name}", annotations)


def round_to_declared(value: float) -> float:
    """Return the shortest decimal with the same 32-bit value: 0.9, not 0.8999999761581421."""
    # 6 to 9 significant digits identify any 32-bit float.
    for digits in range(6, 9):
        candidate = float(f"{value:.{digits}g}")
        if struct.pack("f", candidate) == struct.pack("f", value):
            return candidate
    return value


def register() -> None:
    """Register the property groups and attach them to scenes and the window manager."""
    groups = {
        provider.id: settings_group(provider.id, provider.settings)
        for provider in all_providers().values()
    }
    _registered.extend(groups.values())
    _registered.extend((*import_options.classes, *server_items.classes()))
    _registered.append(_scene_group(groups))
    _registered.append(_shelf_group())
    for made in _registered:
        bpy.utils.register_class(made)
    # The scene's group is saved in files, the gallery's is not.
    bpy.types.Scene.image_to_mesh = PointerProperty(type=_registered[-2])
    bpy.types.WindowManager.image_to_mesh = PointerProperty(type=_registered[-1])


def unregister() -> None:
    """Remove the properties; files keep their values."""
    del bpy.types.Scene.image_to_mesh
    del bpy.types.WindowManager.image_to_mesh
    while _registered:
        bpy.utils.unregister_class(_registered.pop())


def _scene_group(groups: dict[str, type]) -> type:
    annotations: dict[str, Any] = {
        "provider": EnumProperty(
            name="Provider",
            description="Service that generates the mesh",
            items=[
                _item(provider.id, provider.label, provider.description)
                for provider in all_providers().values()
            ],
            default=next(iter(groups)),
            options=set(),
        ),
        "baselines": StringProperty(options={"HIDDEN"}),
        **server_items.properties(),
        **views.pictures(),
        **live_preview.switch(),
    }
    for name, group in groups.items():
        annotations[name] = PointerProperty(type=group)
    annotations |= import_options.pointers()
    return _group_class("IMAGE_TO_MESH_PG_scene", annotations)


def _shelf_group() -> type:
    from .results.shelf import shelf_properties

    return _group_class("IMAGE_TO_MESH_PG_shelf", shelf_properties())


def _group_class(name: str, annotations: dict[str, Any]) -> type:
    body = {"__module__": __name__, "__annotations__": annotations}
    return type(name, (bpy.types.PropertyGroup,), body)


def _bool(setting: Setting) -> Any:
    return BoolProperty(**_common(setting), default=bool(setting.default))


def _int(setting: Setting) -> Any:
    low = -INT_LIMIT if setting.minimum is None else max(int(setting.minimum), -INT_LIMIT)
    high = INT_LIMIT if setting.maximum is None else min(int(setting.maximum), INT_LIMIT)
    subtype = {"pixel": "PIXEL", "factor": "FACTOR"}.get(setting.unit, "NONE")
    start = _start(setting, low, high)
    return IntProperty(**_common(setting), default=int(start), min=low, max=high, subtype=subtype)


def _float(setting: Setting) -> Any:
    bounds = {"min": setting.minimum, "max": setting.maximum}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    subtype = {"length": "DISTANCE", "factor": "FACTOR", "pixel": "PIXEL"}.get(setting.unit, "NONE")
    return FloatProperty(
        **_common(setting),
        **given,
        default=_start(setting, setting.minimum, setting.maximum),
        subtype=subtype,
        unit="LENGTH" if setting.unit == "length" else "NONE",
        precision=3,
    )


def _str(setting: Setting) -> Any:
    path = path_arguments() if setting.file else {}
    return StringProperty(**{**_common(setting), **path}, default=str(setting.default or ""))


def _enum(setting: Setting) -> Any:
    default = setting.choices[0].value if setting.default is None else setting.default
    return EnumProperty(
        **_common(setting),
        items=[
            _item(_identifier(choice.value), choice.title, choice.description)
            for choice in setting.choices
        ],
        default=_identifier(default),
    )


_PROPERTIES: dict[str, Callable[[Setting], Any]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "str": _str,
    "file": _str,
    "enum": _enum,
}


def _common(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.title,
        "description": setting.description,
        "options": set(),
        "translation_context": CONTEXT,
        "update": live_preview.note_change,
    }


def _start(setting: Setting, low: float | None, high: float | None) -> float:
    """Return the declared default, or a legal initial value for an optional setting.

    That is the legal value nearest to zero. If the range spans orders of magnitude (50 to 2,000,000
    faces), it is a round number from its middle, since nobody wants its lower end.
    """
    if setting.default is not None:
        return typing.cast(float, setting.default)
    if low and high and high > MAGNITUDES * low > 0:
        return float(f"{math.sqrt(low * high):.0e}")
    value = 0.0 if low is None else max(0.0, low)
    return value if high is None else min(value, high)


def _item(identifier: str, title: str, description: str) -> tuple[str, str, str, str, int]:
    return identifier, title, description, "NONE", number_of(identifier)


def _identifier(value: object) -> str:
    """Return a choice's identifier, or "empty": Blender draws items without one as headings."""
    plain = value.value if isinstance(value, Enum) else value
    return str(plain) or "empty"


def _read(group: Any, setting: Setting) -> Any:
    if setting.optional and not getattr(group, switch_name(setting.name)):
        return None
    value = getattr(group, property_name(setting.name))
    if setting.kind == "float":
        return round_to_declared(value)
    if setting.kind == "enum":
        # A file of another version may hold an unknown choice.
        chosen = next((c.value for c in setting.choices if _identifier(c.value) == value), None)
        chosen = setting.default if chosen is None else chosen
        return setting.enum(chosen) if setting.enum and chosen is not None else chosen
    return value


def _as_property(setting: Setting, value: Any) -> Any:
    if setting.kind == "enum":
        return _identifier(value)
    if setting.kind == "int":
        return max(-INT_LIMIT, min(INT_LIMIT, value))
    return value
