# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches: many jobs, planned against the library so that nothing is paid for twice.

Running a batch again orders only what is missing. Unfinished jobs are resumed. Jobs that the
service may have accepted, and jobs that were paid for and failed, are reported and not ordered
again.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...providers import ImageToMeshError, Message, Provider, Settings, values_of
from ..library.index_entry import Entry
from ..sessions import Session
from ..setting_files import digests_of
from ..slots import ANSWER_LIMIT, Slots
from ..steps.fingerprint import digest_of, order_mark
from ..steps.inputs import name_of
from ..values import Ended, Failure, JobSpec, JobView, PictureSource, Record, State

AHEAD = 3
"""Maximum jobs per service that prepare their images while others occupy all its slots."""
LIVELY = 4
"""Maximum running jobs per slot of a service; more than 1, because a download needs no slot."""
IN_A_ROW = 3
"""Consecutive failures of a kind in `SAME_FOR_ALL` after which a service gets no more orders."""
TRIES = 3
"""Maximum attempts to send an order that is refused because of a rate limit."""

SAME_FOR_ALL = frozenset({"missing_key", "bad_key", "no_credits", "unreachable"})
"""Kinds of errors that the next order to the same service would get too."""
AGAIN = frozenset({"rate_limited"})
"""Kinds of errors after which the same order is sent again."""
UNFINISHED = frozenset({State.QUEUED, State.RUNNING, State.DOWNLOADING, State.PREPARING})
# Of several jobs with the same order, the first in this list is used, so that none is paid twice.
_ORDER = (State.READY, State.RUNNING, State.DOWNLOADING, State.PREPARING, State.SUBMITTING,
          State.UNCERTAIN, State.QUEUED, State.FAILED, State.CANCELLED)  # fmt: skip


@dataclass
class Item:
    """One mesh of a batch, and its state. `spec` is None if the mesh cannot be ordered at all.

    `image` is the path or URL of the source. `service` is equal for items that share a limit on
    concurrent tasks; the limit is its last element. `mark` is the fingerprint of the order. `job`
    is the job's id; it is empty, and `state` is None, while there is no job. `failure` says why
    there is no mesh. `tries` counts starts of the job. `was_there`: the job is from an earlier run.
    """

    image: str
    provider: str
    name: str = ""
    spec: JobSpec | None = None
    service: tuple[Any, ...] = ()
    mark: str = ""
    job: str = ""
    state: State | None = None
    record: Record | None = None
    failure: Failure | None = None
    tries: int = 0
    was_there: bool = False

    @property
    def ended(self) -> bool:
        """Whether the item has failed, or its job has ended."""
        return self.failure is not None or (self.state is not None and self.state.over)


def plan_item(
    image: str, provider: Provider[Any], settings: Settings, pictures: Iterable[PictureSource],
    files: Mapping[str, Path], spec: JobSpec,
) -> Item:  # fmt: skip
    """Return an item that can be ordered.

    `files` maps the views in `pictures` that have no URL to the paths of their images. Raises
    OSError for an image that cannot be read.
    """
    marks = {picture.view: picture.url or digest_of(files[picture.view]) for picture in pictures}
    # By keys, not by provider: providers that share a key share its account, and so its limit.
    keys = tuple(key.preference for key in provider.keys) or (provider.id,)
    return Item(
        image,
        provider.id,
        name=spec.pictures[0].name,
        spec=spec,
        service=(*keys, spec.base_url, provider.max_concurrent(settings)),
        mark=order_mark(provider.id, {**values_of(settings), **digests_of(spec.files)}, marks),
    )


def refused_item(image: str, provider: str, error: Exception) -> Item:
    """Return an item that cannot be ordered, with `error` as its failure, for the report."""
    return Item(image, provider, name=name_of(image), failure=failure_of(error))


def failure_of(error: Exception) -> Failure:
    """Convert any exception to a failure.

    Its kind is “unexpected” unless the exception is an ImageToMeshError.
    """
    if isinstance(error, ImageToMeshError):
        return Failure(error.kind, error.message, error.hint, error.link)
    words = f"{type(error).__name__}: {error}"
    message = Message("Unexpected error: {words}", words=words)
    return Failure("unexpected", message)


def match(items: Iterable[Item], entries: Iterable[Entry], *, retry: bool) -> None:
    """Assign each item the job in the library with the same images and settings, if any.

    No job is assigned twice. Items that cannot be ordered get no job. Failed and canceled jobs are
    ignored if `retry` is True, or if the service never accepted them.
    """
    known: dict[str, list[Entry]] = {}
    for entry in entries:
        lost = entry.state in (State.FAILED, State.CANCELLED)
        if entry.order and not (lost and (retry or not entry.taken)):
            known.setdefault(entry.order, []).append(entry)
    for item in items:
        found = known.get(item.mark, ()) if item.spec else ()
        if found:
            # Files may have the same content, so the job with the item's own name is preferred.
            best = min(
                found, key=lambda entry: (entry.name != item.name, _ORDER.index(entry.state))
            )
            known[item.mark].remove(best)
            item.job, item.state, item.was_there = best.job, best.state, True


def _failure_of(record: Record) -> Failure | None:
    """Return why an ended job has no mesh; None if it has one."""
    if record.state is State.READY:
        return None
    hint = "Use “--retry-failed” to submit it again."
    return record.failure or Failure("failed", f"Its job {record.id} is {record.state}.", hint)


