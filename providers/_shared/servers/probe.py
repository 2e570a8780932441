# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which server answers at an address, by its public pages. No key is sent.

The providers of users' own servers declare these pages, and recognize their servers by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BadReply, Sent, Unreachable
from ..http.addresses import read_address
from ..messages import Message, as_message
from ..untrusted_text import clean

if TYPE_CHECKING:
    from ..http.client import Http
    from ..provider import Provider

PAGE_LIMIT = 5.0
"""Maximum seconds for each of the few requests of a probe."""


class Kind(StrEnum):
    """Answers that no provider recognizes.

    LOCKED: a password is required. SILENT: connections are accepted, but nothing is answered.
    """

    LOCKED = "locked"
    SILENT = "silent"
    OTHER = "other"
    NOTHING = "nothing"


class Answering(NamedTuple):
    """The server at an address.

    `kind` is a `Kind`, or the id of the provider that recognizes the server. `version` is empty if
    the server states none. `name` is the server as the subject of a sentence, such as “An app”.
    """

    kind: str
    version: str = ""
    name: str = ""

    @property
    def shown(self) -> Message:
        """The server as the subject of a sentence."""
        return as_message(self.name or _NAMES[Kind(self.kind)])


_NAMES: Mapping[Kind, str] = {
    Kind.LOCKED: "A server that requires a password",
    Kind.SILENT: "A server that does not respond",
    Kind.OTHER: "An unknown server",
    Kind.NOTHING: "No server",
}


def what_answers(http: Http, *, with_key: bool = False) -> Answering:
    """Return which server answers at the address of `http`, after a request for each page.

    `with_key` sends the key as well, for a server that requires it. Raises InvalidSettings for an
    address that must not be called, and Unreachable if Blender is offline.
    """
    http.check_address()
    seen = Answering(Kind.OTHER)
    for path, providers in _pages().items():
        try:
            reply = http.inspect(path, PAGE_LIMIT, with_key=with_key)
        except Unreachable as error:
            return Answering(Kind.NOTHING if error.sent is Sent.NO else Kind.SILENT)
        except BadReply:  # a redirect, or a page that is too long
            continue
        if reply.status in (401, 403):
            seen = Answering(Kind.LOCKED)
        elif reply.status == 200 and isinstance(reply.json, dict):
            for found in (provider.recognize(path, reply.json) for provider in providers):
                if found is not None:
                    return found
    return seen


def identify_server(http: Http) -> Answering:
    """Return which server answers, as `what_answers`; if it requires the key, it gets the key."""
    found = what_answers(http)
    if found.kind == Kind.LOCKED and http.has_key:
        found = what_answers(http, with_key=True)
    return found


def usual_ports() -> tuple[int, ...]:
    """Return the ports on which users' own servers listen unless they are set to another one."""
    found: set[int] = set()
    for provider in _recognizing():
        usual = read_address(provider.address.default) if provider.address else None
        found |= {usual.port} if usual else set()
        found |= set(provider.more_ports)
    return tuple(sorted(found))


def answering_on(port: int) -> tuple[str, Answering]:
    """Return the address of a port of this computer, and what answers there."""
    from ..http.client import Http

    address = f"http://127.0.0.1:{port}"
    http = Http(address, {}, online=False, self_hosted=True)
    try:
        return address, what_answers(http)
    finally:
        http.close()


def _recognizing() -> list[Provider[Any]]:
    from ... import all_providers  # which imports every provider file

    return [provider for provider in all_providers().values() if provider.public_pages]


def _pages() -> Mapping[str, list[Provider[Any]]]:
    """Return the providers that may recognize their servers by a page, by its path."""
    pages: dict[str, list[Provider[Any]]] = {}
    for provider in _recognizing():
        for path in provider.public_pages:
            pages.setdefault(path, []).append(provider)
    return pages


def text_in(answer: Mapping[str, Any], name: str) -> str:
    """Return the text of a page that has this name, short and safe to show; empty without it."""
    value = answer.get(name)
    return clean(value, 60) if isinstance(value, str) else ""
