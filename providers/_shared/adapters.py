# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation, JSON Schema and response parsing for plain dataclasses, by pydantic.

No other module uses pydantic. Importing it takes 150 ms, so it is imported when the first value is
validated, on a job's thread or on the command line, and never while Blender registers the add-on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .bundled_modules import bundled_imports
from .errors import BadReply, InvalidSettings
from .messages import Message, as_message
from .settings import Setting, Settings, check_rules, choice_like, settings_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
S = TypeVar("S", bound=Settings)


# Cached, because building an adapter takes milliseconds, and every response needs one.
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(model: Any) -> TypeAdapter[Any]:
    if model not in _ADAPTERS:
        with bundled_imports("pydantic"):
            from pydantic import TypeAdapter

            _ADAPTERS[model] = TypeAdapter(model)
    return _ADAPTERS[model]


def parse_settings(model: type[S], values: Mapping[str, object]) -> S:
    """Return settings built from values by name, which may be strings from the command line.

    Raises InvalidSettings for an unknown name, an invalid value, or a combination that the rules
    of the settings reject.
    """
    with bundled_imports("pydantic"):
        from pydantic import ValidationError

    known = {setting.name: setting for setting in settings_of(model)}
    for name in values:
        if name not in known:
            raise InvalidSettings(
                Message("There is no setting “{name}”.", name=name), _suggest(name, known)
            )
    given = {name: _normalize(value, known[name]) for name, value in values.items()}
    try:
        settings = cast(S, _adapter(model).validate_python(given))
    except ValidationError as error:
        raise _refusal(error, known) from error
    check_rules(settings)
    return settings


def json_schema(model: type[Settings]) -> dict[str, Any]:
    """Return the JSON Schema of a settings class, with the settings' titles and descriptions."""
    schema: dict[str, Any] = _adapter(model).json_schema()
    for setting in settings_of(model):
        shown = schema["properties"][setting.name]
        shown.update(title=setting.title, description=setting.description)
    return schema


def parse_reply(model: type[T], data: object, name: str) -> T:
    """Convert the decoded JSON of a service's response to the type `model`; see `convert`.

    Raises BadReply for a missing or invalid field; the error's message calls the object `name`.
    """
    try:
        return convert(model, data)
    except ValueError as error:
        raise BadReply(
            Message(
                "The service's response is not valid ({what}: {reason}).", what=name, reason=error
            ),
            "Try again later. If it happens again, contact the service's support.",
        ) from error


def convert(model: type[T], data: object) -> T:
    """Convert decoded JSON to the type `model`, such as a dataclass. Unknown fields are ignored.

    Raises ValueError for a missing or invalid field, and names it.
    """
    with bundled_imports("pydantic"):
        from pydantic import ValidationError

    try:
        return cast(T, _adapter(model).validate_python(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise ValueError(reason) from error


def to_json(value: object) -> Any:
    """Convert a dataclass to plain JSON values."""
    return _adapter(type(value)).dump_python(value, mode="json")


def _normalize(value: object, setting: Setting) -> object:
    """Return `value`, or "" instead of None if "" is a choice and the setting is not optional.

    A text that is written like a choice becomes that choice, which may be a number.
    """
    if setting.kind == "enum" and isinstance(value, str):
        return choice_like(value, setting.choices)
    empty = any(choice.value == "" for choice in setting.choices)
    return "" if value is None and empty and not setting.optional else value


def _suggest(name: str, known: Mapping[str, Setting]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return Message("Did you mean “{close}”?", close=close[0])
    if not known:
        return "This provider has no settings."
    return Message("Known settings: {known}.", known=", ".join(known))


def _refusal(error: ValidationError, known: Mapping[str, Setting]) -> InvalidSettings:
    first = error.errors(include_url=False)[0]
    setting = known[str(first["loc"][0])]
    takes = Message("Expected {values}.", values=as_message(describe_values(setting)))
    if first["input"] is None:
        return InvalidSettings(
            Message(
                "{setting} ({name}) cannot be empty.",
                setting=Message.of(setting.title),
                name=setting.name,
            ),
            takes,
        )
    message = Message(
        "{setting} ({name}) cannot be “{value}”.",
        setting=Message.of(setting.title),
        name=setting.name,
        value=first["input"],
    )
    return InvalidSettings(message, takes)


def describe_values(setting: Setting) -> str:
    """Return a phrase for the values that a setting takes, such as “a number from 0 to 1”."""
    if setting.kind == "bool":
        return "true or false"
    if setting.kind == "enum":
        return Message(
            "one of {choices}",
            choices=", ".join(str(choice.value) or "“”" for choice in setting.choices),
        )
    if setting.file is not None:
        return Message("a file that ends in {endings}", endings=", ".join(setting.file.endings))
    if setting.step:
        step = _format_number(setting.step)
        plain = as_message(describe_values(setting._replace(step=None)))
        return Message("{values} in steps of {step}", values=plain, step=step)
    kind = Message.of({"int": "a whole number", "float": "a number", "str": "text"}[setting.kind])
    low, high = setting.minimum, setting.maximum
    if low is not None and high is not None:
        least, most = (low, high) if setting.kind == "float" else (int(low), int(high))
        return Message("{kind} from {low} to {high}", kind=kind, low=_format_number(least),
                       high=_format_number(most))  # fmt: skip
    if low is not None:
        return Message("{kind}, {low} or more", kind=kind, low=f"{low:g}")
    if high is not None:
        return Message("{kind}, {high} or less", kind=kind, high=f"{high:g}")
    return kind


def _format_number(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
