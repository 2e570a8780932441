# SPDX-License-Identifier: GPL-3.0-or-later
"""What AI/ML API's refusals mean, in every shape that it sends them.

Facts: docs.aimlapi.com, pages on errors as of 2026-08-21. The classic body is
`{message, path, requestId, statusCode, timestamp}`, a newer one `{title, status, message}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

KEYS = "https://aimlapi.com/app/keys"
BILLING = "https://aimlapi.com/app/billing/"
VERIFICATION = "https://aimlapi.com/app/billing/verification"
MODELS = "https://aimlapi.com/models"

CONTENT = r"nsfw|safety|content policy|moderation|prohibited|inappropriate|flagged"
MONEY = r"run out|out of (funds|credits)|insufficient|not enough|top.?up|no credits"
PICTURE = r"image|\burl\b|\buri\b|base64|picture"
MODEL = r"(^|[\s:])model:|\bmodel\b.*\bnot (found|available|supported)\b|unknown model"
FREE = r"free.tier|free limit|subscription"
GONE = (
    "The model may be switched off: look for it at the service, or choose another provider. "
    "An address of your own is set without “/v1”."
)
AS_ADDRESS = "Give the picture as a public https address, which needs no upload."
NOT_CHARGED = "Failed requests are not charged."


@dataclass(frozen=True)
class Order:
    """What is known of a submit when its answer is judged."""

    model: str
    inline: bool
    trace: str


def refusal(status: int, reply: Reply, order: Order | None) -> ImageToMeshError:
    """Return the error that a status and the service's own message mean."""
    message = message_of(reply)
    message = (
        Message("{message} (request id {request})", message=message, request=given)
        if (given := request_id(reply))
        else message
    )
    if status in (400, 403, 422) and _matches(CONTENT, message):
        return Rejected(message, "Use another picture.")
    if status in (400, 413, 415, 422):
        return _refused_request(status, message, order)
    if status == 401:
        return BadKey(message, "Make a new key, and set it in the add-on's preferences.", KEYS)
    if status == 402 or (status == 403 and _matches(MONEY, message)):
        return NoCredits(message, "Top up the account.", BILLING)
    if status == 403:
        return BadKey(message, "Complete the account's verification.", VERIFICATION)
    if status == 429:
        return _too_many(message, reply)
    if status >= 500:
        return _broken(status, message, reply, order)
    if status in (404, 410):
        return Failed(message, GONE, MODELS)
    return Failed(message)


def _matches(words: str, text: str) -> bool:
    return re.search(words, text, re.IGNORECASE) is not None


def _refused_request(status: int, message: str, order: Order | None) -> ImageToMeshError:
    other = AS_ADDRESS if order is None or order.inline else "Check that its address is public."
    model = re.escape(order.model) if order else "$^"
    if _matches(rf"{MODEL}|received ['\"]{model}['\"]", message):
        return Failed(message, GONE, MODELS)
    if status in (413, 415):
        return BadImage(message, join_messages("Use a smaller PNG or JPEG.", other))
    if _matches(PICTURE, message):
        return BadImage(message, other)
    return InvalidSettings(message, join_messages("Change the setting that it names.", other))


def _too_many(message: str, reply: Reply) -> RateLimited:
    asked = reply.asked_pause
    wait: str = "Wait a while, then resume the job."
    if asked is not None:
        wait = Message("Wait {seconds} s, then resume the job.", seconds=f"{asked:.0f}")
    link = BILLING if _matches(FREE, message) else ""
    return RateLimited(message, wait, link)


def _broken(status: int, message: str, reply: Reply, order: Order | None) -> ImageToMeshError:
    """Tell the service's own failures, which are not charged, from a gateway's silence."""
    own = isinstance(reply.json, dict)
    if order is None or (own and _matches("maintenance", message)):
        return Unreachable(message, "Try again in a while.")
    if not own or status in (502, 503):
        return uncertain_error(
            Message(
                "The order was sent, and a gateway answered {status}: {message}",
                status=status,
                message=message,
            ),
            order,
        )
    return Failed(message, join_messages(NOT_CHARGED, "Try again in a while."))


def uncertain_error(message: str, order: Order) -> Uncertain:
    """Return the error for an order of which nobody knows, with what to look for."""
    return Uncertain(
        message,
        Message(
            "Look at the service whether request “{trace}” is there; it is "
            "never sent again by itself.",
            trace=order.trace,
        ),
        BILLING,
    )


def request_id(reply: Reply) -> str:
    """Return the id under which the service knows the request, or nothing."""
    body = reply.json if isinstance(reply.json, dict) else {}
    value = body.get("requestId") or reply.headers.get("x-inference-id") or ""
    return str(value)[:128]


def message_of(reply: Reply) -> str:
    """Return the service's own words, on one line."""
    body = reply.json
    if isinstance(body, dict):
        error = body.get("error")
        inner = error.get("message") if isinstance(error, dict) else error
        options: Iterable[object] = (body.get("message"), inner, body.get("title"))
        words = next((_words(one) for one in options if _words(one)), "")
        message = " ".join([words, *dict.fromkeys(_details(body))])
    else:
        message = _plain(reply.text)
    line = re.sub(r"data:[\w/+.-]+;base64,[\w+/=]*", "data:…", " ".join(message.split()))
    return line[:600] or Message("AI/ML API answered {status}.", status=reply.status)


def _words(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return "; ".join(one for one in parts if isinstance(one, str))


def _details(value: object) -> Iterator[str]:
    """Find what a validation says of single fields: objects with a list as `path`."""
    if isinstance(value, list):
        for one in value:
            yield from _details(one)
    elif isinstance(value, dict):
        path, message = value.get("path"), value.get("message")
        if isinstance(path, list) and isinstance(message, str):
            yield f"{'.'.join(map(str, path))}: {message}"
        else:
            yield from _details(list(value.values()))


def _plain(text: str) -> str:
    """Return a text body as it is, and of a web page its title."""
    if not text.lstrip().startswith("<"):
        return text
    import html

    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return html.unescape(title[1]) if title else ""
