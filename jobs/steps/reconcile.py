# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the missing ticket of an order: in the saved answer, or among the service's tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from ...providers import (
    ImageToMeshError,
    LibraryProblem,
    Message,
    Provider,
    Request,
    Sent,
    Ticket,
    Uncertain,
    Uploaded,
)
from ...providers._shared.http.recorded_answer import ReplayConnection
from ..library.live_record import LiveRecord
from ..library.store import Library
from ..library.uncertain import submission_time
from ..resources import Resources
from ..setting_files import intact_files
from ..state_after_error import ACCOUNT, INPUT, NOT_NOW, VERDICTS
from ..values import Failure, JobSpec, Record, State
from .inputs import as_sent
from .raw_answer import RawAnswer

log = logging.getLogger(__name__)

FOUND = "The response was lost, but the task was found at the service."
ATTACHED = "The service's response was lost; the task was attached manually."
AGAIN = "Submitted again: the service apparently never received the job submitted at {time}."
READ = "The service's saved response was read."
SAID = ACCOUNT | INPUT | VERDICTS | NOT_NOW
"""Kinds of errors by which a service itself refuses an order."""


class Reconciler:
    """Resolves one job's order that has no ticket. Used by the job's thread alone.

    `store` saves a ticket from a raw answer, with a note.
    """

    def __init__(
        self,
        spec: JobSpec,
        live: LiveRecord,
        resources: Resources,
        provider: Provider[Any],
        store: Callable[[Ticket, RawAnswer, str], None],
    ) -> None:
        self._spec = spec
        self._live = live
        self._resources = resources
        self._provider = provider
        self._store = store

    def resolve(self, take_whole: Callable[[], bool]) -> None:
        """Resolve an order that may have arrived, in the first of these ways that is possible:

        1. Continue with the task that the user attached.
        2. Send the order again, if the user wants that.
        3. Read the saved answer again.
        4. Use a mesh that is already in the folder; `take_whole` returns whether there is one.
        5. Search the service's tasks.

        Raises Uncertain if none of these is possible, and LibraryProblem if another job already has
        the attached task.
        """
        record, spec = self._live.record, self._spec
        if spec.attach:
            ticket = self._provider.attach(spec.attach, spec.settings)
            return self._take(ticket, ATTACHED)
        if spec.again:
            note = Message(AGAIN, time=submission_time(record))
            return self._live.save(
                state=State.QUEUED, submitted=None, request_hash=None, notes=(*record.notes, note)
            )
        if self.read_again() or take_whole() or self.find():
            return None
        unknown = self.unknown()
        raise Uncertain(unknown.message, unknown.hint, unknown.link)

    def unknown(self) -> Failure:
        """Return the failure of an uncertain order: the recorded one, or else a new one."""
        record = self._live.record
        if record.failure is not None and record.failure.kind == Uncertain.kind:
            return record.failure
        return Failure(
            Uncertain.kind,
            Message(
                "The job was interrupted while submitting at {time}; it is unknown whether the "
                "service received it.",
                time=submission_time(record),
            ),
            Message(
                "Check {provider} for the task before you submit again.",
                provider=self._provider.label,
            ),
            self._provider.key_url,
        )

    def read_again(self) -> bool:
        """Parse the saved answer with this version's code, and return whether it has a ticket.

        The ticket is saved. If the answer is the service's own refusal and the job is still
        SUBMITTING, the refusal is raised as an error. Answers in the folders of other users' jobs
        are ignored.
        """
        answers = RawAnswer(self._live.folder, self._live.record.id)
        is_own = self._live.record.own  # others could place an answer there, with their address
        reply = answers.read() if is_own and answers.find() else None  # guard: answers-of-strangers
        if reply is None:
            return False
        try:
            # `submit` itself parses the answer: the connection replays it and sends nothing.
            replay = cast("Any", ReplayConnection(reply, self._spec.base_url))
            ticket = self._provider.submit(self._request(), self._upload_tokens(), replay)
        except ImageToMeshError as error:
            # Only the service's own verdict resolves the order; a gateway's error leaves it open.
            own = reply.ok or reply.refused
            waits = self._live.record.state is State.SUBMITTING and own
            if waits and error.kind in SAID:
                error.sent = Sent.YES
                raise
            log.info("job %s: its saved answer resolves nothing: %s", self._live.record.id, error)
            return False
        except Exception as error:  # noqa: BLE001 - the answer stays on disk for a later version
            log.info("job %s: its saved answer cannot be read: %s", self._live.record.id, error)
            return False
        self._store(ticket, answers, READ)
        return True

    def forget_answers(self) -> None:
        """Delete the saved answers, and the notes that say where they are.

        Stops at the first answer that cannot be deleted.
        """
        answers = RawAnswer(self._live.folder, self._live.record.id)
        while answers.find():
            kept, notes = answers.sentence, self._live.record.notes
            if kept in notes:
                self._live.save(notes=tuple(note for note in notes if note != kept))
            if not answers.drop():
                return

    def find(self) -> bool:
        """Search the service's recent tasks for this order, and return whether exactly one matches.

        That task's ticket is saved. Tasks that belong to other jobs of the library do not count.
        Returns False if the search is not possible or fails.
        """
        record, http = self._live.record, self._resources.http_of(self._live.folder)
        if record.submitted is None or http is None:
            return False
        self._live.show_progress("Searching for the task", None)
        request, uploaded = self._request(), self._upload_tokens()
        try:
            since = datetime.fromisoformat(record.submitted)
            found = self._resources.call(
                lambda: self._provider.find_order(request, uploaded, since, http)
            )
        except (ImageToMeshError, KeyError, OSError, TypeError, ValueError) as error:
            log.info("job %s: the service's list cannot be read: %s", record.id, error)
            return False
        mine = [ticket for ticket in found if not self._is_taken(ticket)]
        # Of several candidates, any could belong to another program, so the user decides.
        if len(mine) == 1:
            self._take(mine[0], FOUND)
        return len(mine) == 1

    def _request(self) -> Request[Any]:
        record, folder = self._live.record, self._live.folder
        pictures = as_sent(record.pictures, folder)
        # Nothing is ordered with these: a lost file must not lose an answer.
        files = intact_files(record.setting_files, folder)
        return Request(self._spec.settings, pictures, files)

    def _upload_tokens(self) -> Uploaded:
        return Uploaded(self._live.record.uploaded or {})

    def _take(self, ticket: Ticket, note: str) -> None:
        if self._is_taken(ticket):
            raise LibraryProblem("Another job already uses this task.", "Check the ID.")
        others = (kept for kept in self._live.record.notes if kept != note)
        notes = (*others, note)
        self._live.save(state=State.RUNNING, ticket=dict(ticket.data), notes=notes)
        self.forget_answers()

    def _is_taken(self, ticket: Ticket) -> bool:
        records = Library(self._spec.library).all()[0]
        others = (record for record in records if record.id != self._live.record.id)
        return any(_has_task(record, ticket, self._provider.task_field) for record in others)


def _has_task(record: Record, ticket: Ticket, field: str) -> bool:
    task = ticket.data.get(field)
    return bool(task) and (record.ticket or {}).get(field) == task
