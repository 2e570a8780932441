# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and base URLs: where they are set, and a wrapper that keeps keys out of logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

KeyKind = Literal["key", "header"]

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([!-~](?:[ -~]*[!-~])?)")
_OWN_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "connection", "host", "origin", "range", "trailer"),
        *("content-encoding", "content-length", "content-type", "transfer-encoding", "upgrade"),
    }
)
"""Headers that belong to a call itself. A server would misunderstand calls with other values."""

SHORT_PART = 8
"""Parameters of a header with fewer characters are no secrets, and occur in other texts."""


class KeyField(NamedTuple):
    """An API key or other secret that the user gets from the service.

    `preference` names the add-on preference that holds it, `environment` the environment variable
    that is used while the preference is empty. `title` is the key's label. Providers that share a
    key declare the same field. An `optional` one may be missing. A field of the kind “header” holds
    one whole header, such as `Authorization: Basic …`, for a proxy in front of a user's own server.
    """

    preference: str
    environment: str
    title: str = "API Key"
    optional: bool = False
    kind: KeyKind = "key"


class Address(NamedTuple):
    """The sources of a service's base URL: a preference, else an environment variable.

    `default` is the URL that is used if neither is set. `beside` are base URLs of the same service
    that get the keys as well, such as that of its storage. A URL that the user sets stands for
    these, too.
    """

    preference: str
    environment: str
    default: str
    beside: tuple[str, ...] = ()


class Secret:
    """A key that cannot leak by accident: `str` and `repr` hide it, and pickling fails.

    `plain_to` are the servers, as scheme, host and port, to which the user agrees to send it
    unencrypted.
    """

    __slots__ = ("_value", "plain_to")

    def __init__(self, value: str, plain_to: Iterable[str] = ()) -> None:
        self._value = value
        self.plain_to = frozenset(plain_to)

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


def split_header(text: str) -> tuple[str, str]:
    """Return name and value of a header that the user entered, such as `X-Token: abc`.

    Raises ValueError if it is not a header, or one that belongs to the calls themselves.
    """
    found = _HEADER.fullmatch(text)
    if found is None or found[1].lower() in _OWN_HEADERS:  # guard: headers-of-calls-are-ours
        raise ValueError("not a header")
    return found[1], found[2]


def headers_of(fields: Iterable[KeyField], keys: Mapping[str, Secret]) -> dict[str, str]:
    """Return the first key as `Authorization: Bearer KEY`, and the headers that the user entered.

    Keys that are not set are left out.
    """
    sent: dict[str, str] = {}
    for field in fields:
        secret = keys.get(field.preference)
        if secret is None:
            continue
        if field.kind == "header":
            name, value = split_header(secret.reveal())
            sent[name] = value
        else:
            sent.setdefault("Authorization", f"Bearer {secret.reveal()}")
    return sent


def parts_to_hide(field: KeyField, value: str) -> tuple[str, ...]:
    """Return a key's text, and for a header also the parts of its value; see `header_parts`."""
    if field.kind != "header":
        return (value,)
    return tuple(filter(None, (value, *header_parts(value.partition(":")[2].strip()))))


def header_parts(value: str) -> tuple[str, ...]:
    """Return what a server may quote of a header's value, without what is too short to hide.

    That is the value, its last word, the login and the password of HTTP Basic (RFC 7617), and the
    values of parameters, as in `Cookie: session=…; theme=…`.
    """
    scheme, _, last = value.rpartition(" ")
    login = _decode_login(last) if scheme.strip().lower() == "basic" else ""
    named = (part.partition("=")[2].strip(' "') for part in re.split("[;,]", value))
    return (
        *(value, last),
        *filter(None, (login, login.partition(":")[2])),
        *(part for part in named if len(part) >= SHORT_PART and part != last),
    )


def _decode_login(text: str) -> str:
    """Return `user:password`; empty if the text is not its Base64."""
    import base64  # not above: this module is read at every start of Blender

    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
