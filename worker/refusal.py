# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's messages to the user: templates with values, and the exception that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

OTHER_FORMAT = "Download or export the file again, or use another format."


class Message(str):
    """A sentence, with the template and the values of its named fields from which it was made.

    The add-on has the same class. The worker is a separate program and imports nothing from it.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill in the values; raise KeyError if a field of the template has no value."""
        message = super().__new__(cls, template.format_map(values))
        message.template = template
        message.values = values
        return message


def as_message(text: str) -> Message:
    """Return the string as a Message, so that it is translated if a translation exists.

    A Message is returned unchanged.
    """
    # Braces in the text are not fields.
    return (
        text if isinstance(text, Message) else Message(text.replace("{", "{{").replace("}", "}}"))
    )


class Refusal(Exception):
    """The work cannot be done, for a reason that the user can act on.

    `kind` is the snake_case name of one of the providers' errors, such as "bad_image"; the add-on
    raises that error.
    """

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


def encode(value: Any) -> Any:
    """Return an answer for JSON: each Message becomes an object with its template and values."""
    match value:
        case Message():
            values = {name: _plain(item) for name, item in value.values.items()}
            return {"template": value.template, "values": values}
        case dict():
            return {name: encode(item) for name, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
    return value


def _plain(value: object) -> Any:
    return encode(value) if isinstance(value, Message | int | float) else str(value)
