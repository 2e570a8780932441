# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario's error responses.

Sources: Scenario's documentation, help pages and scenario-sdk 2.4.0; as of November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import (
    BadImage,
    BadKey,
    Failed,
    ImageToMeshError,
    NoCredits,
    RateLimited,
    Rejected,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message, join_messages

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

KEY_PAGE_URL = "https://app.scenario.com/team&tab=project_api_keys"
ADDRESS_HINT = (
    "Check Scenario Address in the add-on preferences, or the environment variable "
    "SCENARIO_BASE_URL."
)
PRICING_PAGE_URL = "https://www.scenario.com/pricing"

# Scenario documents no error codes: only the wording of its messages distinguishes errors.
_CREDITS = r"(?i)credits?\b|(compute|creative)\s?units?|\bCUs?\b|\bquota\b"
_PLAN = r"(?i)\bplan\b|upgrade|subscri|access.?restrict"
_POLICY = (
    r"(?i)moderat|nsfw|\bpolic(y|ies)\b|\bsafety\b|inappropriate|prohibited|copyright"
    r"|ip.?detection"
)


def check_reply(
    reply: Reply,
    *,
    otherwise: type[ImageToMeshError] = Failed,
    missing: type[ImageToMeshError] | None = None,
) -> Reply:
    """Return the response to a free call unchanged. Raises the error for a refusal.

    Raises Unreachable if the response is not a JSON object: HTML comes from a proxy or captive
    portal, which may be gone at the next poll. `otherwise` and `missing` are as for `refusal`.
    """
    if not reply.ok:
        raise refusal(reply, otherwise=otherwise, missing=missing)
    if not isinstance(reply.json, dict):
        raise Unreachable("The response did not come from Scenario.", "Check the connection.")
    return reply


def refusal(
    reply: Reply,
    *,
    otherwise: type[ImageToMeshError],
    missing: type[ImageToMeshError] | None = None,
) -> ImageToMeshError:
    """Return the error for a refused call.

    `missing` is the error's class for a 404 from Scenario itself, by default Unreachable.
    `otherwise` is its class if neither the status nor the message is specific.
    """
    # Without HTML, because a gateway's page may contain any of the words searched for below.
    text = reply.text if isinstance(reply.json, dict) else ""
    message = _message(reply)
    if reply.status == 401:
        return BadKey(message, "Check API Key and API Secret.", KEY_PAGE_URL)
    if reply.status == 429:
        return _rate_limited(reply, message)
    if reply.status == 408 or reply.status >= 500:
        return Unreachable(message, "Scenario is having problems: try again later.")
    if re.search(_POLICY, text):
        return Rejected(message, "Use another image.")
    if reply.status == 402 or re.search(_CREDITS, text):
        return NoCredits(
            message, "Buy more Compute Units, or wait until they are renewed.", PRICING_PAGE_URL
        )
    if reply.status == 403 and re.search(_PLAN, text):
        return NoCredits(
            message, "Your plan does not include this: upgrade it at Scenario.", PRICING_PAGE_URL
        )
    if reply.status == 403:
        return BadKey(
            message, "Use an API key from the project that pays for the job.", KEY_PAGE_URL
        )
    if reply.status == 413:
        return BadImage(message, "Use a smaller image.")
    if reply.status in (404, 405, 410):
        # Without JSON, another server answered, which says nothing about the job or asset.
        known = missing if isinstance(reply.json, dict) and reply.status == 404 else None
        return known(message) if known else Unreachable(message, ADDRESS_HINT)
    return otherwise(message)


def submit_refusal(reply: Reply, otherwise: type[ImageToMeshError]) -> ImageToMeshError:
    """Return the error for a failed order: Uncertain, unless Scenario certainly refused it.

    `otherwise` is as for `refusal`.
    """
    if not reply.refused:
        return Uncertain(
            join_messages(_message(reply), "Scenario may have accepted the request."),
            "Check app.scenario.com for the job. It will not be resubmitted automatically.",
        )
    error = refusal(reply, otherwise=otherwise, missing=otherwise)
    error.hint = error.hint or "Fix what the message describes, then generate again."
    return error


def content_refused(text: str) -> bool:
    """Return whether an error message says that the image's content was refused."""
    return bool(re.search(_POLICY, text))


def _message(reply: Reply) -> str:
    return message_of(reply) or Message("Scenario returned status {status}.", status=reply.status)


def message_of(reply: Reply) -> str:
    """Return Scenario's own message, or "" without one.

    The request id, if any, is appended for Scenario's support. Of a plain-text response, the first
    line is returned; HTML contains no message.
    """
    if not isinstance(reply.json, dict):
        line = reply.text.strip().partition("\n")[0]
        return "" if line.startswith(("<", "{", "[")) else line[:200]
    message = next(filter(None, (_sentence(reply.json.get(name)) for name in _SENTENCES)), "")
    trace = reply.json.get("trace_id")
    return (
        Message("{message} (request ID {request})", message=message, request=trace)
        if message and trace
        else message
    )


_SENTENCES = ("reason", "message", "error", "detail")


def _sentence(value: Any) -> str:
    if isinstance(value, Mapping):
        return next(filter(None, (_sentence(value.get(name)) for name in _SENTENCES)), "")
    if isinstance(value, list):
        return "; ".join(filter(None, map(_sentence, value)))
    return value if isinstance(value, str) else ""


def _rate_limited(reply: Reply, message: str) -> RateLimited:
    seconds = reply.asked_pause
    if seconds is None:
        return RateLimited(message, "Wait a minute, then try again or resume the job.")
    wait = Message("{seconds} s", seconds=f"{seconds:.0f}")
    if seconds >= 120:
        wait = Message("{minutes} minutes", minutes=f"{seconds / 60:.0f}")
    return RateLimited(
        Message("{message}: Scenario asks you to wait {wait}.", message=message, wait=wait),
        "After that, try again or resume the job.",
    )
