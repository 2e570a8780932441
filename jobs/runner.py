# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one job from images to a prepared mesh, with one method per state, on its own thread.

The record is saved before and after every step that matters, so that a later process can resume
from any state. The order, which may be charged, is submitted in one place and never repeated.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace

from ..providers import (
    Cancelled,
    CancelOutcome,
    ImageToMeshError,
    LibraryProblem,
    Message,
    Result,
    Sent,
    Ticket,
    Uncertain,
    check_modules,
    check_rules,
    get_provider,
    os_reason,
)
from .abandonable_call import Closed
from .cancel_token import CancelToken, Step
from .library.live_record import LiveRecord, new_record
from .library.store import Library
from .resources import Resources
from .setting_files import record_settings
from .slots import Slot
from .state_after_error import (
    INPUT,
    UNEXPECTED,
    actual_state,
    cancelled_state,
    file_error,
    state_after,
)
from .steps.check_images import ImagePreparer
from .steps.download import MeshDownload, poll
from .steps.fingerprint import order_of
from .steps.inputs import check_views, collect
from .steps.polling import OutageTolerance, next_pause, sleep
from .steps.reconcile import Reconciler
from .steps.repeated_order import RepeatedOrders
from .steps.submit import Submission
from .steps.worker_requests import WorkerRequests
from .values import Event, Failure, JobSpec, Record, State

log = logging.getLogger(__name__)


