# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots at a service, shared by its jobs: never more tasks at once than the service accepts.

After a “too many requests” answer, all jobs of the service pause for as long as it asks, and the
limit drops to the number of tasks it has; after a quiet period the limit is raised by one. While
jobs wait for a slot, the others poll when their tasks are expected to end, so that slots are reused
promptly.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from .process.pool import TICK

QUIET = 30.0
"""Seconds without a refusal after which a finished task raises the limit by one."""
ANSWER_LIMIT = 400.0
"""Maximum seconds that an interrupted process waits for answers to its orders: longer than any
request may take, because some services send the mesh in the answer and keep no copy."""
SHORTEST_PAUSE = 0.03
"""Minimum seconds between two polls."""
SHARE = 0.02
"""Tolerated delay in noticing the end of a task while jobs wait, as a share of its duration."""

Check = Callable[[], None]


class Slots:
    """The slots at one service, at most `most`. Used by the threads of all its jobs."""

    def __init__(self, most: float = math.inf) -> None:
        # A condition, not a plain lock, so that waiting jobs are woken as soon as a slot is free.
        self.lock = threading.Condition()
        self.coming = 0
        """Jobs that were started and have not had a slot yet."""
        self.queue: deque[Slot] = deque()
        self.having: set[Slot] = set()
        self._most = self._limit = most
        self._closed = False
        self._held_until = self._refused = 0.0
        self._times: deque[float] = deque(maxlen=10)
        self._longest = 0.0

    @property
    def ordering(self) -> bool:
        """Whether a job is waiting for the answer to its order."""
        with self.lock:
            return any(slot.ordering for slot in self.having)

    def hold(self, seconds: float) -> None:
        """Hold back all orders for `seconds`, because the service asked for a pause."""
        with self.lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def close(self, seconds: float) -> None:
        """Stop granting slots, and wait up to `seconds` for the answers to pending orders."""
        with self.lock:
            self._closed = True
            self.lock.wait_for(lambda: not self.ordering, seconds)

    # -- for `Slot`, which holds the lock --------------------------------------------------------

    def free(self) -> bool:
        """Return whether a slot can be granted now."""
        room = len(self.having) < self._limit and not self._closed
        return room and time.monotonic() >= self._held_until

    def note_refusal(self) -> None:
        """Lower the limit to the number of tasks that the service has, since it refused another."""
        # At least 1: if `having` is empty, tasks of other programs caused the refusal.
        self._limit = max(1, min(self._limit, len(self.having)))
        self._refused = time.monotonic()

    def note_end(self, seconds: float) -> None:
        """Record that a task took `seconds`, and raise the limit by one after a quiet period."""
        self._times.append(seconds)
        now = time.monotonic()
        if self._limit < self._most and now - self._refused > QUIET:
            self._limit, self._refused = self._limit + 1, now

    def pause(self, age: float, usual: float) -> float:
        """Return the seconds until the next poll of a task that is `age` seconds old.

        This is at most `usual`, and less only if other jobs are waiting for a slot.
        """
        self._longest = max(self._longest, age)
        if not self._times or not (self.queue or self.coming):
            return usual
        # The quickest fifth, not the mean: polling too early is free, too late wastes a slot.
        quick = sorted(self._times)[len(self._times) // 5]
        start = min((1.0 - SHARE) * quick, self._longest)
        soon = start - age if age < start else SHARE * age
        return min(usual, max(SHORTEST_PAUSE, soon))


class Slot:
    """One job's use of a slot at its service. Without `slots`, the number of slots is unlimited."""

    def __init__(self, slots: Slots | None = None) -> None:
        self._slots = slots or Slots()
        self.ordering = False
        """Whether the answer to this job's order is pending."""
        self._is_coming = True
        self._since: float | None = None
        with self._slots.lock:
            self._slots.coming += 1

    def take(self, check: Check) -> None:
        """Wait for a free slot and occupy it, unless the job has one already.

        `check` is called meanwhile, and may raise to end the wait.
        """
        slots = self._slots
        with slots.lock:
            if self in slots.having:
                return
            slots.queue.append(self)
        # First come, first served: without the queue a job might never get a slot.
        try:
            while not self._step_in():
                check()
        finally:
            with slots.lock:
                if self in slots.queue:
                    slots.queue.remove(self)

    def resume(self) -> None:
        """Occupy a slot, even beyond the limit, because the task is at the service already.

        If the job's order was pending, it is now marked as answered.
        """
        with self._slots.lock:
            if self not in self._slots.having:
                self._occupy()
            self._end_order()

    def give_back(self, seconds: float) -> None:
        """Free the slot, because the service refused the order, and lower the limit.

        All orders at the service are held back for `seconds`.
        """
        with self._slots.lock:
            self._slots.having.discard(self)
            self._slots.note_refusal()
            self._end_order()
        self.hold(seconds)

    def hold(self, seconds: float) -> None:
        """Hold back all orders at the service for `seconds`."""
        self._slots.hold(seconds)

    def pause(self, usual: float) -> float:
        """Return the seconds until the next poll of the task; see `Slots.pause`."""
        with self._slots.lock:
            return usual if self._since is None else self._slots.pause(self._age(), usual)

    def leave(self, *, finished: bool = False) -> None:
        """Free the slot, if the job has one.

        `finished`: the task succeeded, so its duration is recorded.
        """
        with self._slots.lock:
            self._note_start()
            if self not in self._slots.having:
                return
            self._slots.having.discard(self)
            if finished and self._since is not None:
                self._slots.note_end(self._age())
            self._end_order()

    def _step_in(self) -> bool:
        slots = self._slots
        with slots.lock:
            if slots.queue[0] is not self or not slots.free():
                slots.lock.wait(TICK)  # a free slot wakes it at once; `check` runs every tick
                if slots.queue[0] is not self or not slots.free():
                    return False
            slots.queue.popleft()
            self._occupy()
            self._since, self.ordering = time.monotonic(), True
            slots.lock.notify_all()
            return True

    def _occupy(self) -> None:
        self._note_start()
        self._slots.having.add(self)

    def _end_order(self) -> None:
        self.ordering = False
        self._slots.lock.notify_all()  # for waiting jobs, and for `close`

    def _note_start(self) -> None:
        if self._is_coming:
            self._is_coming = False
            self._slots.coming -= 1

    def _age(self) -> float:
        return 0.0 if self._since is None else time.monotonic() - self._since