class Batch:
    """Runs items through a session, as many at once as each service accepts.

    `load` reads a job's record. `most`, if given, is an upper limit for every service. `report` is
    called with each change of a running item.
    """

    def __init__(
        self,
        items: list[Item],
        running: Session,
        load: Callable[[str], Record],
        *,
        most: int | None = None,
        report: Callable[[Item, JobView], None],
    ) -> None:
        self.items = items
        self._running = running
        self._load = load
        self._most = most
        self._report = report
        self._slots: dict[tuple[Any, ...], Slots] = {}
        self._limits: dict[tuple[Any, ...], int] = {}
        self._waiting: dict[tuple[Any, ...], deque[Item]] = {}
        self._live: dict[str, Item] = {}
        self._in_a_row: Counter[tuple[Any, ...]] = Counter()

    @property
    def done(self) -> bool:
        """Whether no item is waiting or running."""
        return not self._live and not any(self._waiting.values())

    @property
    def ordering(self) -> bool:
        """Whether the answer to an order is pending."""
        return any(slots.ordering for slots in self._slots.values())

    def run(self, *, stop: Callable[[], bool] = bool) -> None:
        """Run all items until each has ended, or has stopped so that it can be resumed later.

        `stop` is called at least ten times a second; if it returns True, `run` returns early.
        """
        for item in self.items:
            self._enlist(item)
        while not stop() and (self._start() or self._live):
            event = self._running.wait(0.1)  # so that `stop` is called ten times a second
            if event is not None and event.job in self._live:
                self._report(self._live[event.job], event.view)
                if isinstance(event, Ended):
                    self._take(self._live.pop(event.job), event.view)

    def break_off(self, error: Exception) -> None:
        """Stop after an unexpected error, which becomes the failure of all items not yet ended."""
        # Closed first, so that outcomes of the jobs themselves are known and not overwritten.
        self.close()
        for item in self.items:
            if not item.ended:
                item.failure = failure_of(error)
        self._live.clear()
        self._waiting.clear()

    def close(self) -> None:
        """Stop all jobs so that they can be resumed, and update the items whose jobs were running.

        Before that, waits at most `ANSWER_LIMIT` seconds for the answers to pending orders.
        """
        end = time.monotonic() + ANSWER_LIMIT
        for slots in self._slots.values():
            slots.close(max(0.0, end - time.monotonic()))
        self._running.close()
        shown = {view.job: view for view in self._running.views()}
        for item in self._live.values():
            # From disk, since the view may be a step behind: an answer is saved before its event.
            with contextlib.suppress(ImageToMeshError):
                item.record = self._load(item.job)
            item.failure = shown[item.job].failure if item.job in shown else None
            item.state = item.record.state if item.record else None

    def _enlist(self, item: Item) -> None:
        """Queue an item, unless it has failed, cannot be ordered, or its job has ended.

        Items with uncertain jobs are queued, too. If a job ended without a mesh, or its record
        cannot be read, the reason becomes the item's failure.
        """
        if item.failure is not None or item.spec is None:
            return
        if item.state is not None:
            try:
                item.record = self._load(item.job)
            except ImageToMeshError as problem:
                item.failure = Failure(problem.kind, problem.message, problem.hint)
                return
            item.state = item.record.state
            if item.state.over and item.state is not State.UNCERTAIN:
                item.failure = _failure_of(item.record)
                return
            item.spec = replace(item.spec, record=item.record)
        if item.service not in self._slots:
            limit = int(item.service[-1])
            self._limits[item.service] = min(limit, self._most or limit)
            self._slots[item.service] = Slots(self._limits[item.service])
            self._waiting[item.service] = deque()
        waiting = self._waiting[item.service]
        # Existing jobs go first: their tasks may already occupy slots at the service.
        waiting.append(item) if item.state is None else waiting.appendleft(item)

    def _start(self) -> bool:
        """Start as many items as there is room for, and return whether any are left waiting."""
        for service, waiting in self._waiting.items():
            while waiting and self._has_room(service):
                self._begin(waiting.popleft(), service)
        return any(self._waiting.values())

    def _has_room(self, service: tuple[Any, ...]) -> bool:
        slots, limit = self._slots[service], self._limits[service]
        lively = sum(1 for item in self._live.values() if item.service == service)
        # More jobs than slots, since each first reads and uploads its images without a slot.
        with slots.lock:
            places = limit - len(slots.having)
            return slots.coming < max(places, 0) + AHEAD and lively < LIVELY * limit + AHEAD

    def _begin(self, item: Item, service: tuple[Any, ...]) -> None:
        assert item.spec is not None
        item.tries += 1
        try:
            item.job = self._running.start(replace(item.spec, slots=self._slots[service]))
        except Exception as error:  # noqa: BLE001 - an error of one item must not stop the others
            item.failure = failure_of(error)
            return
        self._live[item.job] = item

    def _take(self, item: Item, view: JobView) -> None:
        item.record, item.failure = view.record, view.failure
        item.state = view.record.state if view.record else view.state
        kind = view.failure.kind if view.failure else ""
        if kind in AGAIN and item.state is State.QUEUED and item.tries < TRIES and item.spec:
            # A rate limit refuses an order before it is charged, so it may be sent again.
            item.spec, item.failure = replace(item.spec, record=item.record), None
            return self._waiting[item.service].append(item)
        if kind not in SAME_FOR_ALL:
            self._in_a_row[item.service] = 0
            return None
        self._in_a_row[item.service] += 1
        if self._in_a_row[item.service] >= IN_A_ROW:
            self._give_up(item)
        return None

    def _give_up(self, last: Item) -> None:
        """Fail all waiting items of the service of `last`, with the failure of `last`."""
        waiting = self._waiting[last.service]
        for item in waiting:
            item.failure = last.failure
        waiting.clear()
