# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors for an address at which the expected server does not answer."""

from __future__ import annotations

from ..errors import BadKey, ImageToMeshError, Unreachable
from ..messages import Message
from .probe import Answering, Kind

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
