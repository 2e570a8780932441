# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes subclasses of a provider's settings that also have those of its server."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from types import new_class
from typing import Annotated, Any, Literal, TypeVar, cast

from ..adapters import parse_settings
from ..bounds import Interval
from ..provider import Provider
from ..settings import PARSED, Kind, Option, Setting, Settings, settings_of
from .declare import is_usable_name, server_setting, usable_rows
from .values import gone_text, problem_of

S = TypeVar("S", bound=Settings)


def settings_with(
    model: type[S], rows: tuple[Setting, ...], gone: frozenset[str] = frozenset()
) -> type[S]:
    """Return a subclass of a declaration with more settings, which `usable_rows` has returned.

    Its rules also report values that the server does not accept, and changed settings that it no
    longer has: those named by `gone`. Equal arguments give the same class.
    """
    return cast("type[S]", _settings_with(cast("Any", model), rows, gone)) if rows else model


# Cached, because settings are only equal if their classes are the same.
@functools.lru_cache(maxsize=64)
def _settings_with(
    model: type[Settings], rows: tuple[Setting, ...], gone: frozenset[str]
) -> type[Settings]:
    def rules(self: Settings) -> Iterator[tuple[str, str]]:
        yield from model.rules(self)
        for row in rows:
            sentence = gone_text(row) if row.name in gone else problem_of(row, _get(self, row))
            if sentence:
                yield row.name, sentence

    body = {
        "__module__": model.__module__,
        "__qualname__": model.__qualname__,
        "__doc__": model.__doc__,
        "__annotations__": {row.name: _annotation(row) for row in rows},
        "rules": rules,
        **{row.name: row.default for row in rows},
    }
    made = new_class(model.__name__, (model,), exec_body=lambda names: names.update(body))
    PARSED[made] = (*settings_of(model), *rows)
    return made


def _get(settings: Settings, row: Setting) -> Any:
    return getattr(settings, row.name)


def _annotation(row: Setting) -> Any:
    """Return the type with which pydantic checks a setting. Steps are checked by the rules."""
    plain: dict[str, Any] = {"bool": bool, "int": int, "float": float, "str": str}
    base = plain.get(row.kind, Any)
    if row.kind == "enum" and row.choices:
        base = Literal[tuple(choice.value for choice in row.choices)]
    if row.minimum is not None or row.maximum is not None:
        base = Annotated[base, Interval(ge=row.minimum, le=row.maximum)]
    return base | None if row.optional or row.default is None else base


def settings_of_record(provider: Provider[Any], values: Mapping[str, Any]) -> Settings:
    """Return the settings that a job's record holds, without asking the server.

    The server checked them when the job was ordered, or will when it is. Raises InvalidSettings for
    declared settings that are not valid, and for unknown ones of a provider without a server.
    """
    model = provider.settings
    if provider.has_server_settings:
        declared = {setting.name for setting in settings_of(model)}
        others = {name: value for name, value in values.items() if name not in declared}
        model = settings_with(model, usable_rows(model, _rows_of(others))[0])
    return cast(Settings, parse_settings(model, values))


def _rows_of(values: Mapping[str, Any]) -> Iterator[Setting]:
    kinds: Mapping[type, Kind] = {bool: "bool", int: "int", float: "float"}
    for name, value in values.items():
        if is_usable_name(name):
            yield server_setting(name, kinds.get(type(value), "str"), Option(name, ""),
                                 optional=True)  # fmt: skip
