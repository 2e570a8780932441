# SPDX-License-Identifier: GPL-3.0-or-later
"""AI/ML API's error responses, in all shapes that it sends.

Facts: docs.aimlapi.com, pages on errors as of 2026-08-21. The classic body is
`{message, path, requestId, statusCode, timestamp}`, a newer one `{title, status, message}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .._shared.errors import (
    BadImage,
    BadKey,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    NoCredits,
    RateLimited,
    Rejected,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message, join_messages

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

KEY_PAGE_URL = "https://aimlapi.com/app/keys"
BILLING_PAGE_URL = "https://aimlapi.com/app/billing/"
VERIFICATION_PAGE_URL = "https://aimlapi.com/app/billing/verification"
MODELS_PAGE_URL = "https://aimlapi.com/models"

CONTENT = r"nsfw|safety|content policy|moderation|prohibited|inappropriate|flagged"
MONEY = r"run out|out of (funds|credits)|insufficient|not enough|top.?up|no credits"
PICTURE = r"image|\burl\b|\buri\b|base64|picture"
MODEL = r"(^|[\s:])model:|\bmodel\b.*\bnot (found|available|supported)\b|unknown model"
FREE = r"free.tier|free limit|subscription"
GONE = (
    "The model may no longer be available: check the service, or choose another "
    "provider. A custom address must not end with “/v1”."
)
AS_ADDRESS = "Use a public https URL for the image: it needs no upload."
NOT_CHARGED = "AI/ML API does not charge for failed requests."


class Order(NamedTuple):
    """A submitted request: its model, whether it contains image data, and its request id."""

    model: str
    inline: bool
    trace: str


def refusal(status: int, reply: Reply, order: Order | None) -> ImageToMeshError:
    """Return the error for a refused call, with the service's own message and request id, if any.

    `order` is None for a free call. `status` may also come from the body of a response with status
    200.
    """
    message = message_of(reply)
    message = (
        Message("{message} (request ID {request})", message=message, request=given)
        if (given := request_id(reply))
        else message
    )
    # The service has no error codes for these: only its wording distinguishes them.
    if status in (400, 403, 422) and _matches(CONTENT, message):
        return Rejected(message, "Use another image.")
    if status in (400, 413, 415, 422):
        return _refused_request(status, message, order)
    if status == 401:
        return BadKey(
            message, "Create a new key and set it in the add-on preferences.", KEY_PAGE_URL
        )
    if status == 402 or (status == 403 and _matches(MONEY, message)):
        return NoCredits(message, "Add credits to your account.", BILLING_PAGE_URL)
    if status == 403:
        return BadKey(message, "Verify your account.", VERIFICATION_PAGE_URL)
    if status == 429:
        return _too_many(message, reply)
    if status >= 500:
        return _broken(status, message, reply, order)
    if status in (404, 410):
        return Failed(message, GONE, MODELS_PAGE_URL)
    return Failed(message)


def _matches(words: str, text: str) -> bool:
    return re.search(words, text, re.IGNORECASE) is not None


def _refused_request(status: int, message: str, order: Order | None) -> ImageToMeshError:
    other = (
        AS_ADDRESS
        if order is None or order.inline
        else "Check that the image's URL is publicly accessible."
    )
    # A free call names no model that could be refused, and `$^` matches no message.
    model = re.escape(order.model) if order else "$^"
    if _matches(rf"{MODEL}|received ['\"]{model}['\"]", message):
        return Failed(message, GONE, MODELS_PAGE_URL)
    if status in (413, 415):
        return BadImage(message, join_messages("Use a smaller PNG or JPEG.", other))
    if _matches(PICTURE, message):
        return BadImage(message, other)
    return InvalidSettings(message, join_messages("Change the setting named above.", other))


def _too_many(message: str, reply: Reply) -> RateLimited:
    asked = reply.asked_pause
    wait: str = "Resume the job later."
    if asked is not None:
        wait = Message("Wait {seconds} s, then resume the job.", seconds=f"{asked:.0f}")
    link = BILLING_PAGE_URL if _matches(FREE, message) else ""
    return RateLimited(message, wait, link)


def _broken(status: int, message: str, reply: Reply, order: Order | None) -> ImageToMeshError:
    """Return the error for a status of 500 or more.

    - Unreachable for a free call, and during maintenance.
    - Uncertain if a gateway reports the failure, since the service may have processed the order.
    - Failed otherwise: the service does not charge for its own failures.
    """
    own = isinstance(reply.json, dict)
    if order is None or (own and _matches("maintenance", message)):
        return Unreachable(message, "Try again later.")
    if not own or status in (502, 503):
        return uncertain_error(
            Message(
                "The request was sent, but a gateway returned status {status}: {message}",
                status=status,
                message=message,
            ),
            order,
        )
    return Failed(message, join_messages(NOT_CHARGED, "Try again later."))


def uncertain_error(message: str, order: Order) -> Uncertain:
    """Return the error for an order that may have been charged, with its request id in the hint."""
    return Uncertain(
        message,
        Message(
            "Check the service for request “{trace}”. It will not be resubmitted automatically.",
            trace=order.trace,
        ),
        BILLING_PAGE_URL,
    )


def request_id(reply: Reply) -> str:
    """Return the id that the service gave to the request, or an empty string."""
    body = reply.json if isinstance(reply.json, dict) else {}
    value = body.get("requestId") or reply.headers.get("x-inference-id") or ""
    return str(value)[:128]


def message_of(reply: Reply) -> str:
    """Return the service's own message on one line; if it sent none, one with the status.

    The message includes the validation details, if any, and has at most 600 characters.
    """
    body = reply.json
    if isinstance(body, dict):
        error = body.get("error")
        inner = error.get("message") if isinstance(error, dict) else error
        options: Iterable[object] = (body.get("message"), inner, body.get("title"))
        words = next(filter(None, map(_words, options)), "")
        message = " ".join([words, *dict.fromkeys(_details(body))])
    else:
        message = _plain(reply.text)
    # Errors may quote the request, whose images would fill the message.
    line = re.sub(r"data:[\w/+.-]+;base64,[\w+/=]*", "data:…", " ".join(message.split()))
    # Enough for several messages of a validation.
    return line[:600] or Message("AI/ML API returned status {status}.", status=reply.status)


def _words(value: object) -> str:
    texts = value if isinstance(value, list) else [value]
    return "; ".join(text for text in texts if isinstance(text, str))


def _details(value: object) -> Iterator[str]:
    """Yield “path: message” for each nested object with a string `message` and a list `path`."""
    if isinstance(value, list):
        for item in value:
            yield from _details(item)
    elif isinstance(value, dict):
        path, message = value.get("path"), value.get("message")
        if isinstance(path, list) and isinstance(message, str):
            yield f"{'.'.join(map(str, path))}: {message}"
        else:
            yield from _details(list(value.values()))


def _plain(text: str) -> str:
    """Return the title of an HTML page, "" for one without a title, or any other text unchanged."""
    if not text.lstrip().startswith("<"):
        return text
    import html

    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return html.unescape(title[1]) if title else ""
