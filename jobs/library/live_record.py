# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a running job: saved to disk, and shown to the user as a `JobView`."""

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
from ..import_plan import ImportPlan
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
"""Each state's start and end on the progress bar, for a service (SPAN) and for this computer."""


def now() -> str:
    """Return the current UTC time as in records: ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def request_hash(record: Record) -> str:
    """Return the SHA-256 of an order's provider, settings, and images, in hexadecimal."""
    order = {
        "provider": record.provider,
        "settings": dict(record.settings),
        "pictures": [picture.sha256 or picture.url for picture in record.pictures],
    }
    if record.setting_files:
        order["files"] = {file.setting: file.sha256 for file in record.setting_files}
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()


def new_record(spec: JobSpec, job: str) -> Record:
    """Return the record of a new job, without writing it to disk."""
    return Record(
        id=job,
        state=State.QUEUED,
        provider=spec.provider,
        name=spec.pictures[0].name if spec.pictures else "picture",
        created=now(),
        plan=spec.plan,
    )


class LiveRecord:
    """The record of a job in this process, saved at every change.

    The job's thread changes it, and so does the order's thread while the job's thread waits for the
    answer. Any thread may read `view`.
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
        # A new record has no images before `create`; all others were read from disk.
        self._on_disk = record.state is not State.QUEUED or bool(record.pictures)
        self._quiet = False
        self._moved: ImportPlan | None = None
        self.ended = False
        # The order's thread may save the answer while the job's thread saves a cancel.
        self._lock = threading.Lock()
        self.view = self._make_view("Starting", 0.0)

    @property
    def folder(self) -> Path:
        """The path of the job's folder in the library."""
        return self._library.folder(self.record.id)

    def create(self, files: Mapping[str, bytes], **changes: Any) -> None:
        """Write the job to disk for the first time: its record, and its images by file name.

        `changes` are fields of the record, which are set first. Raises LibraryProblem if the job
        cannot be written.
        """
        self.record = replace(self.record, **{"plan": self._plan, **changes})
        self._library.create(self.record, files)
        self._on_disk = True

    def reload(self) -> None:
        """Read the record from disk again, since another process may have continued the job.

        Also deletes half-written files of the job. Raises LibraryProblem in these cases:
        - The record cannot be read.
        - Somebody else wrote it, and the user does not trust the library.
        - Somebody else wrote it, and resuming the job needs an address from it.
        """
        record = self._library.load(self.record.id)
        check_author(record, self._library.root)  # guard: strangers-are-not-resumed
        check_ticket(record)  # guard: no-address-of-strangers
        self._library.sweep_job(record.id)
        self.record = record
        self._before = self.record.seconds

    def take_cancel_request(self) -> bool:
        """Return whether another process asked for a cancel, and remove its request."""
        # The removal is the test: if two threads ask, only one of them gets the request.
        try:
            (self.folder / CANCEL).unlink()
        except OSError:
            return False
        return True

    def discard_cancel_request(self) -> None:
        """Remove any cancel request, because it was meant for an earlier process."""
        self.take_cancel_request()

    def discard(self) -> None:
        """Delete the job from disk if it is there; errors are ignored.

        Call this only if nothing was sent, so that there is nothing to resume.
        """
        if self._on_disk:
            self._on_disk = False
            with contextlib.suppress(LibraryProblem):
                self._library.delete(self.record.id, mine=True)

    def save(self, **changes: Any) -> None:
        """Change fields of the record, in memory and on disk.

        A failure that is not among `changes` is cleared. A job that is not on disk yet is changed
        in memory only. Raises LibraryProblem if the record cannot be written.
        """
        # The lock covers the write as well, so that an older record never replaces a newer one.
        with self._lock:
            seconds = round(self._before + time.monotonic() - self.started, 3)
            changes = {"failure": None, "plan": self._plan, **changes}
            self.record = replace(self.record, seconds=seconds, **changes)
            if self._on_disk:
                self._library.save(self.record)

    def save_if_possible(self, **changes: Any) -> None:
        """Change fields of the record like `save`, but only log the error if that fails."""
        try:
            self.save(**changes)
        except LibraryProblem as problem:
            log.warning("job %s: %s", self.record.id, problem)

    def move(self, plan: ImportPlan) -> None:
        """Use another import plan from now on, without saving it. May be called from any thread."""
        # The record is not changed here, because the job's thread may be replacing it right now.
        self._moved = plan

    def save_move(self) -> None:
        """Save the plan given to `move` if the job is on disk and has not ended.

        Errors are only logged.
        """
        with self._lock:
            if self._on_disk and not self.ended:
                self.record = replace(self.record, plan=self._plan)
                try:
                    self._library.save(self.record)
                except LibraryProblem as problem:
                    log.warning("job %s: %s", self.record.id, problem)

    def with_plan(self, view: JobView) -> JobView:
        """Return a view with the plan of the last `move`, if any, since the view may be older."""
        if self._moved is None or view.plan == self._moved:
            return view
        record = view.record and replace(view.record, plan=self._moved)
        return replace(view, plan=self._moved, record=record)

    @property
    def _plan(self) -> ImportPlan:
        return self._moved or self.record.plan

    def save_answer(self, ticket: Ticket, state: State, notes: tuple[str, ...]) -> None:
        """Save the answer to the order: the files that it contained, then the ticket.

        Called on the order's thread, while the job's thread waits for it. Raises LibraryProblem if
        that fails.
        """
        # Files first, so that the record never names one that does not exist.
        for name, data in ticket.files.items():
            self._library.keep(self.record.id, name, data)
        self.save(state=state, ticket=dict(ticket.data), notes=notes)

    def note(self, *sentences: str) -> None:
        """Add sentences for the user to the record, and save it.

        Raises LibraryProblem if the record cannot be written.
        """
        if sentences:
            self.save(notes=(*self.record.notes, *sentences))

    def show_progress(self, phase: str, fraction: float | None) -> None:
        """Update `view`, and emit it unless the job has ended for the user.

        `fraction` is the progress within the current state, 0 to 1, or None if it is unknown.
        """
        self.view = self._make_view(phase, fraction)
        if not self._quiet:
            self._emit(Progressed(self.record.id, self.view))

    def end(
        self, phase: str, *, failure: Failure | None = None, state: State | None = None
    ) -> None:
        """Emit `Ended` for the job, or `Collected` if `Ended` was emitted before.

        The second case is a canceled job that has then tried to collect its mesh. The view shows
        `failure` as the error. `state`, if given, is shown instead of the record's state, because
        the job may continue.
        """
        view = self._make_view(phase, 1.0 if phase == "Done" else None)
        view = replace(view, failure=failure, collected=self._quiet)
        self.view = replace(view, state=state or view.state)
        # `Ended` is emitted once: after it, progress is hidden, and a second end is `Collected`.
        was_quiet, self._quiet, self.ended = self._quiet, True, True
        self._emit(Collected(view.job, self.view) if was_quiet else Ended(view.job, self.view))

    def _make_view(self, phase: str, fraction: float | None) -> JobView:
        low, high = self._span.get(self.record.state, (0.0, 1.0))
        whole = None if fraction is None else low + (high - low) * min(max(fraction, 0.0), 1.0)
        view = JobView(
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
        return self.with_plan(view)
