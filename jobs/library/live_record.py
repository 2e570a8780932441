# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's record while it runs: on disk, and as what people see of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...providers import LibraryProblem, Ticket
from ..disk.trust import check_author, check_ticket
from ..values import Collected, Ended, Event, Failure, JobSpec, JobView, Progressed, Record, State
from .file_names import CANCEL
from .store import Library

log = logging.getLogger(__name__)

SPAN = {
    State.QUEUED: (0.0, 0.05),
    State.SUBMITTING: (0.05, 0.08),
    State.RUNNING: (0.08, 0.75),
    State.DOWNLOADING: (0.75, 0.9),
    State.PREPARING: (0.9, 1.0),
}
HOME_SPAN = {**SPAN, State.RUNNING: (0.08, 0.6), State.PREPARING: (0.6, 1.0)}
"""Shares of the progress bar: a mesh that is made at home has nothing to wait for or download."""


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def request_hash(record: Record) -> str:
    """Return what tells an order from others: provider, settings and pictures."""
    what = {
        "provider": record.provider,
        "settings": dict(record.settings),
        "pictures": [one.sha256 or one.url for one in record.pictures],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def new_record(spec: JobSpec, job: str) -> Record:
    """Return the record of a job that starts now; nothing is on disk yet."""
    return Record(
        id=job,
        state=State.QUEUED,
        provider=spec.provider,
        name=spec.pictures[0].name if spec.pictures else "picture",
        created=now(),
        plan=spec.plan,
    )


class LiveRecord:
    """Holds one record. The job's thread changes it, and while that waits for the answer to an
    order, the order's thread; anybody may look at `view`.
    """

    def __init__(
        self, library: Library, record: Record, emit: Callable[[Event], None], *, home: bool
    ) -> None:
        self.record = record
        self.started = time.monotonic()
        self._before = record.seconds
        self._library = library
        self._emit = emit
        self._span = HOME_SPAN if home else SPAN
        self._on_disk = record.state is not State.QUEUED or bool(record.pictures)
        self._quiet = False
        self.ended = False
        self._lock = threading.Lock()
        self.view = self._look("Starting", 0.0)

    @property
    def folder(self) -> Path:
        """The job's folder."""
        return self._library.folder(self.record.id)

    def create(self, files: Mapping[str, bytes], **changes: Any) -> None:
        """Write the job to disk for the first time, with its pictures."""
        self.record = replace(self.record, **changes)
        self._library.create(self.record, files)
        self._on_disk = True

    def reload(self) -> None:
        """Take the record as it is on disk now: another process may have gone on with it.

        Raises LibraryProblem for one of somebody else: nothing of theirs is called, resumed or
        changed unless its user trusts the library, and no address in it is called even then.
        """
        found = self._library.load(self.record.id)
        check_author(found, self._library.root)  # guard: strangers-are-not-resumed
        check_ticket(found)  # guard: no-address-of-strangers
        self._library.sweep_job(found.id)
        self.record = found
        self._before = self.record.seconds

    def is_told_to_cancel(self) -> bool:
        """Say whether another process left word to stop, and take it."""
        try:
            (self.folder / CANCEL).unlink()
        except OSError:
            return False
        return True

    def forget_cancel(self) -> None:
        """Take away what an earlier process was told to stop by: it is not meant for this one."""
        self.is_told_to_cancel()

    def discard(self) -> None:
        """Take the job off the disk again: nothing was sent, and there is nothing to go on with."""
        if self._on_disk:
            self._on_disk = False
            with contextlib.suppress(LibraryProblem):
                self._library.delete(self.record.id, mine=True)

    def save(self, **changes: Any) -> None:
        """Change the record, here and on disk; a new step forgets an old failure."""
        with self._lock:
            seconds = round(self._before + time.monotonic() - self.started, 3)
            self.record = replace(self.record, seconds=seconds, **{"failure": None, **changes})
            if self._on_disk:
                self._library.save(self.record)

    def save_if_possible(self, **changes: Any) -> None:
        """Change the record for the end of a job, which comes even if the disk is full or gone."""
        try:
            self.save(**changes)
        except LibraryProblem as problem:
            log.warning("job %s: %s", self.record.id, problem)

    def answered(self, ticket: Ticket, state: State, notes: tuple[str, ...]) -> None:
        """Write what a submit answered: the files it brought first, then the ticket naming them.

        Called on the thread of the order, while the job's own waits for it. Raises LibraryProblem;
        the record names no file then that is not there.
        """
        for name, data in ticket.files.items():
            self._library.keep(self.record.id, name, data)
        self.save(state=state, ticket=dict(ticket.data), notes=notes)

    def note(self, *sentences: str) -> None:
        """Add sentences that people should read."""
        if sentences:
            self.save(notes=(*self.record.notes, *sentences))

    def tell(self, phase: str, fraction: float | None) -> None:
        """Show how far the present state is."""
        self.view = self._look(phase, fraction)
        if not self._quiet:
            self._emit(Progressed(self.record.id, self.view))

    def end(
        self, phase: str, *, failure: Failure | None = None, state: State | None = None
    ) -> None:
        """Tell that the job is over for the person who waits."""
        view = self._look(phase, 1.0 if phase == "Done" else None)
        view = replace(view, failure=failure, collected=self._quiet)
        self.view = replace(view, state=state or view.state)
        was_quiet, self._quiet, self.ended = self._quiet, True, True
        self._emit(Collected(view.job, self.view) if was_quiet else Ended(view.job, self.view))

    def _look(self, phase: str, fraction: float | None) -> JobView:
        low, high = self._span.get(self.record.state, (0.0, 1.0))
        whole = None if fraction is None else low + (high - low) * min(max(fraction, 0.0), 1.0)
        return JobView(
            job=self.record.id,
            provider=self.record.provider,
            name=self.record.name,
            state=self.record.state,
            phase=phase,
            fraction=whole,
            started=self.started,
            record=self.record if self._on_disk else None,
            failure=self.record.failure,
            plan=self.record.plan,
        )
