# SPDX-License-Identifier: GPL-3.0-or-later
"""The one call that costs: what comes before it, and what is done when its answer never came."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..providers import (
    ImageToMeshError,
    InvalidSettings,
    LibraryProblem,
    Provider,
    Request,
    Ticket,
    Uncertain,
    Uploaded,
)
from ._values import Failure, JobSpec, Record, State
from .calling import Call
from .keeping import Keeper, now, request_hash
from .library import Library
from .pacing import sleep
from .pictures import as_sent
from .tools import Tools
from .turns import Turn
from .uploads import Uploads

log = logging.getLogger(__name__)

FOUND = "The answer to the order was lost; its task was found at the service."
ATTACHED = "The answer to the order was lost; its task was attached by hand."
AGAIN = "Ordered again: the order of {} had not arrived, as far as could be seen at the service."


class Order:
    """One job's order. Used by the job's thread alone; `check` raises what ends it."""

    def __init__(
        self, spec: JobSpec, keeper: Keeper, tools: Tools, provider: Provider[Any], turn: Turn
    ) -> None:
        self._spec = spec
        self._keeper = keeper
        self._tools = tools
        self._provider = provider
        self._turn = turn
        self.under_way: Call[Ticket] | None = None

    def send(self, check: Callable[[], None]) -> None:
        """Upload, which may be repeated, then submit, which may not."""
        record, http = self._keeper.record, self._tools.http
        sent = as_sent(record.pictures, self._keeper.folder)
        uploads = Uploads(self._spec.library, self._provider, self._spec.base_url, self._spec.keys)
        tokens = uploads.known(record.pictures)
        missing = tuple(one for one in sent if one.view not in tokens)
        if http is not None:
            self._keeper.tell("Uploading", 0.6)
        given = self._tools.call(lambda: self._provider.upload(missing, http))
        uploads.remember(record.pictures, given.data)
        uploaded = Uploaded({**tokens, **given.data})
        self._keeper.tell("Waiting for a turn", 0.9)
        self._turn.take(check)
        self._begin(uploaded=dict(uploaded.data))
        self._keeper.tell("Submitting", 0.0)
        request = Request(self._spec.settings, sent)
        try:
            ticket = self._submit(lambda: self._provider.submit(request, uploaded, http), check)
        except InvalidSettings:
            uploads.forget(record.pictures)
            raise
        self._keeper.answered(ticket, State.RUNNING)

    def put_off(self, seconds: float, check: Callable[[], None]) -> None:
        """Pause before a call is made again; nobody who shares the service orders meanwhile.

        An order that was refused is none as far as the record goes.
        """
        if self._keeper.record.state is not State.SUBMITTING:
            self._turn.hold(seconds)
            return sleep(seconds, check)
        self._keeper.save(state=State.QUEUED, submitted=None, request_hash=None)
        self._turn.refused(seconds)
        sleep(seconds, check)
        self._turn.take(check)
        return self._begin()

    def _begin(self, **changes: Any) -> None:
        """Write that the order is about to be sent."""
        marked = request_hash(self._keeper.record)
        changes |= {"state": State.SUBMITTING, "submitted": now(), "request_hash": marked}
        self._keeper.save(**changes)  # guard: submit-marked

    def _submit(self, submit: Callable[[], Ticket], check: Callable[[], None]) -> Ticket:
        """Make the one call that costs. No time limit ends it here: its answer must be known."""
        if self._tools.http is None:
            return submit()
        self.under_way = Call(submit)
        ticket = self.under_way.wait(check)
        self.under_way = None
        return ticket

    # -- without an answer -----------------------------------------------------------------------

    def settle(self) -> None:
        """Go on with an order that nobody knows of, as far as its person or the service can tell.

        Raises Uncertain where they cannot.
        """
        record, spec = self._keeper.record, self._spec
        if spec.attach:
            ticket = self._provider.attach(spec.attach, spec.settings)
            return self._take(ticket, ATTACHED)
        if spec.again:
            note = AGAIN.format(record.submitted or "before")
            return self._keeper.save(
                state=State.QUEUED, submitted=None, request_hash=None, notes=(*record.notes, note)
            )
        if self.find():
            return None
        unknown = self.unknown()
        raise Uncertain(unknown.message, unknown.hint, unknown.link)

    def unknown(self) -> Failure:
        """Say that nobody knows whether the order arrived, as it was said first."""
        record = self._keeper.record
        if record.failure is not None and record.failure.kind == Uncertain.kind:
            return record.failure
        return Failure(
            Uncertain.kind,
            f"The order was being sent at {record.submitted} when the job broke off; nobody knows "
            "whether it arrived.",
            f"Look at {self._provider.label} whether the task is there, before a new one.",
            self._provider.key_url,
        )

    def find(self) -> bool:
        """Ask the service for its recent tasks; take the one that can be this order, if it is one.

        What other jobs have is none of them.
        """
        record = self._keeper.record
        if record.submitted is None or self._tools.http is None:
            return False
        self._keeper.tell("Looking for the order", None)
        since = datetime.fromisoformat(record.submitted)
        request = Request(self._spec.settings, as_sent(record.pictures, self._keeper.folder))
        uploaded = Uploaded(record.uploaded or {})
        http = self._tools.http
        try:
            found = self._tools.call(lambda: self._provider.find(request, uploaded, since, http))
        except (ImageToMeshError, KeyError) as error:
            log.info("job %s: the service's list cannot be read: %s", record.id, error)
            return False
        mine = [one for one in found if not self._is_taken(one)]
        if len(mine) == 1:
            self._take(mine[0], FOUND)
        return len(mine) == 1

    def _take(self, ticket: Ticket, note: str) -> None:
        if self._is_taken(ticket):
            raise LibraryProblem("Another job has this task already.", "Look at the id again.")
        notes = (*self._keeper.record.notes, note)
        self._keeper.save(state=State.RUNNING, ticket=dict(ticket.data), notes=notes)

    def _is_taken(self, ticket: Ticket) -> bool:
        records = Library(self._spec.library).all()[0]
        return any(_is_same(ticket, one) for one in records if one.id != self._keeper.record.id)


def _is_same(ticket: Ticket, other: Record) -> bool:
    names = ("task", "job", "url")
    mine = {name: ticket.data[name] for name in names if ticket.data.get(name)}
    theirs = other.ticket or {}
    return bool(mine) and all(theirs.get(name) == value for name, value in mine.items())
