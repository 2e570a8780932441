# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and base URLs: where they are set, and a wrapper that keeps keys out of logs."""

from __future__ import annotations

from typing import Any, NamedTuple


class KeyField(NamedTuple):
    """An API key or other secret that the user gets from the service.

    `preference` names the add-on preference that holds it, `environment` the environment variable
    that is used while the preference is empty. `title` is the key's label. Providers that share a
    key declare the same field.
    """

    preference: str
    environment: str
    title: str = "API Key"


class Address(NamedTuple):
    """The sources of a service's base URL: a preference, else an environment variable.

    `default` is the URL that is used if neither is set.
    """

    preference: str
    environment: str
    default: str


class Secret:
    """A key that cannot leak by accident: `str` and `repr` hide it, and pickling fails."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, to authenticate a call or to redact the key in text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __reduce__(self) -> Any:
        # Called by pickle and by copies, which must not contain a key.
        raise TypeError("a Secret cannot be pickled or copied")
