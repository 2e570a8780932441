# SPDX-License-Identifier: GPL-3.0-or-later
"""The error for an address at which no server of any kind can be used."""

from __future__ import annotations

from ..errors import BadKey, ImageToMeshError, Unreachable
from ..messages import Message
from .probe import Answering, Kind

PASSWORD = "Enter the header that it requires in the add-on preferences."


def absent_server(
    found: Answering, address: str, *, start: str, silent: str
) -> ImageToMeshError | None:
    """Return the error if nothing answers, nothing useful, or a server with a password; else None.

    `start` and `silent` say what to do in the first two cases.
    """
    if found.kind is Kind.NOTHING:
        return Unreachable(Message("No server answers at {address}.", address=address), start)
    if found.kind is Kind.SILENT:
        text = "The server at {address} accepts calls, but does not answer."
        return Unreachable(Message(text, address=address), silent)
    if found.kind is Kind.LOCKED:
        text = "The server at {address} requires a password."
        return BadKey(Message(text, address=address), PASSWORD)
    return None
