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
