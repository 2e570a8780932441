# SPDX-License-Identifier: GPL-3.0-or-later
"""A service's response as providers see it: redacted, limited in size, with its JSON decoded."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..errors import BadReply
from ..messages import Message
from ..redaction import NO_REDACTION, Redactor
from ..results.mesh_format import BEGIN, format_of
from ..untrusted_text import clean, decode_answer, decode_text

if TYPE_CHECKING:
    from .transport import Answer

PIECE = 1024 * 1024
"""Bytes to read at a time: large enough to be fast, small enough to cancel within a second."""

LONG = 1024 * 1024
"""Maximum characters of text that are kept beside decoded JSON, which may contain a mesh."""
MESH_FILE = b"glTF"
"""First bytes of a GLB file. Servers state various content types for it, text among them."""
TEXT_STARTS = (b"", b"{", b"[", b'"', b"<")
"""First characters of JSON, of pages, and of nothing."""
MOST_VALUES = 100_000
"""Maximum number of values in JSON that is decoded. A mesh in base64 counts as one value."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: its status, headers by lower-case name, text, and decoded JSON or None.

    `file` is the body if it is a mesh file, and `format` its format; both are None otherwise. Of a
    shortened response, `file` is only the beginning.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = None
    file: bytearray | None = field(default=None, repr=False)
    format: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the service certainly rejected the request; see `is_refusal`."""
        return is_refusal(self.status)

    @property
    def asked_pause(self) -> float | None:
        """Seconds to wait before the next call, from the body or Retry-After; None if unknown."""
        body = self.json if isinstance(self.json, dict) else {}
        # Some services send `remainingSeconds`. Retry-After has seconds or a date (RFC 9110).
        for value in (body.get("remainingSeconds"), self.headers.get("retry-after")):
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                seconds = float(str(value))
                return seconds if 0.0 <= seconds < math.inf else None
            with contextlib.suppress(TypeError, ValueError, OverflowError, OSError, IndexError):
                return max(parsedate_to_datetime(str(value)).timestamp() - time.time(), 0.0)
        return None


def is_refusal(status: int) -> bool:
    """Return whether a status alone proves that a request was rejected.

    A 5xx does not: a gateway may send it after the service accepted the order. Neither do 408 and
    499 (nginx: the client closed the request).
    """
    return 400 <= status < 500 and status not in (408, 499)  # guard: refusals-are-4xx


def reply_of(
    status: int, headers: Mapping[str, str], data: bytearray, secrets: Redactor = NO_REDACTION
) -> Reply:
    """Return a decoded response with secrets redacted. Empties `data`, to halve the peak memory.

    A mesh file is not decoded: `data` itself becomes the response's `file`.
    JSON with more than `MOST_VALUES` values is not decoded. The text of long JSON is truncated, so
    that a mesh in it is not kept twice.
    """
    safe_headers = {name: clean(secrets.redact(value)) for name, value in headers.items()}
    format_ = mesh_format(status, headers, data)
    if format_ is not None:
        return Reply(status, safe_headers, "", file=data, format=format_)
    # Values are counted before decoding, because `[[[[…` of 1 MB becomes 100 MB of objects.
    values = data.count(b"{") + data.count(b"[") + data.count(b",")
    text = decode_text(data, headers.get("content-type", ""))
    data.clear()
    if values > MOST_VALUES:  # guard: wide-json
        text, decoded = secrets.redact(text[:LONG]), None
    else:
        text, decoded = decode_answer(text, secrets.redact)  # guard: keys-in-answers
    if decoded is not None and len(text) > LONG:
        text = text[:LONG]
    return Reply(status, safe_headers, text, decoded)


def mesh_format(status: int, headers: Mapping[str, str], data: bytearray) -> str | None:
    """Return the format of the mesh file that a response is, or begins with; None for any other.

    A glTF file in JSON counts as JSON. `headers` state the size of a response that is read partly.
    """
    if data.startswith(MESH_FILE):
        return "glb"
    if not 200 <= status < 300 or data[:BEGIN].lstrip()[:1] in TEXT_STARTS:
        return None
    stated = headers.get("content-length", "")
    size = int(stated) if stated.isascii() and stated.isdigit() else 0
    return format_of(bytes(data[:BEGIN]), max(size, len(data)))


def bounded_pieces(answer: Answer, limit: int, check: Callable[[], None]) -> Iterator[bytes]:
    """Yield the decompressed body in chunks. Raises BadReply if it exceeds `limit` bytes.

    `check` is called for each chunk, and may raise Cancelled. Raises CallFailed if the body breaks
    off.
    """
    done = 0
    # The transport counts the bytes on the wire, this loop those after decompression.
    answer.expect(limit)
    for piece in answer.pieces(PIECE):
        check()
        done += len(piece)
        if done > limit:  # guard: answer-limit
            raise too_large(limit)
        yield piece


def too_large(limit: int) -> BadReply:
    """Return the error for a response of more than `limit` bytes."""
    message = Message("The response is larger than {size} MB.", size=limit // 1_000_000)
    return BadReply(message, "Try again later.")
