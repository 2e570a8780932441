# SPDX-License-Identifier: GPL-3.0-or-later
"""The background Blenders of this process: few at a time, started early, kept for what comes next.

To start one takes a second or more, so it is started while a service works, and stays for the next
job for some minutes. Jobs take turns: the artist needs the machine as well.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .environment import clean_environment
from .temporary_folder import sweep
from .worker_process import TICK, Check, Progress, WorkerProcess

__all__ = ("TICK", "BackgroundBlender", "Blenders", "blenders")

IDLE_LIMIT = 180.0
"""How many seconds an idle one is kept."""

HEAVY = 1_500_000_000
"""An idle one that holds more bytes of memory than this gives them back by ending."""


class BackgroundBlender:
    """What one job, or one window, asks the background Blenders. Used by one thread alone.

    `at_once` is for whom an artist waits: it never waits for its turn.
    """

    def __init__(self, command: tuple[str, ...], *, at_once: bool = False) -> None:
        self._command = command
        self._at_once = at_once

    def start(self) -> None:
        """See to it that one is ready soon, and return at once.

        Raises NoBlender where the command cannot be run.
        """
        blenders().warm(self._command)

    def ask(self, request: Mapping[str, Any], progress: Progress, check: Check) -> dict[str, Any]:
        """Send a request and return what its `done` answer says; see `WorkerProcess.ask`."""
        with blenders().lent(self._command, check, at_once=self._at_once) as worker:
            return worker.ask(request, progress, check)

    def version(self, check: Check) -> tuple[int, ...]:
        """Return the version of the Blender that answers, e.g. (4, 5, 15).

        Raises NoBlender if none does.
        """
        with blenders().lent(self._command, check, at_once=True) as worker:
            return worker.version(check)

    def close(self) -> None:
        """Let go of it: the process stays for whoever asks next, and ends when nobody does."""


class Blenders:
    """Keeps the processes; may be used by many threads."""

    def __init__(self, most: int | None = None, idle_limit: float = IDLE_LIMIT) -> None:
        self._most = most or max(1, (os.cpu_count() or 2) - 1)
        self._idle_limit = idle_limit
        self._lock = threading.Lock()
        self._idle: list[tuple[WorkerProcess, float]] = []
        self._busy = 0
        self._timer: threading.Timer | None = None

    def warm(self, command: tuple[str, ...]) -> None:
        """Start one if none waits for work. Raises NoBlender where the command cannot be run."""
        with self._lock:
            waiting = any(_serves(worker, command) for worker, _ in self._idle)
            if waiting or self._busy >= self._most:
                return
            worker = WorkerProcess(command)
            worker.start()
            self._keep(worker)

    @contextmanager
    def lent(
        self, command: tuple[str, ...], check: Check, *, at_once: bool = False
    ) -> Iterator[WorkerProcess]:
        """Lend a process; wait for one's turn, unless `at_once`. Whatever `check` raises ends it.

        One that died or was killed meanwhile is gone, the others stay for the next.
        """
        while (worker := self._taken(command, at_once)) is None:
            check()
            time.sleep(TICK)
        try:
            yield worker
        finally:
            self._give_back(worker)

    def close(self) -> None:
        """End all that have no work; those at work end with it."""
        with self._lock:
            idle, self._idle = [worker for worker, _ in self._idle], []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for worker in idle:
            worker.kill()

    def _taken(self, command: tuple[str, ...], at_once: bool) -> WorkerProcess | None:
        with self._lock:
            if self._busy >= self._most and not at_once:
                return None
            self._busy += 1
            for kept in self._idle:
                if _serves(kept[0], command):
                    self._idle.remove(kept)
                    return kept[0]
        return WorkerProcess(command)

    def _give_back(self, worker: WorkerProcess) -> None:
        light = worker.is_alive and worker.memory < HEAVY
        with self._lock:
            self._busy -= 1
            if light:
                self._keep(worker)
        if not light:
            worker.kill()

    def _keep(self, worker: WorkerProcess) -> None:
        """Put it with the idle ones, under the lock; the oldest goes where there are too many."""
        self._idle.append((worker, time.monotonic()))
        while len(self._idle) > self._most:
            self._idle.pop(0)[0].kill()
        if self._timer is None:
            self._await_expiry(self._idle_limit)

    def _await_expiry(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        """End those that were idle for too long, and come back for the rest."""
        now = time.monotonic()
        with self._lock:
            old = [worker for worker, since in self._idle if now - since >= self._idle_limit]
            self._idle = [kept for kept in self._idle if kept[0] not in old]
            self._timer = None
            if self._idle:
                self._await_expiry(max(TICK, self._idle[0][1] + self._idle_limit - now))
        for worker in old:
            worker.kill()


def _serves(worker: WorkerProcess, command: tuple[str, ...]) -> bool:
    """Whether a process is as one started now would be."""
    fits = worker.command == command and worker.environment == clean_environment(os.environ)
    return fits and worker.is_alive


@functools.cache
def blenders() -> Blenders:
    """Return the background Blenders of this process; they end with it."""
    kept = Blenders()
    atexit.register(kept.close)
    threading.Thread(target=sweep, daemon=True).start()  # guard: leftovers-are-swept-at-start
    return kept
