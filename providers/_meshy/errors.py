# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's error responses, and the errors of its tasks.

Sources: docs.meshy.ai, pages on errors and rate limits, and the vendor's MCP server 0.5.2; as of
November 2026.
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
    Unreachable,
)
from .._shared.messages import Message, join_messages
from . import KEY_PAGE_URL

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

PLANS_PAGE_URL = "https://www.meshy.ai/pricing"
ADDRESS_HINT = (
    "Check the connection, and Meshy Address in the add-on preferences or the environment "
    "variable MESHY_BASE_URL."
)
NOT_CHARGED = "Meshy does not charge for failed tasks."
QUEUE_HINT = (
    "The queue of your plan is full, or your plan does not include the API: wait until a task has "
    "finished, then resume the job."
)
GONE = "Meshy no longer has this task: it keeps results for three days."

# Its documentation has no codes for refused calls, but its client knows these.
_BY_CODE: Mapping[str, type[ImageToMeshError]] = {
    "insufficientcredits": NoCredits,
    "toomanypendingtasks": RateLimited,
    "limitexceeded": RateLimited,
    "forbidden": BadKey,
    "internalerror": Unreachable,
}
_BY_STATUS: Mapping[int, type[ImageToMeshError]] = {
    **dict.fromkeys((400, 409, 422), InvalidSettings),
    **dict.fromkeys((401, 403), BadKey),
    **dict.fromkeys((404, 405, 408, 410), Unreachable),
    **dict.fromkeys((413, 415), BadImage),
    402: NoCredits,
    429: RateLimited,
}
_HINTS: Mapping[type[ImageToMeshError], str] = {
    BadKey: "Check the key: it must start with msy_, and the API requires a paid plan.",
    NoCredits: "Add credits to your Meshy account.",
    InvalidSettings: "Change the settings, then generate again.",
    BadImage: "Use a PNG or JPEG image of at most 20 MB.",
    Rejected: "Use another image.",
    Unreachable: "Meshy is having problems: try again later.",
    Failed: "Try another image or other settings.",
}
_LINKS: Mapping[type[ImageToMeshError], str] = {BadKey: KEY_PAGE_URL, NoCredits: PLANS_PAGE_URL}
_CONTENT = re.compile(r"moderat|nsfw|\bsafety\b|harmful|sensitive content|content policy", re.I)
_PICTURE = re.compile(
    r"image_urls?\b|image (format|could|cannot|is)|unreachable url|data uri|base64", re.I
)
_QUEUE = re.compile(r"NoMore(Concurrent|Pending)Tasks|too ?many ?pending", re.I)


def refusal(reply: Reply) -> ImageToMeshError:
    """Return the error for a refused call, with Meshy's own message, if any."""
    kind, message = _kind(reply), message_of(reply)
    hint, link = _HINTS.get(kind, ""), _LINKS.get(kind, "")
    if kind is RateLimited:
        hint, link = _wait_hint(reply)
    elif kind is Unreachable and reply.status < 500 and not _code(reply):
        hint = ADDRESS_HINT
    return kind(message, hint, link)


def is_refused(reply: Reply) -> bool:
    """Return whether a response is an error: its status says so, or a known code in place of data.

    Meshy documents no errors with status 200, but gateways in front of services send them.
    """
    return not reply.ok or bool(_code(reply))


def is_unknown_task(reply: Reply) -> bool:
    """Return whether Meshy itself says that it has no such task.

    A gateway's page does not, and neither does Meshy's answer to a wrong address.
    """
    said = _text(reply, "message") or _text(reply, "error")
    return reply.status == 404 and bool(said) and "route" not in said.lower()


def gone_error() -> Expired:
    """Return the error for a task that Meshy no longer has."""
    return Expired(GONE, "Generate again.")


def _kind(reply: Reply) -> type[ImageToMeshError]:
    """Return the class of the error for a refused call."""
    if not isinstance(reply.json, dict) and reply.status in (401, 403):
        return BadKey if reply.status == 401 else Unreachable  # 403: a firewall in front of Meshy
    known = _BY_CODE.get(_code(reply))
    if known is not None:
        return known
    kind = _BY_STATUS.get(reply.status, Unreachable if reply.status >= 500 else Failed)
    if kind is InvalidSettings and reply.status != 409:
        text = _text(reply, "message")
        if _CONTENT.search(text):
            return Rejected
        return BadImage if _PICTURE.search(text) else kind
    return kind


def _code(reply: Reply) -> str:
    """Return a known error code without its separators, in lower case, or an empty string.

    It is in either of two fields, and its words are separated by capitals or by underscores.
    """
    for name in ("code", "error_code"):
        code = re.sub(r"[^a-z]", "", _text(reply, name).lower())
        if code in _BY_CODE:
            return code
    return ""


def _text(reply: Reply, name: str) -> str:
    value = reply.json.get(name) if isinstance(reply.json, dict) else None
    if isinstance(value, dict):
        value = value.get("message")
    return value.strip() if isinstance(value, str) else ""


def message_of(reply: Reply) -> str:
    """Return Meshy's own message, or one with the status if Meshy sent no message."""
    says = _text(reply, "message") or _text(reply, "error")
    if not isinstance(reply.json, dict):
        line = reply.text.strip().partition("\n")[0]
        says = "" if line.startswith(("<", "{", "[")) else line[:200]
    # Errors may quote the request, whose images would fill the message.
    own = re.sub(r"data:[\w/+.-]+;base64,[\w+/=]*", "data:…", says)[:600].rstrip(".")
    if own:
        return Message("{message}.", message=own)
    return Message("Meshy returned status {status}.", status=reply.status)


def _wait_hint(reply: Reply) -> tuple[str, str]:
    """Return what to do after a rate limit, and a page: its two kinds have different remedies."""
    if _QUEUE.search(message_of(reply)) or _code(reply) == "toomanypendingtasks":
        return QUEUE_HINT, PLANS_PAGE_URL
    if (pause := reply.asked_pause) is None:
        return "Wait a minute, then resume the job.", ""
    return Message("Wait {seconds} s, then resume the job.", seconds=f"{pause:.0f}"), ""


# -- tasks ---------------------------------------------------------------------------------------

_OF_TASKS: Mapping[str, tuple[type[Failed], str]] = {
    "moderation_blocked": (Banned, "Use another image."),
    "image_too_complex": (Failed, "Use an image of a single, simpler subject."),
    "timeout": (Expired, "Generate again."),
    "service_unavailable": (Failed, "Generate again later."),
    "server_error": (Failed, "Generate again later."),
    "format_conversion_failed": (Failed, "Generate again, or set Topology to Triangles."),
}
_USUAL = (Failed, "Try another image or other settings.")


def task_failure(error: Mapping[str, Any]) -> Failed:
    """Return the error for a failed task, from its `task_error`: by its code, or else its type."""
    names = [str(error.get(name) or "").lower() for name in ("code", "type")]
    kind, hint = next((_OF_TASKS[name] for name in names if name in _OF_TASKS), _USUAL)
    says = str(error.get("message") or "")
    if kind is Failed and _CONTENT.search(says):
        kind, hint = _OF_TASKS["moderation_blocked"]
    own = says.rstrip(".")
    message = Message("{message}.", message=own) if own else "Meshy could not generate the mesh."
    return kind(message, join_messages(hint, NOT_CHARGED))
