# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations of settings, from which properties, panel rows, CLI options and checks are made.

A provider declares its settings as a subclass of `Settings` whose fields are `Annotated` with an
`Option` and, for numbers, an `Interval`. This module must not import pydantic, which takes 150 ms:
declarations are read while Blender registers the add-on.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Literal, NamedTuple

from .errors import InvalidSettings
from .messages import Message

Value = bool | int | float | str
Kind = Literal["bool", "int", "float", "str", "enum", "file"]
Unit = Literal["none", "length", "factor", "pixel"]
Group = Literal["quality", "surface", "mesh", "server", "placement"]
"""The subpanels of the settings, in the order in which they are shown."""


class Choice(NamedTuple):
    """A value of an enum setting, with its title and tooltip."""

    value: Value
    title: str
    description: str = ""


class FileLimits(NamedTuple):
    """The files that a setting takes: by their endings, such as `.json`, and their size in bytes.

    The content is read once, when an order is made, and kept in the job's folder.
    """

    endings: tuple[str, ...]
    max_bytes: int = 2_000_000


class Option(NamedTuple):
    """The labels of a setting, and where it is shown; given in the field's `Annotated`.

    `choices` are titles and descriptions for the values of a `Literal`, in its order, or for those
    of a switch that may also be left to the service, where “On” and “Off” would not do. `basic`
    settings are always visible, the others in the collapsed subpanel of their `group`.
    `min_blender` is the first Blender version that can import the result of a value other than the
    default. A `quiet` setting is for scripts: the panel shows it only if it is not at its default.
    `unit` decides how Blender shows a number. `file` makes a text the path of a file of the user's.
    """

    title: str
    description: str
    choices: tuple[Choice, ...] = ()
    unit: Unit = "none"
    basic: bool = False
    min_blender: tuple[int, int] | None = None
    group: Group = "quality"
    quiet: bool = False
    file: FileLimits | None = None


@typing.dataclass_transform(frozen_default=True, kw_only_default=True)
class Settings:
    """Base class of the settings of a provider; each subclass becomes an immutable dataclass.

    All fields must have defaults.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    def __init_subclass__(cls) -> None:
        # The methods that `dataclass` generates are defined once, below, because it would compile
        # them for each class at every start of Blender.
        dataclass(init=False, eq=False, repr=False)(cls)

    def __init__(self, **values: object) -> None:
        if unknown := values.keys() - self.__dataclass_fields__.keys():
            raise TypeError(f"unknown settings: {', '.join(unknown)}")
        # Defaults are attributes of the class. Panels make settings at every draw.
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to setting {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete setting {name!r}")

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for each combination of values that the service rejects."""
        yield from ()

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for each field that has no effect with the other values."""
        yield from ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and values_of(self) == values_of(other)

    def __hash__(self) -> int:
        return hash((type(self), *values_of(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in values_of(self).items())
        return f"{type(self).__qualname__}({values})"


class Setting(NamedTuple):
    """The parsed declaration of a setting.

    `minimum` and `maximum` are inclusive; None means no limit. An `optional` setting may be None,
    so that it is not sent; in the interface, a checkbox enables it. See `Option` for the rest.
    """

    name: str
    kind: Kind
    optional: bool
    default: Value | None
    minimum: float | None
    maximum: float | None
    choices: tuple[Choice, ...]
    title: str
    description: str
    unit: Unit
    basic: bool
    min_blender: tuple[int, int] | None
    group: Group
    quiet: bool
    enum: type[Enum] | None
    """The class of the values, if the setting is declared with one instead of a `Literal`."""
    step: float | None = None
    """The step of the values of a server's setting, from the minimum or else from 0."""
    file: FileLimits | None = None
    from_server: bool = False
    """Whether only the server knows the setting; see `server_settings`."""


# Cached, because panels need the declarations at every draw.
PARSED: dict[type, tuple[Setting, ...]] = {}


