# SPDX-License-Identifier: GPL-3.0-or-later
"""The streams that report an order's calls, and those calls among them whose answer was lost.

Measured with Gradio 4.44.1, 5.33.0, and 6.31.0: if nothing was ever ordered in a session, its
stream says so at once, and orders can still follow; after earlier calls alone, it is silent. A call
that was queued is reported at once with its id, from its beginning, even if it has ended already.
As a session belongs to one order, there is no other call that it could be.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from .._shared.errors import Expired, Failed
from .._shared.http.addresses import segment
from .._shared.servers.event_stream import Events, Followed, Transcript
from .messages import FOUND, id_in, with_id, worth_keeping

if TYPE_CHECKING:
    from .._shared.http.client import Http

SEARCH_LIMIT = 10.0
"""Maximum seconds until the first message about a call that was queued."""
PAUSE = 0.1
"""Seconds between two searches for it."""


class Call(NamedTuple):
    """A call of an order: the path before the app's routes, the order's session, its number."""

    prefix: str
    session: str
    number: int

    @property
    def name(self) -> str:
        """The name of the call, and of its stream, in the job's transcript."""
        return f"{segment(self.session)}-{self.number}"


def transcript_of(http: Http) -> Transcript:
    """Return what keeps the streams and later calls of a job. Raises Failed without one."""
    if http.transcript is None:
        raise Failed("This job's folder cannot keep what the app says.")
    return http.transcript


def follow(call: Call, event: str, http: Http) -> Followed:
    """Return the messages about a call so far; `event` is its id. Raises what the transcript does.

    Without an id, it is the first one on the stream. Raises Expired then if the app knows no call.
    """
    path = f"{call.prefix}/queue/data?session_hash={segment(call.session)}"

    def open_stream() -> Events:
        events = http.events(path)
        return worth_keeping(events if event else with_id(events), event)

    return transcript_of(http).follow(call.name, open_stream)


def find_event(call: Call, http: Http) -> str:
    """Return the id of a call whose answer was lost; empty if the app has not queued it.

    Raises Unreachable if the app does not answer.
    """
    until = time.monotonic() + SEARCH_LIMIT
    while True:
        try:
            followed = follow(call, "", http)
        except Expired:
            return ""
        found = (id_in(message) for message in followed.messages if message.get("msg") == FOUND)
        event = next(found, "")
        if event or not followed.is_open or time.monotonic() > until:
            return event
        http.wait(PAUSE)
