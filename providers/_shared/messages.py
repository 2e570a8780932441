# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for the user: templates with named fields, and the values that go into them.

Translators translate the templates. A template is stored in records and passed between processes
together with its values, so that the sentence can be shown in another language at any later time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self

from .untrusted_text import clean

_TEMPLATE = re.compile(r"(?:[^{}]|\{\{|\}\}|\{[a-z]\w*\})*")
"""Braces may contain plain names only: `{x:>9999999}` in a stranger's record would fill memory."""
# This program nests messages two deep, so a record with more is not its own.
_DEEPEST = 4


class Message(str):
    """A sentence as a template with named fields, and their values.

    As a string, it is the finished English sentence: `Message("{provider} needs an API key.",
    provider="Acme")`. To show it to a user, translate its template and fill in its values. Values
    that are Messages are translated as well. Numbers and booleans are kept; all other values become
    strings, cleaned by `clean`.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Return a sentence with the values filled in. Raises KeyError if a field has no value."""
        known = {name: _clean_value(value) for name, value in values.items()}
        message = super().__new__(cls, template.format_map(known))
        message.template = template
        message.values = known
        return message

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a string, such as a label, as a message without fields; braces stay literal."""
        return cls(text.replace("{", "{{").replace("}", "}}"))

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Return the arguments for copying and pickling: the template, not the finished text."""
        return (self.template,), dict(self.values)


def join_messages(*texts: str) -> Message:
    """Return sentences joined into one message, with spaces between them; empty ones are left out.

    Each is translated separately. A service's own message, which has no translation, stays as is.
    """
    values = {f"text{number}": as_message(text) for number, text in enumerate(texts) if text}
    return Message(" ".join(f"{{{name}}}" for name in values), **values)


def as_message(text: str) -> Message:
    """Return a string as a Message; return it unchanged if it is a Message already."""
    return text if isinstance(text, Message) else Message.of(text)


def os_reason(error: OSError) -> Message:
    """Return the system's description of an error, such as “Permission denied”.

    Without a description, return `str(error)`.
    """
    return as_message(error.strerror or str(error))


def _clean_value(value: object) -> object:
    if isinstance(value, Message | bool | int | float):
        return value
    return clean(str(value))


def encode_message(text: str) -> Any:
    """Return a Message as a JSON object with its template and values; other strings as they are."""
    if not isinstance(text, Message):
        return text
    values = {
        name: encode_message(value) if isinstance(value, Message) else value
        for name, value in text.values.items()
    }
    return {"template": text.template, "values": values}


def decode_message(value: Any, depth: int = 0) -> str:
    """Return the Message or string that `encode_message` encoded.

    Raises ValueError for anything else, and for Messages nested too deeply. `depth` is the number
    of Messages around this one.
    """
    match value:
        case str():
            return value
        case {"template": str(template), "values": {**values}} if depth < _DEEPEST:
            known = {str(name): _decode_value(item, depth + 1) for name, item in values.items()}
        case _:
            raise ValueError("it is not a message")
    if not _TEMPLATE.fullmatch(template):  # guard: templates-are-plain
        raise ValueError("it is not a template")
    try:
        return Message(template, **known)
    except (KeyError, TypeError) as error:
        raise ValueError("a field has no value") from error


def _decode_value(value: Any, depth: int) -> object:
    return value if isinstance(value, bool | int | float) else decode_message(value, depth)


def encode_templates(texts: Iterable[str]) -> dict[str, Any]:
    """Return the encoded Messages among `texts`, keyed by their finished sentences."""
    return {str(text): encode_message(text) for text in texts if isinstance(text, Message)}


def restore_message(text: str, templates: Any) -> str:
    """Return the Message for `text` in `templates`, or `text` itself if there is no such Message.

    `templates` comes from `encode_templates`, by way of a record. An invalid entry, or one that
    does not produce exactly this text, is ignored.
    """
    encoded = templates.get(text) if isinstance(templates, Mapping) else None
    if encoded is None:
        return text
    try:
        message = decode_message(encoded)
    except ValueError:
        return text
    return message if message == text else text  # guard: templates-say-the-same
