# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that share a service take turns: never more tasks at once than the service takes.

A service that refuses with “too many” is believed: all its jobs pause for as long as it asks, and
go on with as many tasks as it had; after a quiet while one more is tried. While jobs wait for their
turn the others look at their tasks when these should be done, so that no place stays empty.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from .process.pool import TICK

QUIET = 30.0
"""Seconds without a refusal after which one task more than the service had is tried."""
ANSWER_LIMIT = 400.0
"""Seconds that whoever is interrupted waits for answers to orders that are under way: longer than
any service is given, because a mesh in an answer lives nowhere else. A second Ctrl-C ends it."""
SHORTEST_PAUSE = 0.03
SHARE = 0.02
"""How late the end of a task may be seen while others wait, as a share of its time."""

Check = Callable[[], None]


class Slots:
    """The places at one service. Used by the threads of all its jobs."""

    def __init__(self, most: float = math.inf) -> None:
        self.lock = threading.Condition()
        self.coming = 0
        """Jobs that were started and have not had their turn yet."""
        self.queue: deque[Slot] = deque()
        self.having: set[Slot] = set()
        self._most = self._limit = most
        self._closed = False
        self._held_until = self._refused = 0.0
        self._times: deque[float] = deque(maxlen=10)
        self._longest = 0.0

    @property
    def ordering(self) -> bool:
        """Whether the answer to an order is awaited."""
        with self.lock:
            return any(one.ordering for one in self.having)

    def hold(self, seconds: float) -> None:
        """Let nobody order for so many seconds, because the service asks for a pause."""
        with self.lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def close(self, seconds: float) -> None:
        """Give no more places, and wait for the answers to orders that are under way."""
        with self.lock:
            self._closed = True
            self.lock.wait_for(lambda: not self.ordering, seconds)

    # -- for turns, which hold the lock ----------------------------------------------------------

    def free(self) -> bool:
        """Say whether there is a place now."""
        room = len(self.having) < self._limit and not self._closed
        return room and time.monotonic() >= self._held_until

    def refused(self) -> None:
        """Believe that the service takes no more tasks than it has."""
        self._limit = max(1, min(self._limit, len(self.having)))
        self._refused = time.monotonic()

    def finished(self, seconds: float) -> None:
        """Learn from a task's time; try one more at once if all has been quiet."""
        self._times.append(seconds)
        now = time.monotonic()
        if self._limit < self._most and now - self._refused > QUIET:
            self._limit, self._refused = self._limit + 1, now

    def pause(self, age: float, usual: float) -> float:
        """Return the seconds until the next look at a task that has been there for `age`."""
        self._longest = max(self._longest, age)
        if not self._times or not (self.queue or self.coming):
            return usual
        quick = sorted(self._times)[len(self._times) // 5]
        start = min((1.0 - SHARE) * quick, self._longest)
        soon = start - age if age < start else SHARE * age
        return min(usual, max(SHORTEST_PAUSE, soon))


class Slot:
    """One job's turn at its service; a job that is alone has it at once."""

    def __init__(self, slots: Slots | None = None) -> None:
        self._slots = slots or Slots()
        self.ordering = False
        """Whether it has a place for an order whose answer has not come yet."""
        self._is_coming = True
        self._since: float | None = None
        with self._slots.lock:
            self._slots.coming += 1

    def take(self, check: Check) -> None:
        """Wait for a place at the service; `check` may raise what ends the waiting."""
        slots = self._slots
        with slots.lock:
            if self in slots.having:
                return
            slots.queue.append(self)
        try:
            while not self._step_in():
                check()
        finally:
            with slots.lock:
                if self in slots.queue:
                    slots.queue.remove(self)

    def resume(self) -> None:
        """Have a place, without waiting if need be: the task is at the service."""
        with self._slots.lock:
            if self not in self._slots.having:
                self._arrive()
            self._answered()

    def refused(self, seconds: float) -> None:
        """Give the place back for now: the service took no order and asks for a pause."""
        with self._slots.lock:
            self._slots.having.discard(self)
            self._slots.refused()
            self._answered()
        self.hold(seconds)

    def hold(self, seconds: float) -> None:
        """Let nobody order for so many seconds."""
        self._slots.hold(seconds)

    def pause(self, usual: float) -> float:
        """Return the seconds until the next look at the task; `usual` if nobody waits."""
        with self._slots.lock:
            return usual if self._since is None else self._slots.pause(self._age(), usual)

    def leave(self, *, finished: bool = False) -> None:
        """Give the place to the next one; `finished`: the task came to its good end."""
        with self._slots.lock:
            self._come()
            if self not in self._slots.having:
                return
            self._slots.having.discard(self)
            if finished and self._since is not None:
                self._slots.finished(self._age())
            self._answered()

    def _step_in(self) -> bool:
        slots = self._slots
        with slots.lock:
            if slots.queue[0] is not self or not slots.free():
                slots.lock.wait(TICK)
                if slots.queue[0] is not self or not slots.free():
                    return False
            slots.queue.popleft()
            self._arrive()
            self._since, self.ordering = time.monotonic(), True
            slots.lock.notify_all()
            return True

    def _arrive(self) -> None:
        self._come()
        self._slots.having.add(self)

    def _answered(self) -> None:
        self.ordering = False
        self._slots.lock.notify_all()

    def _come(self) -> None:
        if self._is_coming:
            self._is_coming = False
            self._slots.coming -= 1

    def _age(self) -> float:
        return 0.0 if self._since is None else time.monotonic() - self._since
