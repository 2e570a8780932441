# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of this process: started, watched and stopped here. Nothing here imports bpy."""

from __future__ import annotations

import functools
import queue
import threading
import time

from ..providers import LibraryProblem, Message
from .library.recovery import JobRecovery
from .library.store import new_job_id
from .process.pool import blenders
from .runner import Runner
from .tasks.account_queries import AccountQueries
from .values import Ended, Event, JobSpec, JobView

KEPT = 50
"""How many ended jobs stay in view."""


class Session:
    """Runs jobs in threads; their events come out of one queue, in order."""

    def __init__(self) -> None:
        self._runners: dict[str, Runner] = {}
        self._views: dict[str, JobView] = {}
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.account_queries = AccountQueries()
        self.queued = 0
        """How many pictures wait for their turn."""
        self.recovery = JobRecovery(self.start, self._at_work_on, self._shown)

    def start(self, spec: JobSpec, *, cancelled: bool = False) -> str:
        """Start a job and return its id at once; all work happens on the job's thread.

        With a record it goes on with a job of an earlier process, and orders nothing that may have
        been ordered. `cancelled`: only to end it as a cancel does, which tells the service.
        Raises LibraryProblem where that job runs here already.
        """
        name = spec.pictures[0].name if spec.pictures else "picture"
        job = spec.record.id if spec.record else new_job_id(name)
        earlier = self._runners.get(job)
        if earlier is not None and (not earlier.live.ended or earlier.collecting):
            raise LibraryProblem(Message("Job “{job}” is running already.", job=job))
        runner = Runner(spec, job, self._emit)
        with self._lock:
            self._runners[job] = runner
            self._views[job] = runner.live.view
        self.recovery.forget(job)
        if cancelled:
            runner.cancel(collect=False)
        runner.start()
        return job

    def cancel(self, job: str, *, collect: bool = True) -> None:
        """Stop a job; its Ended event follows within 0.3 s. Raises LibraryProblem if none runs.

        What the service charges for all the same still comes into the library, if `collect`;
        False ends that, too, for a job that was cancelled before.
        """
        runner, view = self._runners.get(job), self._views.get(job)
        if runner is None or ((view is None or view.over) and not runner.collecting):
            raise LibraryProblem(Message("Job “{job}” is not running here.", job=job))
        runner.cancel(collect=collect)

    def drain(self) -> list[Event]:
        """Return the events since the last call; never waits."""
        events: list[Event] = []
        while True:
            try:
                events.append(self._events.get_nowait())
            except queue.Empty:
                return events

    def wait(self, seconds: float) -> Event | None:
        """Return the next event, or None after so many seconds."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def views(self) -> tuple[JobView, ...]:
        """Return what is known of this process's jobs, newest first."""
        with self._lock:
            return tuple(reversed(self._views.values()))

    def running(self) -> tuple[JobView, ...]:
        """Return the jobs that are not over, newest first."""
        return tuple(view for view in self.views() if not view.over)

    def collecting(self) -> frozenset[str]:
        """Return the cancelled jobs whose results may still come, because they are charged."""
        with self._lock:
            return frozenset(job for job, one in self._runners.items() if one.collecting)

    def at_work(self) -> bool:
        """Say whether a thread may still tell something, or has told what nobody drained yet."""
        with self._lock:
            runners = list(self._runners.values())
        return any(one.thread.is_alive() for one in runners) or not self._events.empty()

    def show(self, view: JobView) -> None:
        """Replace what is shown of a job, e.g. by an error that came with its import."""
        with self._lock:
            self._views[view.job] = view

    def dismiss(self, job: str) -> None:
        """Show an ended job no longer."""
        with self._lock:
            if job not in self._views or not self._views[job].over:
                return
            del self._views[job]
        self.recovery.forget(job)

    def close(self, timeout: float = 0.5) -> None:
        """Stop all threads and background Blenders; the records stay as they are."""
        self.recovery.close()
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            runner.close()
        end = time.monotonic() + timeout
        for runner in runners:
            runner.thread.join(max(0.0, end - time.monotonic()))
        blenders().close()

    def settle(self, timeout: float) -> None:
        """Wait for the threads of ended jobs, which may still tell a service of a cancel."""
        end = time.monotonic() + timeout
        for runner in list(self._runners.values()):
            runner.thread.join(max(0.0, end - time.monotonic()))

    def _at_work_on(self) -> frozenset[str]:
        with self._lock:
            return frozenset(job for job, one in self._runners.items() if one.thread.is_alive())

    def _shown(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._views)

    def _emit(self, event: Event) -> None:
        record = event.view.record
        arrived = isinstance(event, Ended) and record and self.recovery.take_in(record)
        with self._lock:
            self._views[event.job] = event.view
            if arrived:
                del self._views[event.job]
            if isinstance(event, Ended):
                # One that is just being started has no thread yet.
                self._runners = {
                    job: one
                    for job, one in self._runners.items()
                    if one.thread.is_alive() or one.thread.ident is None
                }
                self._forget_old()
            self._events.put(event)

    def _forget_old(self) -> None:
        over = [job for job, view in self._views.items() if view.over]
        for job in over[:-KEPT]:
            del self._views[job]


@functools.cache
def session() -> Session:
    """Return the one session of this process."""
    return Session()
