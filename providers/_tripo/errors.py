# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's error responses, in both versions of its API.

Sources: Tripo's migration guide and the SDKs tripo3d 0.4.2 and 1.0.0; as of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._shared.errors import (
    BadImage,
    BadKey,
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

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

KEY_PAGE_URL = "https://platform.tripo3d.ai/api-keys"
BILLING_PAGE_URL = "https://platform.tripo3d.ai/billing"


class Api(NamedTuple):
    """The differences between the versions of the API. `name` is the version's name in messages.

    `meshes` are the output fields that may contain the mesh, in order of preference. `late` is the
    error for code 2018, and `nobody` the hint if another server answers at the base URL.
    """

    name: str
    meshes: tuple[str, ...]
    late: type[Failed]
    nobody: str


POLICY, LATE = 2008, 2018
"""Error codes of tasks: refused by the content policy, and not finished in time."""

_BY_CODE: Mapping[int, type[ImageToMeshError]] = {
    **dict.fromkeys((2, 1002, 1005), BadKey),
    **dict.fromkeys((1000, 1001, 4001), Unreachable),
    **dict.fromkeys((1003, 1004, 2009, 2013, 2015, 2016, 2017, 2019), InvalidSettings),
    **dict.fromkeys((1007, 2000), RateLimited),
    **dict.fromkeys((2003, 2004, 2021, 2022), BadImage),
    **dict.fromkeys((2002, 2005, 2006, 2007, LATE), Failed),
    **dict.fromkeys((POLICY, 2014), Rejected),
    2001: Expired,
    2010: NoCredits,
}
_BY_STATUS: Mapping[int, type[ImageToMeshError]] = {
    **dict.fromkeys((400, 422), InvalidSettings),
    **dict.fromkeys((401, 403), BadKey),
    **dict.fromkeys((404, 405, 408, 410), Unreachable),
    **dict.fromkeys((413, 415), BadImage),
    402: NoCredits,
    429: RateLimited,
}
_HINTS: Mapping[type[ImageToMeshError], str] = {
    BadKey: (
        "Check the key: it must start with tsk_, and keys from tripo3d.com do not work at "
        "tripo3d.ai."
    ),
    NoCredits: "Add credits to your Tripo account.",
    InvalidSettings: "Change the settings, then generate again.",
    BadImage: "Use a PNG, JPEG, or WebP image of at most 20 MB and 6000 pixels per side.",
    Rejected: "Use another image.",
    Unreachable: "Tripo is having problems: try again later.",
    Expired: "Check Tripo for the task.",
    Failed: "Try another image or other settings.",
}
_LINKS: Mapping[type[ImageToMeshError], str] = {BadKey: KEY_PAGE_URL, NoCredits: BILLING_PAGE_URL}


def refusal(reply: Reply, api: Api) -> ImageToMeshError:
    """Return the error for a refused call, with Tripo's own message and suggestion, if any."""
    kind = _kind(reply)
    hint = _HINTS.get(kind, "")
    if kind is RateLimited:
        hint = _wait_hint(reply)
    elif kind is Unreachable and reply.status < 500 and _code(reply) not in (1000, 1001):
        hint = api.nobody
    suggested = _text(reply, "suggestion")
    return kind(_message(reply, api), join_messages(suggested, hint), _LINKS.get(kind, ""))


def is_refused(reply: Reply) -> bool:
    """Return whether a response is an error. Tripo also sends error codes with status 200."""
    return not reply.ok or bool(_code(reply)) or _text(reply, "status") == "error"


def is_unclear(reply: Reply) -> bool:
    """Return whether a response has no documented error code, and is not clearly an error.

    A response with a message but no data is clearly an error.
    """
    body = reply.json if isinstance(reply.json, dict) else {}
    is_error = bool(_text(reply, "message")) and not body.get("data")
    return _code(reply) not in _BY_CODE and not is_error


def _kind(reply: Reply) -> type[ImageToMeshError]:
    code, by_status = _code(reply), _BY_STATUS.get(reply.status)
    if reply.status == 401:
        return BadKey
    # Tripo's own errors are JSON; this one is from a firewall or proxy in front of it.
    if reply.status == 403 and not isinstance(reply.json, dict):
        return Unreachable
    # Code 2000 is documented for rate limits, but is also sent for invalid parameters.
    if code == 2000 and "invalid" in _text(reply, "message").lower():
        return InvalidSettings
    if code in _BY_CODE:
        return _BY_CODE[code]
    return by_status or (Unreachable if reply.status >= 500 else Failed)


def _code(reply: Reply) -> int:
    """Return the error code of a response as `parse_code` does; 0 if it is not a JSON object."""
    return parse_code(reply.json.get("code")) if isinstance(reply.json, dict) else 0


def parse_code(code: Any) -> int:
    """Return an error code, which may be a string, as a number; 0 means success.

    Return 0 if the code is missing, and -1 if it is not a whole number.
    """
    if code is None or code == "":
        return 0
    return int(str(code)) if _NUMBER.fullmatch(str(code)) else -1


# Bounded, because `int` raises ValueError for more than 4,300 digits.
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _text(reply: Reply, name: str) -> str:
    value = reply.json.get(name) if isinstance(reply.json, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _message(reply: Reply, api: Api) -> str:
    """Return Tripo's own message, or one with the status if Tripo sent no message.

    The request id, if any, is appended for Tripo's support.
    """
    says = _text(reply, "message")
    if not isinstance(reply.json, dict):
        line = reply.text.strip().partition("\n")[0]
        says = "" if line.startswith(("<", "{", "[")) else line[:200]
    traced = _text(reply, "request_id") or reply.headers.get("x-request-id")
    traced = traced or reply.headers.get("x-tripo-trace-id")
    own = says.rstrip(".")
    message = own or Message("{api} returned status {status}", api=api.name, status=reply.status)
    if traced:
        return Message("{message} (request ID {request}).", message=message, request=traced)
    return Message("{message}.", message=message)


def _wait_hint(reply: Reply) -> str:
    if (pause := reply.asked_pause) is None:
        return "Wait a minute, then resume the job."
    return Message("Wait {seconds} s, then resume the job.", seconds=f"{pause:.0f}")
