# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Gradio apps and Spaces, and of another server in their place.

An app says little about a failure, and a Space says it with HTML. What it says is passed on.
"""

from __future__ import annotations

import html
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
from .._shared.servers import absent
from .._shared.servers.probe import Answering, Kind, what_answers
from .._shared.untrusted_text import clean

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

SPACES = ".hf.space"
"""End of the hosts of all Spaces."""
START = "Start the app, or correct Gradio Address in the add-on preferences."
NO_SPACE = (
    "Check the name of the Space. If it is private, enter a Hugging Face token of an account that "
    "can open it in the add-on preferences."
)
NO_ACCESS = (
    "Check the name of the Space, and that the Hugging Face token in the add-on preferences is "
    "valid and of an account that can open it."
)
LOGIN = "An app that requires a login cannot be used. Start it without one."
UPDATE = "The app may need a newer version of this add-on."
WINDOW = "The app's window says what happened, and for a Space the tab Logs of its page, if public."
FULL = "Resume the job later. Nothing was ordered."
QUOTA = (
    "Try again later, or with a Hugging Face token in the add-on preferences whose account has "
    "quota left. You can also duplicate the Space, or run the app on your own computer."
)
AGAIN = "Submit the job again, or discard it. Nothing was charged."
GENERATE = "Generate again."
_NO_GPU = re.compile(
    r"gpu\s(?:quota|(?:runs\s)?limit|queue\stimeout|illegal\sduration|pending\scredits|task\saborted)"
    r"|no\sgpu\s(?:was|is)\savailable",
    re.IGNORECASE,
)
"""What a Space says that gets no graphics card, in its text or in the title of it."""
LONGEST_REASON = 400
_MARKUP = re.compile(r"<[^<>]{0,500}>")


def wrong_server(http: Http, error: ImageToMeshError) -> ImageToMeshError:
    """Return the error for an address at which no app answers.

    `error` is the one of the first question, which is kept if it says more. Asks what answers.
    """
    if isinstance(error, BadReply):
        return _no_app(Answering(Kind.OTHER), http.address)
    if SPACES in http.address:
        return error
    found = what_answers(http)
    return absent.absent_server(found, http.address, start=START, locked=LOGIN) or error


def not_an_app(reply: Reply, http: Http) -> ImageToMeshError:
    """Return the error for a page that is not the one of a Gradio app."""
    if is_closed(reply, http):
        return no_access(reply, http)
    if reply.status in (401, 403):
        return absent.password_error(http.address, LOGIN)
    if reply.status == 429:
        return RateLimited("The server receives too many requests now.", "Try again later.")
    return _no_app(what_answers(http), http.address)


def _no_app(found: Answering, address: str) -> ImageToMeshError:
    return absent.wrong_server(
        found, address, "a Gradio app", start=START, other=START, locked=LOGIN
    )


def is_closed(reply: Reply, http: Http) -> bool:
    """Return whether there is no Space at an address, or none for this user.

    Hugging Face says both in the same way, with a page in place of the app's JSON.
    """
    is_page = not isinstance(reply.json, dict)
    return SPACES in http.address and is_page and reply.status in (401, 403, 404)


def no_access(reply: Reply, http: Http) -> ImageToMeshError:
    """Return the error for a Space that does not exist or is private; see `is_closed`."""
    kind = Unreachable if reply.status == 404 else BadKey
    if not http.has_key:
        message = Message("There is no public Space at {address}.", address=http.address)
        return kind(message, NO_SPACE)
    message = Message(
        "There is no Space at {address} that your token can open.", address=http.address
    )
    return kind(message, NO_ACCESS)


def unreadable_app() -> ImageToMeshError:
    """Return the error for an app that does not describe itself as others do."""
    return BadReply("The Gradio app does not say what it can do.", UPDATE)


def refusal(reply: Reply, http: Http) -> ImageToMeshError:
    """Return the error for a call that the app did not queue.

    Uncertain if the answer is not from the app itself.
    """
    body: Any = reply.json if isinstance(reply.json, dict) else {}
    said = plain(body.get("detail"))
    if is_closed(reply, http):
        return no_access(reply, http)
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
    answer = output if isinstance(output, dict) else {"error": output}
    said, title = plain(answer.get("error")), plain(answer.get("title"))
    if said and _NO_GPU.search(f"{title}. {said}"):
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
        reason=reason if isinstance(reason, Message) else Message.of(plain(reason)),
    )
    return Uncertain(message, AGAIN)


def plain(text: object) -> str:
    """Return what an app says as one line without markup, quotes around it, and its last period."""
    if not isinstance(text, str):
        return ""
    words = html.unescape(_MARKUP.sub("", text)).split()
    return clean(" ".join(words), LONGEST_REASON).strip("'\"").rstrip(". ")
