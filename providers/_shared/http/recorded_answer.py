# SPDX-License-Identifier: GPL-3.0-or-later
"""Records the answer to an order as it arrives, before anything parses it.

An order may have been charged even if its answer cannot be parsed. `Http.submit`, the only call
that orders, therefore passes every chunk of the answer to an `AnswerRecorder` first, with the API
keys redacted. Later, `ReplayConnection` stands in for the network, and lets the provider parse the
recorded answer again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .reply import Reply

# A cookie may grant access like a key, and is not needed to parse an answer.
NOT_RECORDED = frozenset({"set-cookie", "set-cookie2"})


class AnswerRecorder(Protocol):
    """Records the answer to an order.

    Its methods must not raise: a full disk must not lose an answer that has already arrived.
    """

    def sending(self) -> None:
        """Record that the request is about to be sent."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Start an answer. It replaces the answer of an earlier attempt, which had status 429."""

    def add(self, piece: bytes) -> None:
        """Append a chunk of the body."""

    def end(self, *, whole: bool) -> None:
        """Flush the answer to disk. `whole`: the answer arrived completely."""


def record_answer(
    recorder: AnswerRecorder,
    status: int,
    headers: Mapping[str, str],
    pieces: Iterable[bytes],
    secrets: Iterable[str],
) -> Iterator[bytes]:
    """Record an answer with secrets redacted and without cookies; yield its chunks unchanged.

    If the answer breaks off, the part that has arrived is recorded.
    """
    redactor = StreamRedactor(secrets)
    shown = {
        # On one line: in the recorded file, a line break would begin another header.
        name: "".join(redactor.text(value).splitlines())
        for name, value in headers.items()
        if name.lower() not in NOT_RECORDED
    }
    recorder.begin(status, shown)
    whole = False
    try:
        for piece in pieces:
            recorder.add(redactor.redact(piece))
            yield piece
        whole = True
    finally:
        recorder.add(redactor.flush())
        recorder.end(whole=whole)


class StreamRedactor:
    """Redacts secrets in a body that arrives in chunks, even if a secret spans two of them.

    Every character of a secret is recognized as itself, JSON-escaped (`\\u002f`), or
    percent-encoded (`%2F`).
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        # Longest first, because a secret may contain another one.
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        # In any case of letters: hexadecimal has two, and a server may change that of a header.
        flags = re.IGNORECASE
        self._pattern = re.compile(b"|".join(map(_spellings, known)), flags) if known else None
        self._plain = [secret.encode().lower() for secret in known]
        # A secret may begin at the end of a chunk. Each of its bytes has at most 7 bytes there.
        self._overlap = max((7 * len(secret.encode()) for secret in known), default=0)
        self._pending = b""

    def redact(self, piece: bytes) -> bytes:
        """Return the bytes held back so far and a chunk, redacted and without their end.

        The end is held back, because a secret may continue in the next chunk. If there are no
        secrets, the chunk is returned unchanged.
        """
        if self._pattern is None:
            return piece
        data = self._pending + piece
        # The pattern takes a second for a mesh in base64, which contains no escapes and no key.
        lower = data.lower()
        if b"\\" in data or b"%" in data or any(secret in lower for secret in self._plain):
            data = self._pattern.sub(b"...", data)
        end = len(data) - min(self._overlap, len(data))
        self._pending = data[end:]
        return data[:end]

    def flush(self) -> bytes:
        """Return the bytes that `redact` still holds back, which are the end of the body."""
        pending, self._pending = self._pending, b""
        return pending

    def text(self, text: str) -> str:
        """Return text with the secrets redacted."""
        if self._pattern is None:
            return text
        return self._pattern.sub(b"...", text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _spellings(secret: str) -> bytes:
    return b"".join(map(_letter, secret))


def _letter(letter: str) -> bytes:
    plain = letter.encode()
    quoted = b"".join(b"%%%02x" % byte for byte in plain)
    # Up to two backslashes, because some services put a JSON document into a JSON string.
    options = [re.escape(plain), rb"\\{1,2}" + re.escape(plain), b"(?i:%s)" % quoted]
    if ord(letter) < 0x10000:
        options.append(rb"(?i:\\{1,2}u%04x)" % ord(letter))
    return b"(?:" + b"|".join(options) + b")"


class IncompleteAnswer(Exception):
    """A provider needs further calls to turn the recorded answer into a ticket."""


class ReplayConnection:
    """Stands in for `Http`: `submit` returns the recorded answer.

    `address` is the service's base URL, for the paths in the answer. Any other method raises
    IncompleteAnswer.
    """

    def __init__(self, reply: Reply, base_url: str) -> None:
        self._reply = reply
        self.address = base_url.rstrip("/")

    def submit(self, path: str, **_kwargs: Any) -> Reply:
        """Return the recorded answer. Nothing is sent."""
        return self._reply

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise IncompleteAnswer(name)
