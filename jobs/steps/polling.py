# SPDX-License-Identifier: GPL-3.0-or-later
"""When to poll a task again, and for how long a lost connection is tolerated."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ...providers import Progress, Unreachable

T = TypeVar("T")

TICK = 0.05
"""Maximum seconds until a sleeping job notices a cancel."""
LONGEST = 1.7
"""Maximum seconds between two polls, unless the service announces a long wait.

With the time of the request, a result is then noticed within 2 s.
"""
OUTAGE = 120.0
"""Seconds without a connection after which a job stops polling; it can be resumed later."""


def next_pause(answer: Progress, previous: float) -> float:
    """Return the seconds until the next poll; `previous` is the last such pause, 0 at first.

    Pauses grow from 1 s to `LONGEST`. If the service announces a wait of more than 30 s, the pause
    is a quarter of that, at most 10 s.
    """
    # A quarter of the estimate, so that a task that ends early is noticed in time.
    if answer.wait is not None and answer.wait > 30.0:
        return min(answer.wait / 4, 10.0)
    return min(max(previous * 1.4, 1.0), LONGEST)


class OutageTolerance:
    """Tolerates consecutive failures to connect, for `OUTAGE` seconds from the first one."""

    def __init__(self) -> None:
        self._since: float | None = None

    def ask(self, poll: Callable[[], T]) -> T | Progress:
        """Return the result of `poll`; during a short outage, a `Progress` that reports the outage.

        Raises Unreachable once the outage has lasted longer than `OUTAGE` seconds.
        """
        try:
            answer = poll()
        except Unreachable:
            now = time.monotonic()
            self._since = self._since or now
            if now - self._since > OUTAGE:
                raise
            return Progress("Waiting for the connection")
        self._since = None
        return answer


def sleep(seconds: float, check: Callable[[], None]) -> None:
    """Sleep for `seconds`; call `check`, which may raise to end the sleep, every `TICK` seconds."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        check()
        time.sleep(min(remaining, TICK))
