# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks ids, tokens and URLs, which must be sent back to a service exactly as received.

They are not cleaned like text that is shown to the user, because cleaning could change them.
Instead, they are refused if they are too long, or have unprintable, replaced or redacted
characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import BadReply, ImageToMeshError
from .messages import Message
from .redaction import REDACTED
from .untrusted_text import LOST, clean, clean_json

LONGEST = 16_384
"""Maximum length of an id or URL, in characters; presigned URLs have about two thousand."""


def is_sendable_unchanged(text: str) -> bool:
    """Return whether text is printable, not too long, and without replaced or redacted parts."""
    return text.isprintable() and len(text) <= LONGEST and not {LOST, REDACTED} & set(text)


def require_exact(text: str, kind: str, error: type[ImageToMeshError] = BadReply) -> str:
    """Return `text` unchanged. Raises `error` if it cannot be sent back unchanged.

    The error's message calls the text `kind`, such as "token".
    """
    if not is_sendable_unchanged(text):
        raise error(
            Message("The service returned an invalid {what}: “{text}”.", what=kind,
                    text=clean(text, 80)),
            "Try again later. If it happens again, contact the service's support.",
        )  # fmt: skip
    return text


def require_exact_values(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the data of a ticket or upload, with names and nested values cleaned.

    Raises BadReply for a top-level string that cannot be sent back unchanged. The error's message
    calls the string `kind`.
    """
    return {
        clean(name): require_exact(value, kind) if isinstance(value, str) else clean_json(value)
        for name, value in data.items()
    }
