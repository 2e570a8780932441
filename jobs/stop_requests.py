# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a job before its time: a cancel, its process going away, its deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..providers import Cancelled, Message, TimedOut
from .abandonable_call import Closed

LOOK_EVERY = 0.5
"""Seconds between two looks for a word of another process to stop."""


class Stops:
    """One job's. `cancelled` and `closed` are set from any thread, the rest is its own thread's.

    `look` tells whether another process left word to stop. `told`: the user was told of the end as
    cancelled. `collect`: what is charged all the same is wanted; `collecting`: it is on its way.
    """

    def __init__(self, limit: float, asked: float | None, look: Callable[[], bool]) -> None:
        self.cancelled = threading.Event()
        self.closed = threading.Event()
        self.collect = True
        self.collecting = False
        self.told = False
        self._limit = asked or limit
        self._is_firm = asked is not None
        self._look = look
        self._started = time.monotonic()
        self._looked = 0.0

    def check(self) -> None:
        """Raise what should end the job now: it is called wherever time passes."""
        self.check_asked()
        if time.monotonic() - self._started > self._limit:
            limit = f"{self._limit:g}"
            raise TimedOut(
                Message("The mesh was not ready after {seconds} seconds.", seconds=limit),
                "Allow more time.",
            )

    def check_fetching(self) -> None:
        """Like `check`, without the deadline: a slow download goes on as long as something comes.

        The limit that a user set counts all the same.
        """
        self.check() if self._is_firm else self.check_asked()

    def check_asked(self) -> None:
        """Raise what a user or the end of the process asks for."""
        self.check_closed()
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            if self._look():
                self.cancelled.set()
        if self.cancelled.is_set() and not (self.told and self.collect):
            raise Cancelled

    def check_closed(self) -> None:
        """Raise Closed once the process goes away."""
        if self.closed.is_set():
            raise Closed

    def check_ordering(self) -> None:
        """Raise what should end an order that the service has refused so far."""
        self.check_closed()
        if self.cancelled.is_set():
            raise Cancelled  # and it is not sent again

    def check_pause(self) -> None:
        """Raise what ends a pause; a service that is told of a cancel is told to the end."""
        self.check_closed() if self.told and not self.collecting else self.check()
