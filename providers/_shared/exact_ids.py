# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that go back to a service exactly as they came: ids, tokens, addresses.

None of them is ever cleaned, which would make another one of it: what no id can be is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import BadReply, ImageToMeshError, Message
from .redaction import REDACTED
from .untrusted_text import LOST, clean, clean_json

LONGEST = 16_384
"""Letters of an id or address, at most; signed addresses have two thousand."""


def is_sendable_unchanged(text: str) -> bool:
    """Say whether a text can go back as it came: printable, and nothing of it was replaced."""
    return text.isprintable() and len(text) <= LONGEST and not {LOST, REDACTED} & set(text)


def require_exact(text: str, what: str, error: type[ImageToMeshError] = BadReply) -> str:
    """Return a text as it is; raises that error for one that cannot go back as it came."""
    if not is_sendable_unchanged(text):
        raise error(
            Message("The {what} that the service gave cannot be used: “{text}”.", what=what,
                    text=clean(text, 80)),
            "Try again later; if it comes again, tell the service's support.",
        )  # fmt: skip
    return text


def require_exact_values(data: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return what goes back to a service: the texts themselves exact, what lies within them clean.

    Raises BadReply for a text that cannot go back as it came.
    """
    return {
        clean(name): require_exact(value, what) if isinstance(value, str) else clean_json(value)
        for name, value in data.items()
    }
