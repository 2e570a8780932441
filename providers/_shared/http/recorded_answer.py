# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording the answer to a submit as it arrives, before anything parses it.

A submit may have been charged even if its answer cannot be parsed. `Http.submit`, the only call
that orders, therefore passes every chunk of the answer to an `AnswerRecorder` first, with the API
keys redacted. Later, `ReplayConnection` stands in for the network and lets the provider parse the
recorded answer again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .reply import Reply

NOT_KEPT = frozenset({"set-cookie", "set-cookie2"})


class AnswerRecorder(Protocol):
    """Takes an answer. Nothing in it raises: what cannot be written goes to another place."""

    def sending(self) -> None:
        """Note that the order is handed to the connection now."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Start with an answer; what an earlier attempt was answered is not needed any more."""

    def add(self, piece: bytes) -> None:
        """Take what came next of its body."""

    def end(self, *, whole: bool) -> None:
        """Bring what came to the disk itself; `whole`: all of it came."""


def record_answer(
    keep: AnswerRecorder,
    status: int,
    headers: Mapping[str, str],
    pieces: Iterable[bytes],
    secrets: Iterable[str],
) -> Iterator[bytes]:
    """Yield the pieces of an answer once each is kept; one that breaks off is kept so far."""
    blank = StreamRedactor(secrets)
    shown = {
        name: "".join(blank.text(value).splitlines())
        for name, value in headers.items()
        if name.lower() not in NOT_KEPT
    }
    keep.begin(status, shown)
    whole = False
    try:
        for piece in pieces:
            keep.add(blank.take(piece))
            yield piece
        whole = True
    finally:
        keep.add(blank.rest())
        keep.end(whole=whole)


class StreamRedactor:
    """Takes secrets out of a body that comes in pieces, also where one lies across two of them.

    A letter of a secret counts however JSON or an address may write it: plain, escaped, as `%2F`.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = sorted({one for one in secrets if one}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(_spelled, spelled))) if spelled else None
        self._plain = [one.encode() for one in spelled]
        self._behind = max((7 * len(one.encode()) for one in spelled), default=0)
        self._left = b""

    def take(self, piece: bytes) -> bytes:
        """Return what surely holds no secret any more; the end is held back until more comes."""
        if self._pattern is None:
            return piece
        data = self._left + piece
        # The pattern takes a second for a mesh in base64, which has neither escapes nor a key.
        if b"\\" in data or b"%" in data or any(one in data for one in self._plain):
            data = self._pattern.sub(b"...", data)
        keep = min(self._behind, len(data))
        self._left = data[len(data) - keep :]
        return data[: len(data) - keep]

    def rest(self) -> bytes:
        """Return what was held back."""
        left, self._left = self._left, b""
        return left

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        if self._pattern is None:
            return text
        return self._pattern.sub(b"...", text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _spelled(secret: str) -> bytes:
    return b"".join(_letter(one) for one in secret)


def _letter(letter: str) -> bytes:
    plain = letter.encode()
    quoted = b"".join(b"%%%02x" % byte for byte in plain)
    # Twice where there is JSON within JSON.
    options = [re.escape(plain), rb"\\{1,2}" + re.escape(plain), b"(?i:%s)" % quoted]
    if ord(letter) < 0x10000:
        options.append(rb"(?i:\\{1,2}u%04x)" % ord(letter))
    return b"(?:" + b"|".join(options) + b")"


class IncompleteAnswer(Exception):
    """A kept answer alone does not tell the ticket: the provider would ask for more."""


class ReplayConnection:
    """Stands in for a connection: `submit` answers what was kept; no other call works."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def submit(self, path: str, **request_args: Any) -> Reply:
        """Return the answer that was kept; nothing is sent."""
        return self._reply

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise IncompleteAnswer(name)
