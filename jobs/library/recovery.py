# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier processes: resumed, offered to the user, or left to the process that has them.

Nothing is ordered from here: a job that was never submitted waits for the user.
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
"""How many jobs are resumed at once: each may need a background Blender."""
LOOK = 0.2

Start = Callable[[JobSpec], str]
Named = Callable[[], frozenset[str]]


@dataclass(frozen=True)
class ResumeContext:
    """What jobs need that are taken up: `keys` and `addresses` by provider, of those that can go.

    A provider that is not among them has no key, or needs the network while Blender is offline.
    """

    library: Path
    keys: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    online: bool = True
    blender: tuple[str, ...] | None = None

    def spec_of(self, record: Record, **decided: Any) -> JobSpec:
        """Return what goes on with a job; raises ImageToMeshError where something is missing."""
        from ...providers._shared.adapters import parse_settings

        provider = get_provider(record.provider)
        if provider.id not in self.keys:
            raise MissingKey(
                Message("{provider} cannot be asked now.", provider=provider.label),
                "Check key and network.",
            )
        return JobSpec(
            provider=provider.id,
            settings=parse_settings(provider.settings, record.settings),
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
    """What was found in the library, oldest first.

    `arrived`: meshes that nobody has seen; `unsent`: never ordered; `uncertain`: a person has to
    say; `theirs`: another process works on them; `waiting`: no key or no network now; `strange`:
    written by others, and the library is not trusted.
    """

    arrived: tuple[Record, ...] = ()
    unsent: tuple[Record, ...] = ()
    uncertain: tuple[Record, ...] = ()
    theirs: tuple[Record, ...] = ()
    waiting: tuple[Record, ...] = ()
    strange: tuple[Record, ...] = ()

    def without(self, job: str) -> RecoveredJobs:
        """Return a copy without one job."""
        kept = {
            kind.name: tuple(one for one in getattr(self, kind.name) if one.id != job)
            for kind in fields(self)
        }
        return RecoveredJobs(**kept)


class JobRecovery:
    """Takes jobs up on a thread of its own.

    `at_work`: jobs whose threads run in this process; `shown`: those that it shows already.
    """

    def __init__(self, start: Start, at_work: Named, shown: Named) -> None:
        self.left = RecoveredJobs()
        self._start = start
        self._at_work = at_work
        self._shown = shown
        self._taken: set[str] = set()
        self._seen: set[str] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def looking(self) -> bool:
        """Whether the library is being looked through now."""
        return self._thread is not None and self._thread.is_alive()

    def look(self, means: ResumeContext) -> None:
        """Look through the library and go on with what can go on; returns at once."""
        if self.looking or self._closed.is_set():
            return
        self._thread = threading.Thread(
            target=self._run, args=(means,), name="image_to_mesh returning", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Resume no more jobs."""
        self._closed.set()

    def join(self, timeout: float) -> None:
        """Wait until the library has been scanned."""
        if self._thread is not None:
            self._thread.join(timeout)

    def take_in(self, record: Record) -> bool:
        """Offer what a job that was taken up here has made; False for any other job."""
        if record.id not in self._taken or not record.offered:
            return False
        with self._lock:
            left = self.left.without(record.id)
            self.left = replace(left, arrived=(*left.arrived, record))
        return True

    def forget(self, job: str) -> None:
        """Offer a job no longer in this process: its person has seen what became of it."""
        with self._lock:
            self._seen.add(job)
            self.left = self.left.without(job)

    def _run(self, means: ResumeContext) -> None:
        library = Library(means.library)
        try:
            library.sweep()
            found = self._sort(library)
        except ImageToMeshError as problem:
            log.warning("the library was not looked through: %s", problem)
            return
        for record in found:
            self._take_up(means, record)

    def _sort(self, library: Library) -> list[Record]:
        """Note what is left as it is; return the jobs to go on with."""
        lists: dict[str, list[Record]] = {
            "arrived": [],
            "unsent": [],
            "uncertain": [],
            "theirs": [],
            "strange": [],
        }
        going_on: list[Record] = []
        trusted = is_trusted(library.root)
        for record in library.open_jobs():
            if self._closed.is_set():
                return []
            if record.id not in self._shown() | self._seen:
                kind = "strange"
                if record.own or trusted:  # guard: strangers-wait
                    kind = _kind(record, library)
                lists.get(kind, going_on).append(record)
        with self._lock:
            self.left = RecoveredJobs(**{name: tuple(records) for name, records in lists.items()})
        return going_on

    def _take_up(self, means: ResumeContext, record: Record) -> None:
        while not self._closed.is_set() and len(self._taken & self._at_work()) >= AT_ONCE:
            time.sleep(LOOK)
        if self._closed.is_set():
            return
        try:
            self._taken.add(record.id)
            self._start(means.spec_of(record))
        except ImageToMeshError as error:
            log.info("job %s waits: %s", record.id, error)
            with self._lock:
                self.left = replace(self.left, waiting=(*self.left.waiting, record))


def dismiss(library: Library, job: str) -> None:
    """Offer a job's mesh no more, now and at later starts."""
    lock = library.lock(job)
    try:
        if lock.take():
            library.save(replace(library.load(job), dismissed=True))
    except (OSError, ImageToMeshError) as problem:
        log.info("job %s is offered again next time: %s", job, problem)
    finally:
        lock.release()


def _kind(record: Record, library: Library) -> str:
    """Name the list that a job belongs to; nothing for one that goes on."""
    if record.state is State.UNCERTAIN:
        return "uncertain"
    if record.state is State.READY:
        return "arrived"
    if library.is_held(record.id):
        return "theirs"
    try:
        costs = get_provider(record.provider).is_remote
    except ImageToMeshError:
        return ""  # its provider is not there any more, which shows when it is started
    return "unsent" if record.state is State.QUEUED and costs else ""
