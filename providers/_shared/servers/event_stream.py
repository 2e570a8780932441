# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-sent events with JSON, and the interface of what keeps them.

A stream that can be read only once must not be lost with the call that read it. So `jobs` reads it
on a thread of its own, keeps what arrives in the job's folder, and gives it to every later poll.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from ..errors import BadReply
from ..http.reply import MOST_VALUES
from ..untrusted_text import decode_answer
from .long_strings import shorten_strings

LONGEST_EVENT = 16 * 1024 * 1024
"""Maximum bytes of one event, after its long strings were shortened."""
_FIELD = b"data:"

Events = Generator[Any, None, None]
"""The decoded messages of a stream, which closing ends; None where there is none to keep."""


class Followed(NamedTuple):
    """The messages of a stream so far. `is_open`: more may come. `reason`: why it broke off."""

    messages: tuple[Any, ...]
    is_open: bool
    reason: str = ""


class Transcript(Protocol):
    """Keeps a job's calls that must not be made twice, and streams that can be read once.

    Each call and each stream of a job has a name, which is used for one order only.
    """

    def once(self, name: str, send: Callable[[], Any]) -> Any:
        """Return the JSON that `send` returned when it was called under this name.

        It is called only if that has not happened yet, or if the call was certainly refused. Raises
        Uncertain if it may have been accepted, and its answer was lost or cannot be read.
        """

    def answer(self, name: str) -> Any:
        """Return the kept answer of a call; None if it has none."""

    def follow(self, name: str, events: Callable[[], Events]) -> Followed:
        """Return what the stream with this name has brought, and open it at the first call.

        Raises the error of `events` if the stream was certainly not opened; see `Sent.NO`. The next
        call then tries again.
        """

    def stop(self) -> None:
        """Stop reading the job's streams, since nobody waits for them any longer."""


def read_events(pieces: Iterable[bytes], redact: Callable[[str], str]) -> Iterator[Any]:
    """Yield the decoded JSON of each event of a stream, with secrets redacted.

    Long strings are shortened. Events that are not JSON are left out; None follows each piece, so
    that the reader can stop a stream without events. Raises BadReply for an event that is too long.
    """
    rest = bytearray()
    for piece in shorten_strings(pieces):
        start, *lines = piece.split(b"\n")
        rest += start  # only what is new is searched and copied: a line may come byte by byte
        if len(rest) > LONGEST_EVENT:
            raise BadReply("The service's stream of messages cannot be read.", "Try again later.")
        for line in lines:
            yield from _decode_line(bytes(rest), redact)
            rest = bytearray(line)
        yield None


def _decode_line(line: bytes, redact: Callable[[str], str]) -> Iterator[Any]:
    if line.startswith(_FIELD):
        yield from _decode(line.removeprefix(_FIELD).strip(), redact)


def _decode(data: bytes, redact: Callable[[str], str]) -> Iterator[Any]:
    # Counted before decoding: a few megabytes of brackets become gigabytes of objects.
    if data.count(b"{") + data.count(b"[") + data.count(b",") > MOST_VALUES:
        return
    value = decode_answer(data.decode("utf-8", "replace"), redact)[1]
    if value is not None:
        yield value
