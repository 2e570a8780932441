# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `Setting` values of what a server says, and checks and limits it.

The server may be a stranger's: names, texts, and numbers are checked, and their count is limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import ceil, floor
from typing import NamedTuple, cast, get_args

from ..errors import BadReply
from ..exact_ids import is_sendable_unchanged
from ..messages import Message
from ..settings import Choice, Kind, Option, Setting, Settings, Value, choice_like, settings_of
from ..untrusted_text import clean, finite_number, replace_surrogates

MOST_SETTINGS = 200
"""Settings that are taken from one server."""
MOST_CHOICES = 2000
"""Choices of one setting, such as the model files of a server."""
MOST_CHARACTERS = 1_000_000
"""Characters of all settings of one server together, since scenes keep them."""
LONGEST_NAME = 100
LONGEST_TEXT = 500
"""Maximum length of titles and descriptions, in characters."""
LONGEST_VALUE = 10_000
"""Maximum length of a text that is a value."""


class SettingList(NamedTuple):
    """The settings that a server at `address` described on a `date` (ISO 8601, UTC).

    `key` is what `Provider.server_settings_key` returned then. `unusable` has the names of those
    that cannot be used here.
    """

    rows: tuple[Setting, ...] = ()
    address: str = ""
    date: str = ""
    key: str = ""
    unusable: tuple[str, ...] = ()


def server_setting(
    name: str,
    kind: Kind,
    option: Option,
    *,
    default: Value | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    optional: bool = False,
) -> Setting:
    """Return a setting as a server describes it; for the arguments, see `Setting` and `Option`.

    A setting without a default that is not optional has to be set by the user. Texts are cleaned,
    and bounds that are not finite are dropped. Raises BadReply for a name or kind that cannot be
    used.
    """
    if not is_usable_name(name) or kind == "file" or kind not in get_args(Kind):
        raise BadReply(
            Message("The server's setting “{name}” cannot be used.", name=clean(str(name), 80))
        )
    choices = tuple(_clean_choices(option.choices[:MOST_CHOICES]))
    is_number = kind in ("int", "float")
    return Setting(
        name=name,
        kind=kind,
        optional=optional,
        default=as_kind(kind, default, choices),
        minimum=_bound(kind, minimum, ceil) if is_number else None,
        maximum=_bound(kind, maximum, floor) if is_number else None,
        choices=choices,
        title=_clean_text(option.title) or name,
        description=_clean_text(option.description).rstrip("."),
        unit=option.unit,
        basic=option.basic,
        min_blender=None,
        group=option.group,
        quiet=False,
        enum=None,
        step=abs(finite_number(step) or 0.0) or None if is_number else None,
        from_server=True,
    )


def is_usable_name(name: object) -> bool:
    """Return whether a name can be used in `--set name=value`, in records, and as an attribute."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and name == name.strip()
        and name[0] != "_"
        and not {"=", ","} & set(name)
    )


def as_kind(kind: Kind, value: object, choices: Iterable[Choice] = ()) -> Value | None:
    """Return a value in the type of its setting where that changes nothing, such as 5 for 5.0.

    A value of another type is returned unchanged, so that it can be shown and refused; None for
    one that no setting can have, such as a list or a text without end.
    """
    if not _is_value(value):
        return None
    value = replace_surrogates(value) if isinstance(value, str) else cast(Value, value)
    if kind == "enum":
        return choice_like(value, choices)
    if kind == "int" and isinstance(value, float) and value == floor(value):
        return int(value)
    return float(value) if kind == "float" and type(value) is int else value


def _bound(kind: Kind, value: float | None, whole: Callable[[float], int]) -> float | None:
    """Return a bound in the type of its setting; None for one that is not finite, or too large."""
    number = finite_number(value)
    # pydantic refuses a declaration in which a bound of a whole number is a fraction.
    return finite_number(whole(number)) if kind == "int" and number is not None else number


def usable_rows(
    model: type[Settings], rows: Iterable[Setting]
) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """Return the settings of a server that can be added to a declaration, and the others' names.

    A name must be new, and must not be one of a method. At most MOST_SETTINGS are returned, with
    MOST_CHARACTERS.
    """
    taken = {*dir(model), *(setting.name for setting in settings_of(model))}
    usable: list[Setting] = []
    unusable: list[str] = []
    size = 0
    for row in rows:
        is_room = len(usable) < MOST_SETTINGS and size + _size(row) <= MOST_CHARACTERS
        if row.name in taken or not is_room:
            unusable.append(row.name)
            continue
        taken.add(row.name)
        usable.append(row)
        size += _size(row)
    return tuple(usable), tuple(unusable)


def _size(row: Setting) -> int:
    texts = (text for choice in row.choices for text in choice)
    return sum(len(str(text)) for text in (row.title, row.description, row.default, *texts))


def _clean_choices(choices: Iterable[Choice]) -> Iterator[Choice]:
    """Yield choices with clean texts, without those that could not be sent back unchanged."""
    for choice in choices:
        if _is_value(choice.value) and is_sendable_unchanged(str(choice.value)):
            title = _clean_text(choice.title) or str(choice.value)
            yield Choice(choice.value, title, _clean_text(choice.description).rstrip("."))


def _clean_text(text: str) -> str:
    return clean(text, LONGEST_TEXT).strip()


def _is_value(value: object) -> bool:
    """Return whether a value can be one of a setting: finite, and not too long."""
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE
    return isinstance(value, bool) or finite_number(value) is not None
