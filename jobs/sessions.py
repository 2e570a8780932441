# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, watches, and stops the jobs of this process, without importing bpy."""

from __future__ import annotations

import functools
import queue
import threading
import time
from dataclasses import replace

from ..providers import LibraryProblem, Message
from .import_plan import Placement
from .library.recovery import JobRecovery
from .library.store import new_job_id
from .process.pool import blenders
from .runner import Runner
from .tasks.account_queries import AccountQueries
from .values import Ended, Event, JobSpec, JobView

_MOVE = "image_to_mesh move"
KEPT = 50
"""Maximum number of ended jobs that the panel still shows; the library has all of them."""


class Session:
    """Runs each job on its own thread; the events of all jobs arrive in order in one queue."""

    def __init__(self) -> None:
        self._runners: dict[str, Runner] = {}
        self._views: dict[str, JobView] = {}
        # Job threads must not touch bpy: they only put events here, and the main thread drains it.
        self._events: queue.Queue[Event] = queue.Queue()
        # Guards both dicts: job threads replace views while the interface lists them.
        self._lock = threading.Lock()
        self.account_queries = AccountQueries()
        self.queued = 0
        """How many images of a batch have not been started yet."""
        self.recovery = JobRecovery(self.start, self._at_work_on, self._listed_jobs)

    def start(self, spec: JobSpec, *, cancelled: bool = False) -> str:
        """Start a job and return its id at once; all work happens on the job's thread.

        A spec with a record resumes a job of an earlier process, and submits nothing that may have
        been submitted already. `cancelled`: only cancel the job, here and at the service. Raises
        LibraryProblem if the job is already running here.
        """
        name = spec.pictures[0].name if spec.pictures else "picture"
        job = spec.record.id if spec.record else new_job_id(name)
        earlier = self._runners.get(job)
        if earlier is not None and (not earlier.live.ended or earlier.collecting):
            raise LibraryProblem(
                Message("Job “{job}” is already running.", job=job),
                "Wait until it is done, or cancel it.",
            )
        runner = Runner(spec, job, self._emit)
        with self._lock:
            self._runners[job] = runner
            self._views[job] = runner.live.view
        # From now on the job has its own view, and is not listed among the recovered jobs.
        self.recovery.forget(job)
        # Cancelled before the thread starts, so that it cannot resume anything first.
        if cancelled:
            runner.cancel(collect=False)
        runner.start()
        return job

    def cancel(self, job: str, *, collect: bool = True) -> None:
        """Cancel a job; its `Ended` event follows within 0.3 s.

        `collect`: a mesh that the service charges for anyway is still put into the library. With
        False, a canceled job that is still fetching its mesh stops fetching. Raises LibraryProblem
        if the job is not running here.
        """
        runner, view = self._runners.get(job), self._views.get(job)
        if runner is None or ((view is None or view.over) and not runner.collecting):
            raise LibraryProblem(
                Message("Job “{job}” is not running here.", job=job),
                "If it is running in another Blender instance, cancel it there.",
            )
        runner.cancel(collect=collect)

    def move(self, job: str, placement: Placement) -> None:
        """Change where a running job's mesh will be placed; the record is saved on a thread.

        Does nothing for an unknown job.
        """
        with self._lock:
            runner, view = self._runners.get(job), self._views.get(job)
            if view is None:
                return
            plan = replace(view.plan, placement=placement)
            record = view.record and replace(view.record, plan=plan)
            self._views[job] = replace(view, plan=plan, record=record)
            if runner is not None:
                runner.live.move(plan)
        if runner is not None and runner.owns_record:
            # On a thread: the library may be in a slow network folder.
            threading.Thread(target=runner.live.save_move, name=_MOVE, daemon=True).start()

    def placement_of(self, view: JobView) -> Placement:
        """Return where a job's mesh will be placed now, which may have changed since `view`."""
        with self._lock:
            return self._views.get(view.job, view).plan.placement

    def drain(self) -> list[Event]:
        """Return the events that have not been taken yet, oldest first, without waiting."""
        events: list[Event] = []
        while True:
            try:
                events.append(self._events.get_nowait())
            except queue.Empty:
                return events

    def wait(self, seconds: float) -> Event | None:
        """Return the next event, or None if none arrives within `seconds`."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def views(self) -> tuple[JobView, ...]:
        """Return the views of all jobs that this process shows, most recently started first."""
        with self._lock:
            return tuple(reversed(self._views.values()))

    def running(self) -> tuple[JobView, ...]:
        """Return the views of unfinished jobs, most recently started first."""
        return tuple(view for view in self.views() if not view.over)

    @property
    def is_running(self) -> bool:
        """Whether a job is unfinished; quicker than `running`."""
        with self._lock:
            # The newest is the likeliest to be unfinished.
            return any(not view.over for view in reversed(self._views.values()))

    def collecting(self) -> frozenset[str]:
        """Return the ids of canceled jobs that still fetch a mesh that may be charged for."""
        with self._lock:
            return frozenset(job for job, runner in self._runners.items() if runner.collecting)

    def at_work(self) -> bool:
        """Return whether any job's thread is running, or any event has not been taken yet."""
        with self._lock:
            runners = list(self._runners.values())
        return any(runner.thread.is_alive() for runner in runners) or not self._events.empty()

    def jobs_with_events(self) -> frozenset[str]:
        """Return the ids of the jobs with events that have not been taken yet."""
        with self._events.mutex:
            return frozenset(event.job for event in self._events.queue)

    def show(self, view: JobView) -> None:
        """Replace a job's view, for instance with one that shows why its import failed."""
        with self._lock:
            self._views[view.job] = view

    def dismiss(self, job: str) -> None:
        """Remove an ended job's view, and stop offering the job; do nothing for any other job."""
        with self._lock:
            if job not in self._views or not self._views[job].over:
                return
            del self._views[job]
        self.recovery.forget(job)

    def close(self, timeout: float = 0.5) -> None:
        """Stop all threads and workers without changing any record.

        Waits at most `timeout` seconds for all threads together.
        """
        self.recovery.close()
        with self._lock:
            runners = list(self._runners.values())
        # All are asked to end before the first is joined, so that they share one timeout.
        for runner in runners:
            runner.close()
        end = time.monotonic() + timeout
        for runner in runners:
            runner.thread.join(max(0.0, end - time.monotonic()))
        blenders().close()

    def join(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for all job threads, such as those still canceling."""
        end = time.monotonic() + timeout
        for runner in list(self._runners.values()):
            runner.thread.join(max(0.0, end - time.monotonic()))

    def _at_work_on(self) -> frozenset[str]:
        with self._lock:
            return frozenset(
                job for job, runner in self._runners.items() if runner.thread.is_alive()
            )

    def _listed_jobs(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._views)

    def _emit(self, event: Event) -> None:
        record = event.view.record
        arrived = isinstance(event, Ended) and record and self.recovery.offer(record)
        with self._lock:
            if event.job in self._runners:
                view = self._runners[event.job].live.with_plan(event.view)
                event = replace(event, view=view)
            self._views[event.job] = event.view
            # A resumed job's mesh is listed among the recovered jobs instead.
            if arrived:
                del self._views[event.job]
            if isinstance(event, Ended):
                # Drops the runners of ended threads, with their records. A thread without an ident
                # is just being started.
                self._runners = {
                    job: runner
                    for job, runner in self._runners.items()
                    if runner.thread.is_alive() or runner.thread.ident is None
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
