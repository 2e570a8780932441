# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for the user: templates with named fields, and the values that go into them.

A template is what a translator sees. Records and other processes carry it with its values, so that
a sentence can be shown in another language at any later time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self

from .untrusted_text import clean

_TEMPLATE = re.compile(r"(?:[^{}]|\{\{|\}\}|\{[a-z]\w*\})*")
"""Braces may contain plain names only: `{x:>9999999}` in a foreign record would fill the memory."""
# Messages nest two deep; more in a record is not from this program.
_DEEPEST = 4


class Message(str):
    """A sentence as a template with named fields, and their values.

    It reads as the finished English sentence, so it can be used like any text. To show it to a
    user, translate the template and fill in the values: `Message("{provider} needs an API key.",
    provider="Tripo")`. Values that are Messages are translated as well, others are shown unchanged.
    Texts and paths are cleaned.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill in the values. Raises KeyError for a field without one."""
        known = {name: _clean_value(value) for name, value in values.items()}
        message = super().__new__(cls, template.format_map(known))
        message.template = template
        message.values = known
        return message

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a text without fields, such as a label; it is translated if possible."""
        return cls(text.replace("{", "{{").replace("}", "}}"))

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Return the arguments for copies: the template, not the finished sentence."""
        return (self.template,), dict(self.values)


def join_messages(*texts: str) -> Message:
    """Return sentences as one text, each to be translated separately; empty ones are left out.

    Words of a service may be among them: they have no translation and stay unchanged.
    """
    values = {f"text{number}": as_message(text) for number, text in enumerate(texts) if text}
    return Message(" ".join(f"{{{name}}}" for name in values), **values)


def as_message(text: str) -> Message:
    """Return a text as a Message, to be translated if a translation exists."""
    return text if isinstance(text, Message) else Message.of(text)


def os_reason(error: OSError) -> Message:
    """Return the system's description of an error, such as “Permission denied”."""
    return as_message(error.strerror or str(error))


def _clean_value(value: object) -> object:
    if isinstance(value, Message | bool | int | float):
        return value
    return clean(str(value))


def encode_message(text: str) -> Any:
    """Return a text as JSON: a Message as an object with its template and values."""
    if not isinstance(text, Message):
        return text
    values = {
        name: encode_message(value) if isinstance(value, Message) else value
        for name, value in text.values.items()
    }
    return {"template": text.template, "values": values}


def decode_message(value: Any, depth: int = 0) -> str:
    """Return the text that `encode_message` wrote. Raises ValueError for anything else."""
    match value:
        case str():
            return value
        case {"template": str(template), "values": {**values}} if depth < _DEEPEST:
            known = {str(name): _decode_value(item, depth + 1) for name, item in values.items()}
        case _:
            raise ValueError("it is no message")
    if not _TEMPLATE.fullmatch(template):  # guard: templates-are-plain
        raise ValueError("it is no template")
    try:
        return Message(template, **known)
    except (KeyError, TypeError) as error:
        raise ValueError("a field has no value") from error


def _decode_value(value: Any, depth: int) -> object:
    return value if isinstance(value, bool | int | float) else decode_message(value, depth)


def encode_templates(texts: Iterable[str]) -> dict[str, Any]:
    """Return the templates and values of the messages among some texts, by finished text."""
    return {str(text): encode_message(text) for text in texts if isinstance(text, Message)}


def restore_message(text: str, templates: Any) -> str:
    """Return a text as the Message that it was created from, or unchanged if it was not one.

    A template that does not produce the text itself is ignored.
    """
    encoded = templates.get(text) if isinstance(templates, Mapping) else None
    if encoded is None:
        return text
    try:
        message = decode_message(encoded)
    except ValueError:
        return text
    return message if message == text else text  # guard: templates-say-the-same
