# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on threads that can be abandoned, so that a cancel does not wait for them."""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .process.pool import TICK

T = TypeVar("T")

EXIT_LIMIT = 3.0
"""Maximum seconds that an exiting process waits for the answers to its orders."""


class Closed(Exception):
    """Raised to end a job's thread when the process exits; the job's record stays as it is."""


class Call(Generic[T]):
    """A call that runs on its own thread, which starts at once.

    `lasting`: an exiting process waits up to `EXIT_LIMIT` seconds for the call to end. Raises
    RuntimeError, without making the call, if no thread can be started.
    """

    def __init__(self, call: Callable[[], T], *, lasting: bool = False) -> None:
        self._call = call
        self._box: queue.Queue[tuple[list[T], Exception | None]] = queue.Queue(1)
        self._outcome: tuple[list[T], Exception | None] | None = None
        self._afterwards: list[Callable[[], None]] = []
        # Guards `_afterwards`: work that is added while the call ends must run exactly once.
        self._lock = threading.Lock()
        self._over = False
        # A daemon, because Python would otherwise wait for a hung connection before it exits.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if lasting:
            _lasting.add(self)

    @property
    def taken(self) -> bool:
        """Whether `wait` has returned the call's value or raised its error."""
        return self._outcome is not None

    def wait(self, check: Callable[[], None]) -> T:
        """Wait for the call to end, and return its value or raise its error.

        Meanwhile, `check` is called every `TICK` seconds. If it raises, the call itself continues,
        and `wait` can be called again.
        """
        while self._outcome is None:
            try:
                self._outcome = self._box.get(timeout=TICK)
            except queue.Empty:
                check()
        values, error = self._outcome
        if error is not None:
            raise error
        return values[0]

    def afterwards(self, work: Callable[[], None]) -> None:
        """Run `work` on the call's thread once the call ends, or here at once if it has ended."""
        with self._lock:
            if not self._over:
                self._afterwards.append(work)
                return
        work()

    def join(self, seconds: float) -> None:
        """Wait at most `seconds` for the thread to end."""
        self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        try:
            self._box.put(([self._call()], None))
        except Exception as error:  # noqa: BLE001 - raised again by `wait`
            self._box.put(([], error))
        finally:
            with self._lock:
                self._over = True
            for work in self._afterwards:
                work()
            _lasting.discard(self)


_lasting: set[Call[Any]] = set()


def wait_for_lasting(seconds: float) -> None:
    """Wait at most `seconds`, in total, for all lasting calls to end."""
    end = time.monotonic() + seconds
    for call in list(_lasting):
        call.join(end - time.monotonic())


# Python stops daemon threads when it exits, so the answer to an order that was paid for would be
# lost just before it arrives.
atexit.register(wait_for_lasting, EXIT_LIMIT)  # guard: exit-waits-for-answers
