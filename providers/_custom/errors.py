# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a server that the user describes, each with the setting that may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.errors import (
    BadImage,
    BadReply,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    RateLimited,
    Uncertain,
)
from .._shared.messages import Message
from .._shared.servers.absent import password_error
from .._shared.untrusted_text import clean
from .answers import fields_in, reason_in

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

SHOW = "The server's window may say what happened."
FIELDS = "Check Extra Fields and Image Field in the settings."
AGAIN = (
    "The server may still make the mesh. Submit the job again only if that costs nothing at this "
    "server."
)


def refusal(reply: Reply, path: str, address: str) -> ImageToMeshError:
    """Return the error for an answer to the order that is not a success.

    Uncertain if the server may have taken the order nevertheless.
    """
    reason = what_it_says(reply)
    if reply.status in (401, 403):
        return password_error(address)
    if reply.status in (404, 405):
        return InvalidSettings(
            Message(
                "The server at {address} does not take images at {path} (status {status}).",
                address=address,
                path=path,
                status=reply.status,
            ),
            "Check Path in the settings, and the address.",
        )
    if reply.status == 413:
        return BadImage("The image is too large for the server.", "Use a smaller image.")
    if reply.status == 429:
        return RateLimited("The server is busy with other orders.", "Try again later.")
    if reply.refused:
        return InvalidSettings(
            Message(
                "The server refused the order with status {status}: {reason}.",
                status=reply.status,
                reason=reason,
            ),
            FIELDS,
        )
    if reply.status == 500 and reason_in(reply.json):
        return Failed(Message("The server reported an error: {reason}.", reason=reason), SHOW)
    return Uncertain(Message("The server returned status {status}.", status=reply.status), AGAIN)


def no_mesh(reply: Reply, *, has_status_path: bool) -> BadReply:
    """Return the error for a success in which there is no mesh."""
    if reply.json is None:
        return not_json(reply)
    hint = (
        "Check Mesh Field in the settings."
        if has_status_path
        else "Set Mesh Field, or Status Path if the server makes the mesh later."
    )
    message = Message(
        "The server's answer contains no mesh, but these fields: {fields}.",
        fields=fields_in(reply.json),
    )
    return BadReply(message, hint)


def not_json(reply: Reply) -> BadReply:
    """Return the error for an answer that is neither a mesh nor JSON."""
    if reply.text.lstrip().startswith("<"):
        return BadReply(
            "The server answered with a web page instead of a mesh.",
            "Check Path in the settings, and the address.",
        )
    if not reply.text.strip():
        return BadReply("The server's answer is empty.", SHOW)
    message = Message(
        "The server answered with neither a mesh nor JSON, but: {text}", text=_start(reply.text)
    )
    return BadReply(message, "Check Path in the settings, and the address.")


def no_id(reply: Reply) -> BadReply:
    """Return the error for an answer without the ID of the task."""
    if reply.json is None:
        return not_json(reply)
    message = Message(
        "The server's answer contains no task ID, but these fields: {fields}.",
        fields=fields_in(reply.json),
    )
    return BadReply(message, "Set ID Field in the settings.")


def what_it_says(reply: Reply) -> str:
    """Return the reason in an answer, or else its beginning."""
    return reason_in(reply.json) or _start(reply.text) or str(reply.status)


def _start(text: str) -> str:
    return clean(text, 120).strip().rstrip(".")
