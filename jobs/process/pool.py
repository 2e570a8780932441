# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of worker processes: limited in number, started early, and reused.

Starting a process takes a second or more, so it is started while a service is working, and kept for
some minutes for the next job. One of the computer's cores is left free for the artist.
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
"""Seconds that an idle process is kept."""

HEAVY = 1_500_000_000
"""Bytes of memory above which a process is not kept idle: only ending it frees the memory."""


class BackgroundBlender:
    """Access to the workers for one job or one window. Used by one thread alone.

    `at_once` is for requests that an artist waits for: they do not wait for busy workers.
    """

    def __init__(self, command: tuple[str, ...], *, at_once: bool = False) -> None:
        self._command = command
        self._at_once = at_once

    def start(self) -> None:
        """Start a process, without waiting for it, unless one is idle or too many are busy.

        Raises NoBlender if the command cannot be run.
        """
        blenders().warm(self._command)

    def ask(self, request: Mapping[str, Any], progress: Progress, check: Check) -> dict[str, Any]:
        """Send a request and return its `done` answer; see `WorkerProcess.ask`."""
        with blenders().lend(self._command, check, at_once=self._at_once) as worker:
            return worker.ask(request, progress, check)

    def version(self, check: Check) -> tuple[int, ...]:
        """Return the worker's Blender version, e.g. (4, 5, 15).

        Raises NoBlender if the worker does not start, or its Blender is too old.
        """
        with blenders().lend(self._command, check, at_once=True) as worker:
            return worker.version(check)

    def close(self) -> None:
        """Do nothing: the process stays in the pool for the next caller."""


class Blenders:
    """A pool of worker processes. May be used from many threads.

    `most` is the maximum number of busy processes, and also of idle ones; requests with `at_once`
    may exceed it. By default, it is the number of cores minus one. `idle_limit` is how many seconds
    an idle process is kept.
    """

    def __init__(self, most: int | None = None, idle_limit: float = IDLE_LIMIT) -> None:
        # One core stays free for the artist's own Blender.
        self._most = most or max(1, (os.cpu_count() or 2) - 1)
        self._idle_limit = idle_limit
        # Jobs take and return processes on their threads; the timer ends idle ones on its own.
        self._lock = threading.Lock()
        self._idle: list[tuple[WorkerProcess, float]] = []
        self._busy = 0
        self._timer: threading.Timer | None = None

    def warm(self, command: tuple[str, ...]) -> None:
        """Start a process, unless a suitable one is idle or too many are busy.

        Raises NoBlender if the command cannot be run.
        """
        with self._lock:
            waiting = any(_serves(worker, command) for worker, _ in self._idle)
            if waiting or self._busy >= self._most:
                return
            worker = WorkerProcess(command)
            worker.start()
            self._keep(worker)

    @contextmanager
    def lend(
        self, command: tuple[str, ...], check: Check, *, at_once: bool = False
    ) -> Iterator[WorkerProcess]:
        """Lend a process for the block; unless `at_once` is True, wait while too many are busy.

        `check` may raise to end the wait. A process that has ended by the end of the block, or uses
        too much memory, does not go back to the pool.
        """
        while (worker := self._take(command, at_once)) is None:
            check()
            time.sleep(TICK)
        try:
            yield worker
        finally:
            self._return(worker)

    def close(self) -> None:
        """End all idle processes; busy ones end with their jobs."""
        with self._lock:
            idle, self._idle = [worker for worker, _ in self._idle], []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        # Outside the lock: a kill waits for the process to end.
        for worker in idle:
            worker.kill()

    def _take(self, command: tuple[str, ...], at_once: bool) -> WorkerProcess | None:
        with self._lock:
            if self._busy >= self._most and not at_once:
                return None
            self._busy += 1
            for kept in self._idle:
                if _serves(kept[0], command):
                    self._idle.remove(kept)
                    return kept[0]
        return WorkerProcess(command)

    def _return(self, worker: WorkerProcess) -> None:
        # Before taking the lock, because on macOS `memory` starts a program.
        light = worker.is_alive and worker.memory < HEAVY
        with self._lock:
            self._busy -= 1
            if light:
                self._keep(worker)
        if not light:
            worker.kill()

    def _keep(self, worker: WorkerProcess) -> None:
        """Add an idle process, and end the oldest ones if there are too many.

        The caller holds the lock.
        """
        self._idle.append((worker, time.monotonic()))
        while len(self._idle) > self._most:
            self._idle.pop(0)[0].kill()
        if self._timer is None:
            self._await_expiry(self._idle_limit)

    def _await_expiry(self, seconds: float) -> None:
        # A thread's timer, not Blender's: the command line uses the pool as well.
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        """End the processes that have been idle for too long, and set the timer for the others."""
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
    """Return whether a process is running that has this command and the current environment."""
    fits = worker.command == command and worker.environment == clean_environment(os.environ)
    return fits and worker.is_alive


@functools.cache
def blenders() -> Blenders:
    """Return this process's pool; its workers end when the process does."""
    kept = Blenders()
    atexit.register(kept.close)
    # On a thread, because the system's temporary folder may have thousands of entries.
    threading.Thread(target=sweep, daemon=True).start()  # guard: leftovers-are-swept-at-start
    return kept