def settings_of(model: type[Settings]) -> tuple[Setting, ...]:
    """Return the settings of a class in the order of their declaration.

    Raises TypeError for a field without an Option or a default, or whose type cannot become a
    Blender property. Tests call this for every provider, so that no user ever sees that error.
    """
    # Provider files have no `from __future__ import annotations`, so their annotations are values.
    # Strings would be compiled here, in 0.3 ms per provider, at every start of Blender.
    if model not in PARSED:
        hints = typing.get_type_hints(model, include_extras=True)
        PARSED[model] = tuple(
            _parse(field, hints[field.name]) for field in dataclasses.fields(model)
        )
    return PARSED[model]


def changed_values(settings: Settings) -> dict[str, Value]:
    """Return the values that differ from their defaults, by name, in the order of declaration."""
    return {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if getattr(settings, field.name) != field.default
    }


def values_of(settings: Settings) -> dict[str, Value | None]:
    """Return all values by name, in the order of declaration."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def is_same(value: object, other: object) -> bool:
    """Return whether two values are equal; unlike in Python, True is not 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def choice_like(value: Value, choices: Iterable[Choice]) -> Value:
    """Return the choice that is equal to a value or written like it, else the value itself.

    The command line has only texts, and a number must reach the service as a number.
    """
    values = [choice.value for choice in choices]
    same = (item for item in values if is_same(item, value))
    alike = (item for item in values if str(item) == str(value))
    return next(same, next(alike, value))


def check_rules(settings: Settings) -> None:
    """Raise InvalidSettings for the first combination that `Settings.rules` yields, if any."""
    for name, sentence in settings.rules():
        raise InvalidSettings(sentence, Message("Change “{name}”.", name=name))


def _parse(field: dataclasses.Field[Any], hint: Any) -> Setting:
    base, metadata = _unwrap(hint)
    base, optional = _without_none(base)
    base, inner = _unwrap(base)
    metadata = (*metadata, *inner)
    option = next((item for item in metadata if isinstance(item, Option)), None)
    if option is None or field.default is dataclasses.MISSING:
        raise TypeError(f"setting {field.name} needs an Option and a default")
    kind, values = _kind(field.name, base)
    if option.file is not None:
        kind = "file"
    minimum, maximum = _bounds(metadata)
    return Setting(
        name=field.name,
        kind=kind,
        optional=optional,
        default=field.default,
        minimum=minimum,
        maximum=maximum,
        choices=option.choices if kind == "bool" else _choices(values, option.choices),
        title=option.title,
        description=option.description,
        unit=option.unit,
        basic=option.basic,
        min_blender=option.min_blender,
        group=option.group,
        quiet=option.quiet,
        enum=base if isinstance(base, type) and issubclass(base, Enum) else None,
        file=option.file,
    )


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if typing.get_origin(hint) is typing.Annotated:
        base, *metadata = typing.get_args(hint)
        return base, tuple(metadata)
    return hint, ()


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [item for item in typing.get_args(hint) if item is not types.NoneType]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


def _kind(name: str, base: Any) -> tuple[Kind, tuple[Value, ...]]:
    if typing.get_origin(base) is Literal:
        return "enum", typing.get_args(base)
    if isinstance(base, type) and issubclass(base, Enum):
        return "enum", tuple(member.value for member in base)
    plain: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
    if base not in plain:
        raise TypeError(f"setting {name} has a type that cannot become a property: {base}")
    return plain[base], ()


def _choices(values: tuple[Value, ...], declared: tuple[Choice, ...]) -> tuple[Choice, ...]:
    known = {choice.value: choice for choice in declared}
    return tuple(known.get(value, Choice(value, str(value))) for value in values)


def _bounds(metadata: Iterable[Any]) -> tuple[float | None, float | None]:
    low: float | None = None
    high: float | None = None
    for item in metadata:
        # By attribute, not by class: importing annotated_types would slow down every startup.
        low = getattr(item, "ge", low)
        high = getattr(item, "le", high)
    return low, high