class Runner:
    """Runs one job and passes its events to `emit`; any thread may call `cancel` and `close`."""

    def __init__(self, spec: JobSpec, job: str, emit: Callable[[Event], None]) -> None:
        self._spec = spec
        self._provider = get_provider(spec.provider)
        self._is_resumed = spec.record is not None
        self.owns_record = not self._is_resumed
        """Whether the record may be written; one of an earlier process only while it is locked."""
        self._token = CancelToken(
            self._provider.deadline,
            spec.timeout,
            lambda: self.live.take_cancel_request(),
            self._provider.late_hint,
        )
        self._slot = Slot(spec.slots)
        self._resources = Resources(spec, self._provider, self._token.check, self._back_off)
        library = Library(spec.library)
        self._lock = library.lock(job)
        self._home = not self._provider.is_remote
        self.live = LiveRecord(library, spec.record or new_record(spec, job), emit, home=self._home)
        work = (self.live, self._resources, self._provider)
        self._images = ImagePreparer(*work, self._token.check)
        self._submission = Submission(spec, *work, self._slot)
        self._reconciler = Reconciler(spec, *work, self._submission.store)
        self._fetch = MeshDownload(*work, self._token.check_of(Step.DOWNLOAD))
        self._worker_requests = WorkerRequests(*work, self._fetch, self._token.check)
        # A daemon: a job that waits for a service must not keep Blender from quitting.
        self.thread = threading.Thread(target=self._run, name=f"image_to_mesh {job}", daemon=True)

    def start(self) -> None:
        """Start the job's thread."""
        self.thread.start()

    def cancel(self, *, collect: bool = True) -> None:
        """Ask the job to end. `collect`: a mesh that is charged for anyway is still fetched."""
        self._token.cancel(collect=collect)

    def close(self) -> None:
        """Ask the thread to end without changing the record, because the process is exiting."""
        self._token.close()

    @property
    def collecting(self) -> bool:
        """Whether a canceled job is still fetching a mesh that is, or may be, charged for."""
        is_wanted = self._token.wants_result and self.thread.is_alive()
        return is_wanted and (self._token.is_collecting or self._submission.under_way is not None)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._run_guarded(self._steps)
        except Cancelled:
            self._run_guarded(self._end_cancelled)
        finally:
            self._slot.leave()
            # A pending order needs the connection, and the lock: without it another process could
            # resume the job before its ticket is saved.
            self._submission.afterwards(self._let_go)  # guard: answer-keeps-the-lock
            if not self.live.ended and not self._token.is_closed:
                failure = Failure(UNEXPECTED, "Unexpected error.", "See the system console.")
                self.live.end("Failed", failure=failure)

    def _let_go(self) -> None:
        self._resources.close()
        self._lock.release()

    def _acquire_lock(self) -> None:
        """Take the job's lock, or raise LibraryProblem; discard an earlier cancel request."""
        try:
            is_held = self._lock.take_soon()  # guard: job-locked
        except OSError as error:
            raise LibraryProblem(
                Message("The library cannot be written to: {reason}.", reason=os_reason(error)),
                "Choose another library folder, or free up disk space.",
            ) from error
        if not is_held:
            raise self._lock.problem(
                "This job is already running in another Blender instance or on the command line.",
                "Wait until it is done, or cancel it.",
            )
        self.live.discard_cancel_request()  # guard: stale-cancel-forgotten

    def _end(self, phase: str, *, failure: Failure | None = None) -> None:
        """Release the lock, then emit the end: from then on, the user may resume the job."""
        self._lock.release()
        self.live.end(phase, failure=failure)

    def _run_guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Closed:
            log.info("job %s put aside", self._record.id)
        except ImageToMeshError as error:
            self._end_failed(self._resources.failure_of(error), self._submission.sent_of(error))
        except Cancelled:
            raise
        except OSError as error:  # guard: lost-file-is-no-crash
            self._end_failed(
                self._resources.failure_of(file_error(error)), self._submission.sent_of(error)
            )
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            log.error(
                "job %s: %s", self._record.id, self._resources.without_keys(traceback.format_exc())
            )
            text = self._resources.without_keys(f"{type(error).__name__}: {error}")
            message = Message("Unexpected error: {error}", error=text)
            failure = Failure(UNEXPECTED, message, "See the system console.")
            self._end_failed(failure, self._submission.sent_of(error))

    def _steps(self) -> None:
        check_modules(online=self._provider.is_remote)  # guard: modules-before-the-order
        self._open() if self._spec.record is None else self._reload()
        self._advance()

    def _advance(self) -> None:
        steps = {
            State.QUEUED: self._send,
            State.RUNNING: self._wait,
            State.DOWNLOADING: self._download,
            State.PREPARING: self._prepare,
        }
        while not self._record.state.over:
            self._token.check(Step.ORDER)
            state = self._record.state
            steps[state]()
            self._token.check(Step.DOWNLOAD if state is State.DOWNLOADING else Step.WORK)
        if self._is_resumed and self._record.state is State.READY:
            self._reconciler.forget_answers()
        self._end("Done")

    def _open(self) -> None:
        """Check everything that is free to check, take the lock, and create the job on disk."""
        check_views(self._spec.pictures, self._provider, self._spec.settings)
        check_rules(self._spec.settings)
        self._resources.check_blender(self._spec.settings)
        self.live.show_progress("Reading the image", 0.0)
        sources, check = self._spec.pictures, self._token.check
        pictures, files = collect(sources, self._provider, self._resources.fetch, check)
        self._token.check()
        given, named = record_settings(self._spec)
        self._acquire_lock()

        def create() -> None:
            self.live.create(files | named, pictures=pictures, **given)

        if self._home:
            return create()
        record = replace(self._record, pictures=pictures, **given)
        mark = order_of(record, self.live.folder)
        orders = RepeatedOrders(Library(self._spec.library), self._token.check)
        return orders.claim(mark, record.id, create, repeated=self._spec.repeated)

    def _reload(self) -> None:
        """Reload an earlier process's job; if its order may have been sent, resolve the order."""
        self._acquire_lock()
        self.live.reload()
        self.owns_record = True
        state = actual_state(self._record, self.live.folder, home=self._home)
        if state is not self._record.state:
            self.live.save(state=state)
        if state in (State.SUBMITTING, State.UNCERTAIN):
            self._reconciler.resolve(self._fetch.take_whole)

    def _send(self) -> None:
        """Prepare the images and submit the order; if no answer arrives, search for the task."""
        self._images.prepare_all(self._spec.settings)
        try:
            self._submission.send(self._token.check_of(Step.ORDER))
        except ImageToMeshError as error:
            was, sent = self._record.state, self._submission.sent_of(error)
            if was.over or state_after(error.kind, was, sent) is not State.UNCERTAIN:
                raise
            # Saved before the search, since the process may be killed during it.
            failure = replace(self._resources.failure_of(error), kind=Uncertain.kind)
            self.live.save_if_possible(
                state=State.UNCERTAIN, failure=failure, notes=self._submission.notes
            )
            if not self._reconciler.find():
                raise Uncertain(error.message, error.hint, error.link) from error

    def _wait(self) -> None:
        """Poll until the task has a result, and save that; start the worker meanwhile."""
        patience, pause = OutageTolerance(), 0.0
        self._slot.resume()
        while True:
            answer = patience.ask(lambda: poll(self.live, self._resources, self._provider))
            if isinstance(answer, Result):
                if answer.recipe is None:  # meshes made here do not tell how long tasks take
                    self._slot.leave(finished=True)
                return self._save_result(answer)
            self._resources.warm_up()
            self.live.show_progress(answer.phase, answer.fraction)
            pause = self._slot.pause(next_pause(answer, pause))
            sleep(pause, self._token.check_of(Step.PAUSE))

    def _save_result(self, result: Result) -> None:
        self.live.save(
            credits=result.credits,
            facts={**self._record.facts, **result.facts},
            notes=(*self._record.notes, *result.notes),
        )
        if result.recipe is not None:
            return self._worker_requests.make(result.recipe)
        return self.live.save(state=State.DOWNLOADING, files=result.files)

    def _download(self) -> None:
        """Download the result; if a mesh from the answer is missing, read the answer again."""
        try:
            self._fetch.run(later=self._is_resumed)
        except Uncertain:
            if not self._reconciler.read_again():
                raise

    def _prepare(self) -> None:
        """Prepare `model.blend` from the mesh file."""
        in_parts = self._record.plan.in_chunks and not self._is_resumed
        self._worker_requests.prepare(in_parts=in_parts)

    # -- how it ends -----------------------------------------------------------------------------

    def _end_failed(self, failure: Failure, sent: Sent | None = None) -> None:
        was = self._record.state
        uncertain = was is State.UNCERTAIN and failure.kind != Uncertain.kind
        if uncertain or not self.owns_record:
            return self._end("Failed", failure=failure)  # the record stays as it was
        state = state_after(failure.kind, was, sent, home=self._home)
        if state is State.UNCERTAIN:
            failure = replace(failure, kind=Uncertain.kind)
        if failure.kind in INPUT and not self._record.uploaded and not self._is_resumed:
            self.live.discard()
        changes: dict[str, object] = {"notes": self._submission.notes}
        if state is State.QUEUED:
            changes = {"submitted": None, "request_hash": None}
            self._submission.forget_answer()
        self.live.save_if_possible(state=state, failure=failure, **changes)
        return self._end("Failed", failure=failure)

    def _end_cancelled(self) -> None:
        """End the job for the user at once, then cancel the task, or collect a charged mesh."""
        self._token.end_for_user()
        if self._submission.under_way is None:
            if self._record.state in (State.SUBMITTING, State.UNCERTAIN):
                return self._end_failed(self._reconciler.unknown(), Sent.MAYBE)
            self.live.save_if_possible(state=State.CANCELLED)
        self.live.end("Canceled", state=State.CANCELLED)
        ticket = self._ticket_at_last()
        check = self._token.check_of(Step.LAST_WORDS)
        stopped = ticket and self._submission.cancel_task(ticket, check)
        if ticket is None or stopped is CancelOutcome.FREE:
            return None
        label = self._provider.label
        self.live.note(Message("{provider} may still charge for this job.", provider=label))
        if self._token.start_collecting():
            self.live.save(state=State.RUNNING)
            try:
                self._advance()
            except Cancelled:
                self.live.save(state=State.CANCELLED)

    def _ticket_at_last(self) -> Ticket | None:
        """Wait for a pending order, save its outcome, and return the job's ticket or None."""
        waiting = self._submission.under_way
        if waiting is None:
            return Ticket(self._record.ticket) if self._record.ticket else None
        try:
            ticket = waiting.wait(self._token.check_of(Step.LAST_WORDS))
        except (Cancelled, ImageToMeshError) as error:
            self._submission.under_way = None
            self._end_unanswered(error)
            return None
        self._submission.under_way = None
        self.live.save(state=State.CANCELLED)
        return ticket

    def _end_unanswered(self, error: Exception) -> None:
        """Save the state of a canceled job whose order failed or was not sent."""
        state = cancelled_state(error, self._submission.sent_of(error))
        self.live.save_if_possible(state=state, notes=self._submission.notes)

    # -- shared by the steps ---------------------------------------------------------------------

    @property
    def _record(self) -> Record:
        return self.live.record

    def _back_off(self, seconds: float) -> None:
        """Sleep `seconds` before a call is repeated; the service's other orders wait as well."""
        step = Step.REFUSED_ORDER if self._submission.is_refused else Step.PAUSE
        self._submission.put_off(seconds, self._token.check_of(step))
