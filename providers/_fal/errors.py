# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's error responses: of its queue, and of the models behind it.

Sources: fal's pages “Errors” and “Request Error Types”, fal-client 1.0.3, and reports of users on
locked accounts; as of November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import (
    BadImage,
    BadKey,
    Banned,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    NoCredits,
    RateLimited,
    Rejected,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message, as_message, join_messages

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

KEY_PAGE_URL = "https://fal.ai/dashboard/keys"
BILLING_PAGE_URL = "https://fal.ai/dashboard/billing"
ADDRESS_HINT = (
    "Check the connection, and fal Address in the add-on preferences or the environment variable "
    "FAL_BASE_URL."
)
FREE = "fal does not charge for this."
"""What its FAQ says of status 500 and more."""
CHARGED = "fal may charge for it."
"""What its FAQ says of inputs that the model has refused."""
AGAIN = "Resume the job to ask for the result again."
POLICY = ("content_policy_violation", "no_media_generated", "model_moderated")
"""Types of errors about what an image shows."""
_OF_IMAGES = re.compile(r"image|file|media|unsupported_.*format")
_LOCKED = re.compile(r"locked|balance|top.?up|credit", re.IGNORECASE)
_NO_MONEY = re.compile(r"balance|top.?up|credit", re.IGNORECASE)
REQUEST_ERRORS: Mapping[str, str] = {
    "request_timeout": "The model took too long.",
    "startup_timeout": "The model did not start in time.",
    "runner_scheduling_failure": "fal had no computer for the model.",
    "runner_connection_timeout": "The model's computer did not answer.",
    "runner_disconnected": "The model's computer stopped.",
    "runner_connection_refused": "The model's computer did not answer.",
    "runner_connection_error": "The model's computer did not answer.",
    "runner_incomplete_response": "The model's answer was not complete.",
    "runner_server_error": "The model failed.",
    "internal_error": "fal had an error.",
    "client_disconnected": "The order was canceled at fal.",
    "client_cancelled": "The order was canceled at fal.",
}
"""Sentences for the types of errors that are fal's own."""


def refusal(reply: Reply) -> ImageToMeshError:
    """Return the error for a call that fal or its storage has refused."""
    message, status = _message(reply), reply.status
    if status == 401:
        return BadKey(message, "Check the key.", KEY_PAGE_URL)
    if status == 402:
        return NoCredits(message, "Add credits to your fal account.", BILLING_PAGE_URL)
    if status == 403:
        return _forbidden(reply, message)
    if status == 413:
        return BadImage(message, "Use a smaller image.")
    if status == 429:
        return RateLimited(message, "Wait a minute, then resume the job.")
    if status in (404, 405, 410) and not _says(reply):
        return Unreachable(message, ADDRESS_HINT)
    if status == 408 or status >= 500 or not isinstance(reply.json, dict):
        return Unreachable(message, "fal is having problems: try again later.")
    return _bad_input(reply, message)


def submit_refusal(reply: Reply) -> ImageToMeshError:
    """Return the error for a failed order: Uncertain, unless fal has certainly refused it."""
    if reply.refused:
        return refusal(reply)
    return Uncertain(
        join_messages(_message(reply), "fal may have accepted the request."),
        "Check fal.ai/dashboard for the request. It will not be resubmitted automatically.",
    )


def failure(reply: Reply) -> ImageToMeshError:
    """Return the error for the result of an order that is done, but has no result.

    The queue passes on the answer of the model. Unreachable if the answer is not from fal.
    """
    if not _says(reply):
        return Unreachable(_message(reply), AGAIN)
    if reply.status in (401, 402, 403, 429):
        return refusal(reply)
    if reply.status in (404, 410):
        return Expired(
            "fal no longer has the result.",
            "It keeps results for an hour at most, and large ones for six minutes. Generate again.",
        )
    kind = error_type(reply.headers, reply.json)
    if reply.status >= 500 and not (kind or "detail" in reply.json):
        # Of the queue itself, or of what is in front of it: the result may well be there.
        return Unreachable(_message(reply), AGAIN)
    return task_failure(_message(reply), kind, is_free=reply.status >= 500)


def task_failure(message: str, kind: str, *, is_free: bool) -> ImageToMeshError:
    """Return the error for an order that failed. `kind` is fal's type of the error, or empty."""
    if kind in POLICY:
        return Banned(message, join_messages("Use another image.", CHARGED))
    told = REQUEST_ERRORS.get(kind, "")
    if told:
        return Failed(join_messages(told, message), join_messages("Generate again.", FREE))
    hint = "Try another image or other settings."
    return Failed(message, join_messages(hint, FREE if is_free else CHARGED))


def error_type(headers: Mapping[str, str], body: object) -> str:
    """Return fal's type of an error: of the request, or of the first problem with an input."""
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    problems = _problems(given.get("detail"))
    inner = problems[0].get("type") if problems else None
    kind = given.get("error_type") or inner or headers.get("x-fal-error-type")
    return kind if isinstance(kind, str) else ""


def describe(body: object) -> str:
    """Return what fal says in a body: its text, or each problem with the input that it names."""
    given: Mapping[str, Any] = body if isinstance(body, dict) else {}
    for name in ("detail", "message", "error"):
        value = given.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip().rstrip(".")
        if texts := [text for text in map(_problem, _problems(value)) if text]:
            return "; ".join(texts[:3])
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            return str(value["message"]).strip().rstrip(".")
    return ""


def _forbidden(reply: Reply, message: str) -> ImageToMeshError:
    said = describe(reply.json)
    if not _says(reply):  # from a firewall or proxy in front of fal
        return Unreachable(message, ADDRESS_HINT)
    if _NO_MONEY.search(said):
        hint = "Add credits to your fal account. It may take an hour until it is unlocked."
        return NoCredits(message, hint, BILLING_PAGE_URL)
    if _LOCKED.search(said):
        return BadKey(message, "fal has locked your account: write to support@fal.ai.")
    return BadKey(message, "Use a key with the scope API, of the right team.", KEY_PAGE_URL)


def _bad_input(reply: Reply, message: str) -> ImageToMeshError:
    kind = error_type(reply.headers, reply.json)
    if kind in POLICY:
        return Rejected(message, "Use another image.")
    if _OF_IMAGES.search(kind):
        return BadImage(
            message,
            "Use a PNG, JPEG, or WebP image of 128 to 5000 pixels per side, and of at most 8 MB.",
        )
    if reply.status == 404:
        hint = "Choose another model: fal may have removed this one."
        return InvalidSettings(message, hint)
    return InvalidSettings(message, "Fix what the message describes, then generate again.")


def _says(reply: Reply) -> bool:
    """Return whether an answer is fal's own, which is JSON with a text."""
    return bool(describe(reply.json))


def _message(reply: Reply) -> str:
    said = describe(reply.json)
    text = said or Message("fal returned status {status}", status=reply.status)
    request = reply.headers.get("x-fal-request-id")
    if request:
        return Message("{message} (request ID {request}).", message=as_message(text),
                       request=request)  # fmt: skip
    return Message("{message}.", message=as_message(text))


def _problems(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _problem(item: Mapping[str, Any]) -> str:
    text, place = item.get("msg"), item.get("loc")
    if not isinstance(text, str) or not text.strip():
        return ""
    names = [str(part) for part in place if part != "body"] if isinstance(place, list) else []
    return f"{'.'.join(names)}: {text.strip().rstrip('.')}" if names else text.strip().rstrip(".")
