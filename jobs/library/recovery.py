# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier processes: resumed, offered to the user, or left to the process that runs them.

Nothing is submitted from here: a job that was never submitted waits for the user.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ...providers import ImageToMeshError, Message, MissingKey, Secret, get_provider
from ..disk.trust import is_trusted
from ..values import JobSpec, Record, State
from .store import Library

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Maximum number of jobs resumed at once: each may need a worker process."""
CHECK_EVERY = 0.2
"""Seconds between two checks of whether another job may be resumed."""

Start = Callable[[JobSpec], str]
JobIds = Callable[[], frozenset[str]]


@dataclass(frozen=True)
class ResumeContext:
    """Everything that resumed jobs need besides their records.

    `keys` and `addresses` are by provider id. A provider without an entry in `keys` has no key set,
    or needs the network while Blender is offline.
    """

    library: Path
    keys: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    online: bool = True
    blender: tuple[str, ...] | None = None

    def spec_of(self, record: Record, **decided: Any) -> JobSpec:
        """Return the spec that resumes a job; `decided` are additional fields of the spec.

        Raises MissingKey if the provider has no entry in `keys`, and another ImageToMeshError if
        the provider does not exist or the job's settings are not valid.
        """
        from ...providers._shared.server_settings import settings_of_record

        provider = get_provider(record.provider)
        if provider.id not in self.keys:
            raise MissingKey(
                Message(
                    "{provider} is not available: its API key or address is missing or not valid, "
                    "or Blender is offline.",
                    provider=provider.label,
                ),
                "Check the API key, the address, and the network.",
            )
        return JobSpec(
            provider=provider.id,
            settings=settings_of_record(provider, record.settings),
            pictures=(),
            library=self.library,
            keys=self.keys[provider.id],
            base_url=self.addresses.get(provider.id, ""),
            online=self.online,
            blender=self.blender,
            record=record,
            **decided,
        )


@dataclass(frozen=True)
class RecoveredJobs:
    """The jobs of earlier processes that are shown to the user, grouped by reason.

    `arrived`: finished, with a mesh that nobody has seen. `unsent`: never submitted. `uncertain`:
    the user has to resolve the order. `theirs`: another process runs them. `waiting`: cannot be
    resumed now, for instance without a key or the network. `untrusted`: written by others, in a
    library that is not trusted.
    """

    arrived: tuple[Record, ...] = ()
    unsent: tuple[Record, ...] = ()
    uncertain: tuple[Record, ...] = ()
    theirs: tuple[Record, ...] = ()
    waiting: tuple[Record, ...] = ()
    untrusted: tuple[Record, ...] = ()

    def without(self, job: str) -> RecoveredJobs:
        """Return a copy without one job."""
        others = {
            kind.name: tuple(record for record in getattr(self, kind.name) if record.id != job)
            for kind in fields(self)
        }
        return RecoveredJobs(**others)


class JobRecovery:
    """Scans the library on its own thread and resumes its unfinished jobs.

    `start` starts a job. `at_work` returns the ids of the jobs that run in this process, and
    `shown` those of the jobs that the panel already shows.
    """

    def __init__(self, start: Start, at_work: JobIds, shown: JobIds) -> None:
        self.found = RecoveredJobs()
        self._start = start
        self._at_work = at_work
        self._shown = shown
        self._resumed: set[str] = set()
        self._dismissed: set[str] = set()
        # An event, because the main thread sets it and the scanning thread reads it.
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        # Both the scanning thread and the main thread replace `found`.
        self._lock = threading.Lock()

    @property
    def is_scanning(self) -> bool:
        """Whether the thread that scans the library and resumes its jobs is running."""
        return self._thread is not None and self._thread.is_alive()

    def scan(self, context: ResumeContext) -> None:
        """Start a thread that scans the library and resumes its jobs; do not wait for it.

        Does nothing during a scan, and after `close`.
        """
        if self.is_scanning or self._closed.is_set():
            return
        # A daemon, because it may wait for a slow network drive when Blender quits.
        self._thread = threading.Thread(
            target=self._run, args=(context,), name="image_to_mesh.recovery", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop resuming jobs; those that were resumed already continue."""
        self._closed.set()

    def join(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the scan to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def offer(self, record: Record) -> bool:
        """Add a job to `arrived` if it was resumed here and has a mesh to offer.

        Returns whether it was added.
        """
        if record.id not in self._resumed or not record.offered:
            return False
        with self._lock:
            others = self.found.without(record.id)
            self.found = replace(others, arrived=(*others.arrived, record))
        return True

    def forget(self, job: str) -> None:
        """Stop listing a job in this process, also in later scans."""
        with self._lock:
            self._dismissed.add(job)
            self.found = self.found.without(job)

    def _run(self, context: ResumeContext) -> None:
        library = Library(context.library)
        try:
            library.sweep()
            resumable = self._sort(library)
        except ImageToMeshError as problem:
            log.warning("the library was not scanned: %s", problem)
            return
        for record in resumable:
            self._resume(context, record)

    def _sort(self, library: Library) -> list[Record]:
        """Fill `found`, and return the jobs that can be resumed.

        After `close`, returns an empty list and leaves `found` as it is.
        """
        lists: dict[str, list[Record]] = {
            "arrived": [],
            "unsent": [],
            "uncertain": [],
            "theirs": [],
            "untrusted": [],
        }
        resumable: list[Record] = []
        trusted = is_trusted(library.root)
        for record in library.open_jobs():
            if self._closed.is_set():
                return []
            if record.id not in self._shown() | self._dismissed:
                kind = "untrusted"
                if record.own or trusted:  # guard: strangers-wait
                    kind = _kind(record, library)
                lists.get(kind, resumable).append(record)
        with self._lock:
            self.found = RecoveredJobs(**{name: tuple(records) for name, records in lists.items()})
        return resumable

    def _resume(self, context: ResumeContext, record: Record) -> None:
        # Polled instead of signaled: recovery is in no hurry, and jobs need not know about it.
        while not self._closed.is_set() and len(self._resumed & self._at_work()) >= AT_ONCE:
            time.sleep(CHECK_EVERY)
        if self._closed.is_set():
            return
        try:
            # Added before the start: a short job may end and be offered before `start` returns.
            self._resumed.add(record.id)
            self._start(context.spec_of(record))
        except ImageToMeshError as error:
            log.info("job %s waits: %s", record.id, error)
            with self._lock:
                self.found = replace(self.found, waiting=(*self.found.waiting, record))


def dismiss(library: Library, job: str) -> None:
    """Mark a job's mesh as seen in its record, so that no later process offers it again.

    Does nothing while another process holds the job. Errors are only logged.
    """
    lock = library.lock(job)
    try:
        if lock.take():
            library.save(replace(library.load(job), dismissed=True))
    except (OSError, ImageToMeshError) as problem:
        log.info("job %s is offered again next time: %s", job, problem)
    finally:
        lock.release()


def _kind(record: Record, library: Library) -> str:
    """Return the field of `RecoveredJobs` that a job belongs to; "" if it can be resumed."""
    if record.state is State.UNCERTAIN:
        return "uncertain"
    if record.state is State.READY:
        return "arrived"
    if library.is_held(record.id):
        return "theirs"
    return "unsent" if is_unsent(record) else ""


def is_unsent(record: Record) -> bool:
    """Return whether the job still has to be submitted to a service, which may cost money."""
    try:
        is_remote = get_provider(record.provider).is_remote
    except ImageToMeshError:
        return False  # a provider that no longer exists is reported when the job is resumed
    return is_remote and record.state is State.QUEUED
