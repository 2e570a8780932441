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
"""Seconds that an exiting process waits for the answers to its orders."""


class Closed(Exception):
    """Raised to end a job because its process is exiting; the record stays as it is."""


class Call(Generic[T]):
    """One call on a thread of its own. `lasting`: an exiting process briefly waits for it.

    Raises RuntimeError if no thread can be started; nothing was called then.
    """

    def __init__(self, call: Callable[[], T], *, lasting: bool = False) -> None:
        self._call = call
        self._box: queue.Queue[tuple[list[T], Exception | None]] = queue.Queue(1)
        self._outcome: tuple[list[T], Exception | None] | None = None
        self._afterwards: list[Callable[[], None]] = []
        # Work that is added while the call ends must run exactly once.
        self._lock = threading.Lock()
        self._over = False
        # A daemon: Python would otherwise wait for a hung connection before it exits.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if lasting:
            _lasting.add(self)

    @property
    def taken(self) -> bool:
        """Whether `wait` has returned the outcome."""
        return self._outcome is not None

    def wait(self, check: Callable[[], None]) -> T:
        """Return the call's value or raise its error.

        If `check` raises meanwhile, the call continues, and `wait` can be called again.
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
        """Run `work` on the call's thread when the call has ended, or now if it has."""
        with self._lock:
            if not self._over:
                self._afterwards.append(work)
                return
        work()

    def join(self, seconds: float) -> None:
        """Wait for the thread, for at most `seconds`."""
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
    """Wait for all lasting calls together, for at most `seconds`."""
    end = time.monotonic() + seconds
    for call in list(_lasting):
        call.join(end - time.monotonic())


# Daemon threads are stopped when Python exits, so an answer that is about to arrive, and that was
# paid for, would be lost.
atexit.register(wait_for_lasting, EXIT_LIMIT)  # guard: exit-waits-for-answers
