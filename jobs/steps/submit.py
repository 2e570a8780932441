# SPDX-License-Identifier: GPL-3.0-or-later
"""The one call that costs: what comes before it, and how its answer becomes safe.

The thread that makes the call also brings its answer to the disk: first as it came, then as a
ticket in the record. So it is written while its job's thread, or the program, is on its way out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from ...providers import (
    CancelOutcome,
    ImageToMeshError,
    InvalidSettings,
    LibraryProblem,
    Message,
    Provider,
    Request,
    Sent,
    Ticket,
    Uncertain,
    Unreachable,
    Uploaded,
    join_messages,
)
from ...providers._shared.http.reply import is_refusal
from ..abandonable_call import Call
from ..disk.free_space import check_room
from ..library.live_record import LiveRecord, now, request_hash
from ..resources import Resources
from ..slots import Slot
from ..values import JobSpec, State
from .inputs import as_sent, check_unchanged
from .polling import sleep
from .raw_answer import NAME, SUFFIX, RawAnswer
from .upload_cache import UploadCache

log = logging.getLogger(__name__)

TOO_MANY = 429


class Submission:
    """One job's order. Used by the job's thread alone; `check` raises what ends it.

    `under_way` is the call while its answer is awaited, `answers` what came of the last one.
    """

    def __init__(
        self,
        spec: JobSpec,
        live: LiveRecord,
        resources: Resources,
        provider: Provider[Any],
        slot: Slot,
    ) -> None:
        self._spec = spec
        self._live = live
        self._resources = resources
        self._provider = provider
        self._slot = slot
        self.under_way: Call[Ticket] | None = None
        self.answers: RawAnswer | None = None
        self._ordering = False

    def send(self, check: Callable[[], None]) -> None:
        """Upload, which may be repeated, then submit, which may not."""
        record, http = self._live.record, self._resources.http
        answers = self.answers = RawAnswer(self._live.folder, record.id)
        check_unchanged(record.pictures, self._live.folder)
        sent = as_sent(record.pictures, self._live.folder)
        uploads = UploadCache(
            self._spec.library, self._provider, self._spec.base_url, self._spec.keys
        )
        tokens = uploads.known(record.pictures)
        missing = tuple(one for one in sent if one.view not in tokens)
        if http is not None:
            self._live.show_progress("Uploading", 0.6)
        given = self._resources.call(lambda: self._provider.upload(missing, http))
        uploads.remember(record.pictures, given.data)
        uploaded = Uploaded({**tokens, **given.data})
        self._live.show_progress("Waiting for a turn", 0.9)
        self._slot.take(check)
        self._begin(uploaded=dict(uploaded.data))
        self._live.show_progress("Submitting", 0.0)
        request = Request(self._spec.settings, sent)
        try:
            self._submit(lambda: self._provider.submit(request, uploaded, http), answers, check)
        except InvalidSettings:
            uploads.forget(record.pictures)
            raise

    def put_off(self, seconds: float, check: Callable[[], None]) -> None:
        """Pause before a call is made again; nobody who shares the service orders meanwhile.

        An order that was refused is none as far as the record goes. Other calls are made while it
        says “submitting”, too: those that look for an order whose answer was lost.
        """
        if not self.is_refused:  # guard: only-a-refusal-is-none
            self._slot.hold(seconds)
            return sleep(seconds, check)
        self._live.save(state=State.QUEUED, submitted=None, request_hash=None)
        self._slot.refused(seconds)
        sleep(seconds, check)
        self._slot.take(check)
        return self._begin()

    @property
    def is_refused(self) -> bool:
        """Whether the order that is under way was refused, to be sent again after a pause."""
        return self._ordering and self.answers is not None and self.answers.status == TOO_MANY

    def _begin(self, **changes: Any) -> None:
        """Write that the order is about to be sent; raises LibraryProblem where it has no room."""
        if self._resources.http is not None:
            check_room(self._live.folder, self._provider.max_answer_bytes)  # guard: room-looked-at
        self._forget_earlier()  # guard: earlier-answers-go
        marked = request_hash(self._live.record)
        self._live.save(  # guard: submit-marked
            state=State.SUBMITTING, submitted=now(), request_hash=marked, **changes
        )

    def _forget_earlier(self) -> None:
        """Take earlier answers away: a refusal that stayed would be read as that of this order."""
        earlier = RawAnswer(self._live.folder, self._live.record.id)
        while earlier.find():
            if not earlier.drop():
                raise LibraryProblem(
                    Message("The library cannot be written to: {reason}.", reason=NAME + SUFFIX),
                    "Choose another folder, or make room.",
                )

    def _submit(
        self, submit: Callable[[], Ticket], answers: RawAnswer, check: Callable[[], None]
    ) -> None:
        """Make the one call that costs. No time limit ends it here: its answer must be known."""
        if self._resources.http is None:
            return self.store(submit(), answers)
        self._resources.http.recorder = answers  # guard: answer-kept-as-it-came
        try:
            call = Call(lambda: self._ordered(submit, answers), lasting=True)
        except RuntimeError as error:
            unsent = Unreachable("The order could not be sent: no thread could be started.")
            unsent.sent = Sent.NO
            raise unsent from error
        self.under_way = call
        try:
            call.wait(check)
        finally:
            if call.taken:
                self.under_way = None
        return None

    # -- on the thread of the call ---------------------------------------------------------------

    def _ordered(self, submit: Callable[[], Ticket], answers: RawAnswer) -> Ticket:
        """Order, and bring the ticket to the disk, whether or not anybody still waits for it."""
        self._ordering = True
        try:
            ticket = submit()
        except ImageToMeshError as error:
            silent = _is_no_verdict(answers)
            if silent and error.kind != Uncertain.kind:  # guard: gateway-is-no-verdict
                raise Uncertain(error.message, error.hint, error.link) from error
            raise
        finally:
            self._ordering = False
        self.store(ticket, answers)  # guard: ticket-while-closing
        return ticket

    def store(self, ticket: Ticket, answers: RawAnswer, *notes: str) -> None:
        """Write the ticket and what it brought; after that the raw answer is not needed."""
        kept = answers.sentence
        before = [one for one in self._live.record.notes if one != kept]
        try:
            self._live.save_answer(ticket, State.RUNNING, (*before, *notes))
        except LibraryProblem as problem:
            told = json.dumps(dict(ticket.data))[:500]
            raise LibraryProblem(
                join_messages(
                    problem.message, Message("The order was taken: {ticket}", ticket=told)
                ),
                problem.hint,
            ) from problem
        answers.drop()

    # -- what is known of it ---------------------------------------------------------------------

    def sent_of(self, error: BaseException) -> Sent:
        """Return how much of a failed order can have reached the service.

        Of one that an earlier process began nobody knows.
        """
        answers = self.answers
        told = getattr(error, "sent", None)
        if answers is None:
            return Sent.YES if told is Sent.YES else Sent.MAYBE
        if isinstance(told, Sent):
            return told
        if not answers.sent:  # guard: never-handed-over
            return Sent.NO
        if answers.status is None:
            return Sent.NO if isinstance(error, Unreachable) else Sent.MAYBE
        known = answers.whole or is_refusal(answers.status)
        return Sent.YES if known else Sent.MAYBE

    @property
    def notes(self) -> tuple[str, ...]:
        """The record's notes, with where the answer is that brought no ticket."""
        kept = self.answers.sentence if self.answers is not None else None
        notes = self._live.record.notes
        return notes if kept is None or kept in notes else (*notes, kept)

    def afterwards(self, work: Callable[[], None]) -> None:
        """Have some work done once the answer has come, or now where none is awaited."""
        if self.under_way is None:
            return work()
        return self.under_way.afterwards(work)

    def forget_answer(self) -> None:
        """Drop an answer that took no order: the next one brings its own."""
        if self.answers is not None:
            self.answers.drop()

    def tell_to_stop(self, ticket: Ticket, check: Callable[[], None]) -> CancelOutcome:
        """Tell the service of a cancel; return what is known about the charge then."""
        if self._resources.http is None:
            return CancelOutcome.FREE
        call = Call(lambda: self._provider.cancel(ticket, self._resources.http))
        try:
            return call.wait(check)
        except ImageToMeshError as error:
            log.warning("job %s: the service was not told: %s", self._live.record.id, error)
            return CancelOutcome.UNKNOWN


def _is_no_verdict(answers: RawAnswer) -> bool:
    """Say whether an answer's status tells neither that the order was taken nor that it was not.

    Of the errors of a server, those in JSON are the service's own.
    """
    status = answers.status
    if status is None or 200 <= status < 300 or is_refusal(status):
        return False
    return not (500 <= status < 600 and answers.is_object)
