# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors for an address at which no server can be used, or another than has the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import BadKey, ImageToMeshError, InvalidSettings, Unreachable
from ..http.addresses import read_address
from ..messages import Message
from .probe import Answering, Kind

SERVER = "server"
"""The name under which a ticket has the server of its task: the ids of another may be the same."""
PASSWORD = "Enter the header that it requires in the add-on preferences."
BUSY = "It may be making another mesh: try again later."


def absent_server(
    found: Answering, address: str, *, start: str, silent: str = BUSY, locked: str = PASSWORD
) -> ImageToMeshError | None:
    """Return the error if nothing answers, nothing useful, or a server with a password; else None.

    `start`, `silent` and `locked` say what to do in each of these cases.
    """
    if found.kind == Kind.NOTHING:
        return Unreachable(Message("No server answers at {address}.", address=address), start)
    if found.kind == Kind.SILENT:
        text = "The server at {address} accepts calls, but does not answer."
        return Unreachable(Message(text, address=address), silent)
    if found.kind == Kind.LOCKED:
        return password_error(address, locked)
    return None


def wrong_server(
    found: Answering,
    address: str,
    expected: str,
    *,
    start: str,
    other: str,
    silent: str = BUSY,
    locked: str = PASSWORD,
) -> ImageToMeshError:
    """Return the error for any other answer than that of the `expected` server.

    `other` says what to do if another server answers; for the rest see `absent_server`.
    """
    if absent := absent_server(found, address, start=start, silent=silent, locked=locked):
        return absent
    message = Message(
        "{server} answers at {address}, and not {expected}.",
        server=found.shown,
        address=address,
        expected=Message.of(expected),
    )
    return Unreachable(message, other)


def password_error(address: str, hint: str = PASSWORD) -> BadKey:
    """Return the error for a server that requires a password."""
    return BadKey(Message("The server at {address} requires a password.", address=address), hint)


def server_of(address: str) -> str:
    """Return scheme, host and port of a base URL."""
    return read_address(address).server


def is_at(address: str, data: Mapping[str, Any]) -> bool:
    """Return whether the task of a ticket is at the server of an address; True if it is unknown."""
    return data.get(SERVER) in (None, "", server_of(address))


def elsewhere(server: str) -> ImageToMeshError:
    """Return the error for a job that is at another server."""
    message = Message("The job was sent to {server}.", server=server)
    return InvalidSettings(message, "Enter that address in the preferences, then resume the job.")
