# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses to repeat an order that is unfinished or was just submitted, unless the user insists.

A double click, Enter pressed twice, and the same file dropped again are one order. The library
stores which job has which order, in `.orders.json`, so that this is true of all processes that
share it. A lock decides which of two processes is first.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...providers import LibraryProblem, Message, Repeated
from ...providers._shared.untrusted_text import json_bytes
from ..disk.lock import MOMENT
from ..disk.plain_files import read_plain, write_whole
from ..library.store import Library
from ..state_after_error import file_error
from ..values import Record, State

FILE = ".orders.json"
LOCK = "orders"
MOST_BYTES = 4 << 20
MOST_KEPT = 1000
"""Maximum number of stored orders; older ones are dropped."""
LATEST = 1e12
"""Upper limit of a valid time, in seconds since 1970, because others may write to the list."""
SOON = 10.0
"""Seconds within which repeating an order counts as an accident, even if the first has ended."""
# Hints for Blender; `cli/hints.py` has the command line's versions.
INSIST = "To submit it again, click Generate once more, or use “again=True” in a script."
GO_ON = (
    "Resume that job. To submit it again, click Generate once more, or use “again=True” in a "
    "script."
)
DECIDE = (
    "Resolve that job first. To submit it again, click Generate once more, or use “again=True” in "
    "a script."
)


class RepeatedOrders:
    """The stored orders of a library. `check` may raise to end the wait for their lock."""

    def __init__(self, library: Library, check: Callable[[], None]) -> None:
        self._library = library
        self._check = check

    def claim(self, mark: str, job: str, create: Callable[[], None], *, repeated: bool) -> None:
        """Create a job for an order, and store the order; `mark` is the order's fingerprint.

        Unless `repeated` is True, raises Repeated if another job has the same order and is
        unfinished, is uncertain, or was just submitted. Also raises the errors of `create`.
        """
        with self._list_lock():
            kept = self._load()
            found = kept.get(mark)
            if found is not None and not repeated:
                self._refuse(str(found["job"]), float(found["at"]))  # guard: same-order-is-refused
            # Created under the lock: a second process then finds the job, or the first one failed.
            create()
            # Removed first, so that it moves to the end: the oldest entries are at the start.
            kept.pop(mark, None)
            kept[mark] = {"job": job, "at": time.time()}
            newest = dict(list(kept.items())[-MOST_KEPT:])
            # The job exists by now: without its entry, only a repetition would go unnoticed.
            with contextlib.suppress(OSError):
                write_whole(self._library.root.resolve() / FILE, json_bytes(newest))

    def _refuse(self, job: str, at: float) -> None:
        try:
            record = self._library.load(job)
        except LibraryProblem:
            return  # the earlier job was deleted
        if record.state is State.UNCERTAIN:
            raise Repeated(
                Message(
                    "The same job was already submitted, but it is unknown whether the service "
                    "received it: {job}.",
                    job=job,
                ),
                DECIDE,
            )
        if not record.state.over:
            if self._library.is_held(job):
                raise Repeated(Message("The same job is already running: {job}.", job=job), INSIST)
            raise Repeated(Message("The same job is unfinished: {job}.", job=job), GO_ON)
        # The absolute difference: another computer's clock may be ahead.
        if _was_taken(record) and abs(time.time() - at) < SOON:
            raise Repeated(
                Message("The same job was submitted a moment ago: {job}.", job=job), INSIST
            )

    @contextlib.contextmanager
    def _list_lock(self) -> Iterator[None]:
        """Hold the lock of the stored orders during the block, after waiting for it.

        Raises LibraryProblem if the library is not writable.
        """
        lock = self._library.lock(LOCK)
        try:
            while not lock.take():  # guard: one-at-a-time-claims
                self._check()
                time.sleep(MOMENT)
        except OSError as error:
            raise file_error(error) from error
        try:
            yield
        finally:
            lock.release()

    def _load(self) -> dict[str, Mapping[str, Any]]:
        try:
            kept = json.loads(read_plain(self._library.root.resolve() / FILE, MOST_BYTES))
            return {str(mark): entry for mark, entry in kept.items() if _is_entry(entry)}
        except (OSError, ValueError, AttributeError, RecursionError):
            return {}


def _is_entry(entry: Any) -> bool:
    known = isinstance(entry, dict) and isinstance(entry.get("job"), str)
    return known and isinstance(entry.get("at"), int | float) and abs(entry["at"]) < LATEST


def _was_taken(record: Record) -> bool:
    """Return whether the service accepted the order."""
    return record.ticket is not None
