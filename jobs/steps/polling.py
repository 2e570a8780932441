# SPDX-License-Identifier: GPL-3.0-or-later
"""When to poll a task again, and how long a lost connection is tolerated."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ...providers import Progress, Unreachable

T = TypeVar("T")

TICK = 0.05
LONGEST = 1.7
"""Seconds between two polls: with the time of the request a result is noticed within 2 s."""
OUTAGE = 120.0
"""Seconds for which a poll that finds no connection is repeated before the job is put aside."""


def next_pause(answer: Progress, previous: float) -> float:
    """Return the seconds until the next look: early first, then by the service's estimate.

    Never more than 2 s late, the question's own way included; only while the service itself says
    that it takes long are looks up to 10 s apart.
    """
    if answer.wait is not None and answer.wait > 30.0:
        return min(answer.wait / 4, 10.0)
    return min(max(previous * 1.4, 1.0), LONGEST)


class OutageTolerance:
    """Forgives lost connections for a while, counted from the first one in a row."""

    def __init__(self) -> None:
        self._since: float | None = None

    def ask(self, look: Callable[[], T]) -> T | Progress:
        """Return what `look` says, or that we wait; raises Unreachable when it lasts too long."""
        try:
            answer = look()
        except Unreachable:
            now = time.monotonic()
            self._since = self._since or now
            if now - self._since > OUTAGE:
                raise
            return Progress("Waiting for the connection")
        self._since = None
        return answer


def sleep(seconds: float, check: Callable[[], None]) -> None:
    """Sleep, in short naps; `check` may raise what ends the wait at once."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, TICK))
