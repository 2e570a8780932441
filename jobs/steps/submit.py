# SPDX-License-Identifier: GPL-3.0-or-later
"""The order: the one call that costs money, the steps before it, and how its answer is saved.

The order's thread also saves the answer: first raw, then as a ticket in the record. That way
nothing is lost if the job's thread, or the program, ends meanwhile.
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
from ..setting_files import load_setting_files
from ..slots import Slot
from ..told_pause import ToldPause
from ..values import JobSpec, State
from .inputs import as_sent, check_unchanged
from .raw_answer import NAME, SUFFIX, RawAnswer
from .upload_cache import UploadCache

log = logging.getLogger(__name__)

TOO_MANY = 429
"""HTTP 429, the status of an order that was refused because of a rate limit."""


class Submission:
    """One job's order. Used by the job's thread alone, except where a method says otherwise.

    `under_way` is the call whose answer is awaited, if any; `answers` records the raw answer.
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
        self._pauses = ToldPause(live, provider.label)

    def send(self, check: Callable[[], None]) -> None:
        """Upload the images, wait for a slot, and submit the order.

        The upload may be repeated, but the order may not. `check` may raise to end the waiting.
        """
        record, http = self._live.record, self._resources.http
        answers = self.answers = RawAnswer(self._live.folder, record.id)
        check_unchanged(record.pictures, self._live.folder)
        files = load_setting_files(record.setting_files, self._live.folder)
        sent = as_sent(record.pictures, self._live.folder)
        uploads = UploadCache(
            self._spec.library, self._provider, self._spec.base_url, self._spec.keys
        )
        tokens = uploads.valid_tokens(record.pictures)
        missing = tuple(picture for picture in sent if picture.view not in tokens)
        if http is not None:
            self._live.show_progress("Uploading", 0.6)
        given = self._resources.call(lambda: self._provider.upload(missing, http))
        # Before the order: if that fails, the next attempt need not upload again.
        uploads.remember(record.pictures, given.data)
        uploaded = Uploaded({**tokens, **given.data})
        self._live.show_progress("Waiting for other jobs", 0.9)
        self._slot.take(check)
        # The record says “submitting” before anything is sent: after a crash the order counts as
        # uncertain instead of being sent twice.
        self._begin(uploaded=dict(uploaded.data))
        self._show_order()
        request = Request(self._spec.settings, sent, files)
        try:
            self._submit(lambda: self._provider.submit(request, uploaded, http), answers, check)
        # The service may no longer know a cached token: the next attempt uploads the images again.
        except InvalidSettings:
            uploads.forget(record.pictures)
            raise

    def put_off(self, seconds: float, check: Callable[[], None]) -> None:
        """Pause before a call is repeated; other jobs at the same service send no orders meanwhile.

        If the call was a refused order, the record says “queued” during the pause, and the job
        waits for a slot again after it. Other calls, such as the search for a lost order, do not
        change the record.
        """
        if not self.is_refused:  # guard: only-a-refusal-is-none
            self._slot.hold(seconds)
            return self._sleep(seconds, check)
        self._live.save(state=State.QUEUED, submitted=None, request_hash=None)
        self._slot.give_back(seconds)
        self._sleep(seconds, check)
        self._slot.take(check)
        return self._begin()

    def _sleep(self, seconds: float, check: Callable[[], None]) -> None:
        http = self._resources.http
        self._pauses.sleep(seconds, check, busy=http is not None and http.is_busy)

    @property
    def is_refused(self) -> bool:
        """Whether the current order was refused and will be sent again after a pause."""
        return self._ordering and self.answers is not None and self.answers.status == TOO_MANY

    def _show_order(self) -> None:
        """Show “Submitting”, or “Waiting for …” if the answer to the order contains the mesh."""
        if self._provider.max_answer_bytes:
            phase = Message("Waiting for {provider}", provider=self._provider.label)
            return self._live.show_progress(phase, None)
        return self._live.show_progress("Submitting", 0.0)

    def _begin(self, **changes: Any) -> None:
        """Delete earlier answers, and record that the order is about to be sent.

        Raises LibraryProblem if the disk is too full, or the library is not writable.
        """
        if self._resources.http is not None:
            check_room(self._live.folder, self._provider.max_answer_bytes)  # guard: room-looked-at
        self._forget_earlier()  # guard: earlier-answers-go
        marked = request_hash(self._live.record)
        self._live.save(  # guard: submit-marked
            state=State.SUBMITTING, submitted=now(), request_hash=marked, **changes
        )

    def _forget_earlier(self) -> None:
        """Delete earlier answers, since a refusal among them would be taken for this order's.

        Raises LibraryProblem if one of them cannot be deleted.
        """
        earlier = RawAnswer(self._live.folder, self._live.record.id)
        while earlier.find():
            if not earlier.drop():
                raise LibraryProblem(
                    Message("The library cannot be written to: {reason}.", reason=NAME + SUFFIX),
                    "Choose another library folder, or free up disk space.",
                )

    def _submit(
        self, submit: Callable[[], Ticket], answers: RawAnswer, check: Callable[[], None]
    ) -> None:
        """Make the one call that costs money. It has no deadline, because its answer must be known.

        If `check` raises, the waiting ends, but the call continues. Raises Unreachable if no thread
        can be started for the call.
        """
        if self._resources.http is None:
            return self.store(submit(), answers)
        self._resources.http.recorder = answers  # guard: answer-kept-as-it-came
        try:
            # On its own thread, so that a cancel returns at once while the answer still arrives.
            call = Call(lambda: self._order(submit, answers), lasting=True)
        except RuntimeError as error:
            unsent = Unreachable(
                "The job could not be submitted: this computer is out of resources.",
                "Close other programs, then resume the job.",
            )
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

    def _order(self, submit: Callable[[], Ticket], answers: RawAnswer) -> Ticket:
        """Submit, and save the ticket even if the job's thread no longer waits for it.

        Raises Uncertain for an error response that leaves open whether the order was accepted.
        """
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
        """Save the ticket, its files, and `notes`, then delete the raw answer.

        Raises LibraryProblem, with the ticket in its message, if they cannot be saved.
        """
        kept = answers.sentence
        before = [note for note in self._live.record.notes if note != kept]
        try:
            self._live.save_answer(ticket, State.RUNNING, (*before, *notes))
        except LibraryProblem as problem:
            text = json.dumps(dict(ticket.data))[:500]
            raise LibraryProblem(
                join_messages(
                    problem.message,
                    Message(
                        "The service accepted the job with this ticket: {ticket}.", ticket=text
                    ),
                ),
                problem.hint,
            ) from problem
        answers.drop()  # only after the ticket is on disk

    # -- after the call --------------------------------------------------------------------------

    def sent_of(self, error: BaseException) -> Sent:
        """Return whether a failed order reached the service.

        For an order of an earlier process, this is MAYBE, unless the error itself says YES.
        """
        answers = self.answers
        known = getattr(error, "sent", None)
        if answers is None:
            return Sent.YES if known is Sent.YES else Sent.MAYBE
        if isinstance(known, Sent):
            return known
        if not answers.sent:  # guard: never-handed-over
            return Sent.NO
        if answers.status is None:
            return Sent.NO if isinstance(error, Unreachable) else Sent.MAYBE
        is_certain = answers.whole or is_refusal(answers.status)
        return Sent.YES if is_certain else Sent.MAYBE

    @property
    def notes(self) -> tuple[str, ...]:
        """The record's notes, plus one that says where the raw answer is saved, if it is saved."""
        kept = self.answers.sentence if self.answers is not None else None
        notes = self._live.record.notes
        return notes if kept is None or kept in notes else (*notes, kept)

    def afterwards(self, work: Callable[[], None]) -> None:
        """Run `work` once the pending order has its answer, or at once if no order is pending."""
        if self.under_way is None:
            return work()
        return self.under_way.afterwards(work)

    def forget_answer(self) -> None:
        """Delete the answer to an order that was not accepted."""
        if self.answers is not None:
            self.answers.drop()

    def cancel_task(self, ticket: Ticket, check: Callable[[], None]) -> CancelOutcome:
        """Ask the service to cancel a task, and return what is then known about the charge.

        This is FREE for a provider on this computer, and UNKNOWN if the service reports an error.
        """
        if self._resources.http is None:
            return CancelOutcome.FREE
        # On a thread, so that an ending process does not wait for the service.
        http = self._resources.http_of(self._live.folder)
        call = Call(lambda: self._provider.cancel(ticket, http))
        try:
            return call.wait(check)
        except ImageToMeshError as error:
            log.warning("job %s: not cancelled at the service: %s", self._live.record.id, error)
            return CancelOutcome.UNKNOWN


def _is_no_verdict(answers: RawAnswer) -> bool:
    """Return whether an error response leaves open whether the service accepted the order.

    Returns False for a refusal, and for a server error with a JSON body, which is from the service
    itself. Other error responses come from a gateway in front of it. Also returns False if there is
    no response, or it is not an error.
    """
    status = answers.status
    if status is None or 200 <= status < 300 or is_refusal(status):
        return False
    return not (500 <= status < 600 and answers.is_object)
