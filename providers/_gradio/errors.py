# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Gradio apps and Spaces, and of another server in their place.

An app says little about a failure, and a Space says it with HTML. What it says is passed on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._shared.errors import (
    BadImage,
    BadKey,
    BadReply,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    RateLimited,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message
from .._shared.servers.probe import Kind, what_answers

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

SPACES = ".hf.space"
"""End of the hosts of all Spaces."""
START = "Start the app, or correct its address in the add-on preferences."
NO_SPACE = (
    "Check the name of the Space. Private ones cannot be used: duplicate the Space as a public one."
)
LOGIN = "An app that requires a login cannot be used. Start it without one."
UPDATE = "The app may need a newer version of this add-on."
WINDOW = "The app's window says what happened, and for a Space the tab Logs of its page, if public."
FULL = "Resume the job later. Nothing was ordered."
QUOTA = (
    "Try again later, or enter a Hugging Face token in the add-on preferences to use the quota of "
    "your account. You can also duplicate the Space, or run the app on your own computer."
)
AGAIN = "Submit the job again, or discard it. Nothing was charged."
GENERATE = "Generate again."
_NO_GPU = re.compile(r"gpu\squota|no\sgpu\s(?:was|is)\savailable|gpu\stask\saborted", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{0,500}>")


def wrong_server(http: Http, error: ImageToMeshError) -> ImageToMeshError:
    """Return the error for an address at which no app answers.

    `error` is the one of the first question, which is kept if it says more. Asks what answers.
    """
    if isinstance(error, BadReply):
        return Unreachable(
            Message("{server} answers at {address}, and not a Gradio app.",
                    server=Message.of("An unknown server"), address=http.address),
            START,
        )  # fmt: skip
    if SPACES in http.address:
        return error
    found = what_answers(http)
    if found.kind is Kind.NOTHING:
        return Unreachable(Message("No server answers at {address}.", address=http.address), START)
    return error


def not_an_app(reply: Reply, http: Http) -> ImageToMeshError:
    """Return the error for a page that is not the one of a Gradio app."""
    if reply.status in (401, 403):
        message = Message("The server at {address} requires a password.", address=http.address)
        return BadKey(message, LOGIN)
    if SPACES in http.address:
        message = Message("There is no public Space at {address}.", address=http.address)
        return Unreachable(message, NO_SPACE)
    message = Message(
        "{server} answers at {address}, and not a Gradio app.",
        server=what_answers(http).shown,
        address=http.address,
    )
    return Unreachable(message, START)


def unreadable_app() -> ImageToMeshError:
    """Return the error for an app that does not describe itself as others do."""
    return BadReply("The Gradio app does not say what it can do.", UPDATE)


def refusal(reply: Reply) -> ImageToMeshError:
    """Return the error for a call that the app did not queue.

    Uncertain if the answer is not from the app itself.
    """
    body: Any = reply.json if isinstance(reply.json, dict) else {}
    said = plain(body.get("detail"))
    if reply.status == 503 and said:
        return RateLimited(Message("The app refused the order: {reason}.", reason=said), FULL)
    if reply.status == 429:
        return RateLimited("The app refused the order: too many requests.", FULL)
    if reply.status in (401, 403):
        return BadKey("The app requires a password.", LOGIN)
    if reply.status == 413:
        return BadImage("The image is too large for the server.", "Use a smaller image.")
    # An unknown function is answered with 500, at times with a traceback that helps nobody.
    if reply.refused or (reply.status == 500 and "error" in body):
        return InvalidSettings(
            Message("The app refused the order: {reason}.", reason=said or str(reply.status)),
            "Click Get Settings again: the app may have changed.",
        )
    return Uncertain(
        Message("The app returned status {status}.", status=reply.status),
        "The app may still make the mesh. Submitting the job again costs nothing.",
    )


def failure(output: object) -> ImageToMeshError:
    """Return the error for a call that ended without a result; `output` is what the app said."""
    said = plain(output.get("error")) if isinstance(output, dict) else plain(output)
    if _NO_GPU.search(said):
        return Failed(Message("The Space has no GPU for you now: {reason}.", reason=said), QUOTA)
    if said:
        message = Message("The app could not make the mesh: {reason}.", reason=said)
        return Failed(message, WINDOW)
    return Failed("The app could not make the mesh, and did not say why.", WINDOW)


def canceled_error() -> ImageToMeshError:
    """Return the error for a call that somebody cancelled."""
    return Failed("The app canceled the order.", GENERATE)


def unknown_order() -> ImageToMeshError:
    """Return the error for an order that the app does not know, although it took it."""
    return Expired("The app no longer knows the order; it was probably restarted.", GENERATE)


def lost_result(reason: str) -> ImageToMeshError:
    """Return the error for a result that was lost, since an app tells it only once."""
    message = Message(
        "The app tells a result only once, and the connection ended before: {reason}.",
        reason=Message.of(reason.rstrip(".")) if not isinstance(reason, Message) else reason,
    )
    return Uncertain(message, AGAIN)


def elsewhere(server: str) -> ImageToMeshError:
    """Return the error for a job that is at another server."""
    message = Message("The job was sent to {server}.", server=server)
    return InvalidSettings(message, "Enter that address in the preferences, then resume the job.")


def plain(text: object) -> str:
    """Return what an app says without markup, quotes around it, and its final period."""
    if not isinstance(text, str):
        return ""
    return _MARKUP.sub("", text).strip().strip("'\"").rstrip(". ")
