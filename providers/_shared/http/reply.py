# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's answer as the providers get it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ..redaction import NO_REDACTION, Redactor
from ..untrusted_text import clean, decode_answer, decode_text

LONG = 1024 * 1024
"""Letters from which on a text that was read as JSON is cut: it may hold a mesh."""
MOST_PARTS = 100_000
"""Values in an answer's JSON. An order's answer may be long, where it holds a mesh as one text."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A service's answer: status, headers in lower case, and the body, decoded where it is JSON."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = None

    @property
    def ok(self) -> bool:
        """Whether the status is any 2xx."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the service surely did not take what was asked for; see `is_refusal`."""
        return is_refusal(self.status)

    @property
    def asked_pause(self) -> float | None:
        """For how many seconds the service asks to be left alone, in its body or its headers."""
        body = self.json if isinstance(self.json, dict) else {}
        for told in (body.get("remainingSeconds"), self.headers.get("retry-after")):
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                seconds = float(str(told))
                return seconds if 0.0 <= seconds < math.inf else None
            with contextlib.suppress(TypeError, ValueError, OverflowError, OSError, IndexError):
                return max(parsedate_to_datetime(str(told)).timestamp() - time.time(), 0.0)
        return None


def is_refusal(status: int) -> bool:
    """Say whether a status alone tells that nothing was taken.

    An error of a server tells nothing: it may come from a gateway after the service took an order.
    """
    return 400 <= status < 500 and status not in (408, 499)  # guard: refusals-are-4xx


def reply_of(
    status: int, headers: Mapping[str, str], data: bytearray, secrets: Redactor = NO_REDACTION
) -> Reply:
    """Read an answer's body, and empty it; without the keys, which a service may quote.

    The text of a long one is cut where it is JSON: one copy of a mesh in it is enough. JSON of
    more values than any answer has is not decoded, as each takes a hundred times its length.
    """
    parts = data.count(b"{") + data.count(b"[") + data.count(b",")
    text = decode_text(data, headers.get("content-type", ""))
    data.clear()
    if parts > MOST_PARTS:  # guard: wide-json
        text, found = secrets.redact(text[:LONG]), None
    else:
        text, found = decode_answer(text, secrets.redact)  # guard: keys-in-answers
    if found is not None and len(text) > LONG:
        text = text[:LONG]
    told = {name: clean(secrets.redact(value)) for name, value in headers.items()}
    return Reply(status, told, text, found)
