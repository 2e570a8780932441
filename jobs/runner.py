# SPDX-License-Identifier: GPL-3.0-or-later
"""One job's way from pictures to a prepared mesh, one method per state, on its own thread.

The record on disk is written before and after everything that matters, so that a later process can
go on from any state. What costs, the submit, is called in one place and never again.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from ..providers import (
    BadMesh,
    BadReply,
    Cancelled,
    CancelOutcome,
    Failed,
    ImageToMeshError,
    LibraryProblem,
    NoBlender,
    Progress,
    Recipe,
    Result,
    Ticket,
    TimedOut,
    Uncertain,
    check_rules,
    get_provider,
    values_of,
)
from ._values import Event, Failure, InputPicture, JobSpec, Record, State
from .calling import Call
from .fetching import Fetch
from .keeping import Keeper, now
from .library import Library
from .meshfile import read_mesh_file
from .ordering import Order
from .pacing import Patience, next_pause, sleep
from .pictures import check_views, collect, fitted, fitting_request, needs_fitting
from .preparing import PREVIEW, prepare_request
from .tools import Tools
from .turns import Turn

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks for a word of another process to stop."""

_RESUMABLE = frozenset({"unreachable", "timed_out", "rate_limited", "no_blender"})
_VERDICTS = frozenset({"rejected", "failed", "banned", "expired"})
"""What only the service itself can say of a task that it took; all else can be tried again."""
_UNEXPECTED = "unexpected"
_UNCLEAR = frozenset({Uncertain.kind, BadReply.kind, _UNEXPECTED})

_NOTHING_SENT = frozenset({"bad_image", "invalid_settings"})


class Closed(Exception):
    """Unwinds a job whose process goes away; its record stays as it is."""


class Runner:
    """Runs one job. `emit` gets its events; `cancel` and `close` may be called from any thread."""

    def __init__(self, spec: JobSpec, job: str, emit: Callable[[Event], None]) -> None:
        self._spec = spec
        self._provider = get_provider(spec.provider)
        self._cancelled = threading.Event()
        self._closed = threading.Event()
        self._collect = True
        self._collecting = False
        self._told = False
        self._mine = self._later = False
        self._looked = 0.0
        self._turn = Turn(spec.turns)
        self._tools = Tools(spec, self._provider, self._check, self._back_off)
        record = spec.record or Record(
            id=job,
            state=State.QUEUED,
            provider=spec.provider,
            name=spec.pictures[0].name if spec.pictures else "picture",
            created=now(),
            place=dict(spec.place),
        )
        library = Library(spec.library)
        self._lock = library.lock(job)
        self.keeper = Keeper(library, record, emit, home="network" not in self._provider.needs)
        self._order = Order(spec, self.keeper, self._tools, self._provider, self._turn)
        self._fetch = Fetch(self.keeper, self._tools, self._provider, self._check_fetching)
        self.thread = threading.Thread(target=self._run, name=f"image_to_mesh {job}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def cancel(self, *, collect: bool = True) -> None:
        """Ask the job to end as cancelled; `collect` what is charged all the same, or no longer."""
        self._collect = collect
        self._cancelled.set()

    def close(self) -> None:
        """Ask the thread to end and leave the record as it is."""
        self._closed.set()

    @property
    def collecting(self) -> bool:
        """Whether a cancelled job goes on, for what is charged or may be all the same."""
        wanted = self._cancelled.is_set() and self._collect and self.thread.is_alive()
        return wanted and (self._collecting or self._order.under_way is not None)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._guarded(self._steps)
        except Cancelled:
            self._guarded(self._end_cancelled)
        finally:
            self._turn.leave()
            self._tools.close()
            self._lock.release()
            if not self.keeper.ended and not self._closed.is_set():
                failure = Failure(_UNEXPECTED, "The job broke off.", "The system console says why.")
                self.keeper.end("Failed", failure=failure)

    def _hold(self) -> None:
        """See to it that no other process works on the job; raises LibraryProblem if one does."""
        try:
            self._mine = self._lock.take_soon()
        except OSError as error:
            raise LibraryProblem(
                f"The library cannot be written to: {error.strerror or error}.",
                "Choose another folder, or make room.",
            ) from error
        if self._mine:
            return
        raise LibraryProblem(
            "Another Blender or command line works on this job.",
            "Leave it to that one, or cancel it: the other one then stops.",
        )

    def _end(self, phase: str, *, failure: Failure | None = None) -> None:
        """Tell of the end: from then on others may work on the job."""
        self._lock.release()
        self.keeper.end(phase, failure=failure)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Closed:
            log.info("job %s put aside", self._record.id)
        except ImageToMeshError as error:
            self._end_failed(self._tools.failure_of(error))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - the thread's last resort; the person is told
            log.error(
                "job %s: %s", self._record.id, self._tools.without_keys(traceback.format_exc())
            )
            said = self._tools.without_keys(f"{type(error).__name__}: {error}")
            message = f"Something unexpected went wrong: {said}"
            self._end_failed(Failure(_UNEXPECTED, message, "The system console says more."))

    def _steps(self) -> None:
        self._open() if self._spec.record is None else self._take_up()
        self._go_on()

    def _go_on(self) -> None:
        steps = {
            State.QUEUED: self._send,
            State.RUNNING: self._wait,
            State.DOWNLOADING: self._download,
            State.PREPARING: self._prepare,
        }
        while not self._record.state.over:
            self._check_asked()
            step = self._record.state
            steps[step]()
            self._check_fetching() if step is State.DOWNLOADING else self._check()
        self._end("Done")

    def _open(self) -> None:
        """Check everything that can be checked for free, then write the job to disk."""
        check_views(self._spec.pictures, self._provider, self._spec.settings)
        check_rules(self._spec.settings)
        self._tools.check_blender(self._spec.settings)
        self.keeper.tell("Reading the picture", 0.0)
        pictures, files = collect(self._spec.pictures, self._provider, self._tools.fetch)
        self._check()
        settings = values_of(self._spec.settings)
        self._hold()
        self.keeper.create(files, pictures=pictures, settings=settings)

    def _take_up(self) -> None:
        """Go on with a job of an earlier process; an order that may have been sent is not again."""
        self._hold()
        self._later = True
        self.keeper.reload()
        state, home = self._record.state, "network" not in self._provider.needs
        if state is State.PREPARING and not self._mesh_is_whole():
            state = State.RUNNING
            self.keeper.save(state=state)
        if home and not (state.over or state is State.PREPARING):
            return self.keeper.save(state=State.QUEUED)
        if state is State.QUEUED and self._record.submitted is not None:
            state = State.SUBMITTING
            self.keeper.save(state=state)
        if state in (State.SUBMITTING, State.UNCERTAIN):
            if state is State.SUBMITTING and self._fetch.take_whole():
                return None  # the answer brought the mesh itself
            return self._order.settle()
        return None

    def _mesh_is_whole(self) -> bool:
        try:
            read_mesh_file(self.keeper.folder / (self._record.mesh or ""))
        except (OSError, BadMesh):
            return False
        return True

    def _fit(self, picture: InputPicture) -> InputPicture:
        """Convert a picture that the service does not take as it is; the file itself stays."""
        size = (self.keeper.folder / picture.file).stat().st_size if picture.file else 0
        reason = needs_fitting(picture, size, self._provider)
        if not reason or picture.info is None or picture.sent is not None:
            return picture
        done = self._tools.blender.ask(
            fitting_request(picture, self.keeper.folder, self._provider),
            self.keeper.tell,
            self._check,
        )
        path = self.keeper.folder / done["file"]
        sent = fitted(picture, path.name, path.read_bytes())
        shown = f"{sent.info.width} × {sent.info.height} pixels" if sent.info else "converted"
        self.keeper.note(f"{picture.name} is sent as {path.suffix[1:].upper()}, {shown}: {reason}.")
        return sent

    def _send(self) -> None:
        """Order the mesh; where no answer comes, look whether the service knows of it."""
        pictures = tuple(self._fit(one) for one in self._record.pictures)
        if pictures != self._record.pictures:
            self.keeper.save(pictures=pictures)
        try:
            self._order.send(self._check_asked)
        except (Uncertain, BadReply) as error:
            if self._record.state is not State.SUBMITTING:
                raise
            failure = Failure(Uncertain.kind, error.message, error.hint, error.link)
            self.keeper.save_if_possible(state=State.UNCERTAIN, failure=failure)
            if not self._order.find():
                raise

    def _wait(self) -> None:
        """Poll to the end of the task; the background Blender starts meanwhile."""
        ticket, patience, pause = Ticket(self._record.ticket or {}), Patience(), 0.0
        self._turn.resume()
        while True:
            answer = patience.ask(lambda: self._poll(ticket))
            if isinstance(answer, Result):
                if answer.recipe is None:
                    self._turn.leave(finished=True)
                return self._take(answer)
            self._tools.warm_up()
            self.keeper.tell(answer.phase, answer.fraction)
            pause = self._turn.pause(next_pause(answer, pause))
            sleep(pause, self._check_pause)

    def _poll(self, ticket: Ticket) -> Progress | Result:
        return self._tools.call(lambda: self._provider.poll(ticket, self._tools.http))

    def _take(self, result: Result) -> None:
        self.keeper.save(
            credits=result.credits,
            facts={**self._record.facts, **result.facts},
            notes=(*self._record.notes, *result.notes),
        )
        if result.recipe is not None:
            return self._make(result.recipe)
        return self.keeper.save(state=State.DOWNLOADING, files=result.files)

    def _make(self, recipe: Recipe) -> None:
        """Let the background Blender make the mesh from the job's picture."""
        picture = self._record.pictures[0]
        request = {
            "do": "make",
            "recipe": recipe.name,
            "picture": str(self.keeper.folder / (picture.file or "")),
            "orientation": picture.info.orientation if picture.info else 1,
            "name": self._record.name,
            "settings": dict(recipe.settings),
            "output": str(self.keeper.folder / "mesh.glb"),
        }
        done = self._tools.blender.ask(request, self.keeper.tell, self._check)
        self._fetch.finish("mesh.glb", *done.get("notes", ()))

    def _download(self) -> None:
        """Download what the result names."""
        self._fetch.run(later=self._later)

    def _prepare(self) -> None:
        """Turn the mesh file into `model.blend`; where that fails the file itself is the end."""
        preview = self.keeper.folder / PREVIEW
        place = self._record.place
        request = prepare_request(
            self.keeper.folder,
            self._record,
            place.get("mending"),
            in_parts=bool(place.get("in_parts")) and self._spec.record is None,
        )
        try:
            done = self._tools.blender.ask(request, self.keeper.tell, self._check)
        except (NoBlender, Failed) as error:
            self.keeper.note(f"Not prepared for Blender yet: {error.message}")
            return self.keeper.save(state=State.READY)
        self.keeper.note(*done.get("notes", ()))
        return self.keeper.save(
            state=State.READY,
            blend="model.blend",
            preview=PREVIEW if preview.is_file() else None,
            faces=done.get("faces", self._record.faces),
        )

    # -- its ends --------------------------------------------------------------------------------

    def _end_failed(self, failure: Failure) -> None:
        uncertain = self._record.state is State.UNCERTAIN and failure.kind not in _UNCLEAR
        if uncertain or (self._spec.record and not self._mine):
            return self._end("Failed", failure=failure)  # the record stays as it was
        state = self._state_after(failure.kind)
        if state is State.UNCERTAIN:
            failure = replace(failure, kind=Uncertain.kind)
        if failure.kind in _NOTHING_SENT and not self._record.uploaded and not self._later:
            self.keeper.discard()
        unsent = {"submitted": None, "request_hash": None} if state is State.QUEUED else {}
        self.keeper.save_if_possible(state=state, failure=failure, **unsent)
        return self._end("Failed", failure=failure)

    def _state_after(self, kind: str) -> State:
        """Return where a job stands after an error: resumable ones stay where they are."""
        was = self._record.state
        if was is State.SUBMITTING:
            if kind in ("unreachable", "rate_limited"):
                return State.QUEUED
            return State.UNCERTAIN if kind in _UNCLEAR else State.FAILED
        if was is State.QUEUED:
            return was if kind in _RESUMABLE else State.FAILED
        home = "network" not in self._provider.needs
        verdict = home or kind in _VERDICTS
        return State.FAILED if verdict and was is not State.PREPARING else was

    def _end_cancelled(self) -> None:
        """End for the person at once; then see to what the service may charge."""
        self._told = True
        if self._order.under_way is None:
            if self._record.state in (State.SUBMITTING, State.UNCERTAIN):
                return self._end_failed(self._order.unknown())
            self.keeper.save_if_possible(state=State.CANCELLED)
        self.keeper.end("Cancelled", state=State.CANCELLED)
        ticket = self._ticket_at_last()
        if ticket is None or self._tell_service(ticket) is CancelOutcome.FREE:
            return None
        self.keeper.note(f"{self._provider.label} may charge for this job all the same.")
        if self._collect:
            self._collecting = True
            self.keeper.save(state=State.RUNNING)
            try:
                self._go_on()
            except Cancelled:
                self.keeper.save(state=State.CANCELLED)

    def _ticket_at_last(self) -> Ticket | None:
        """Return the ticket, if need be after the answer to a submit that is still under way."""
        if self._order.under_way is None:
            return Ticket(self._record.ticket) if self._record.ticket else None
        try:
            ticket = self._order.under_way.wait(self._check_closed)
        except (Cancelled, ImageToMeshError) as error:
            uncertain = isinstance(error, Uncertain | BadReply)
            self.keeper.save(state=State.UNCERTAIN if uncertain else State.CANCELLED)
            return None
        finally:
            self._order.under_way = None
        self.keeper.answered(ticket, State.CANCELLED)
        return ticket

    def _tell_service(self, ticket: Ticket) -> CancelOutcome:
        if self._tools.http is None:
            return CancelOutcome.FREE
        call = Call(lambda: self._provider.cancel(ticket, self._tools.http))
        try:
            return call.wait(self._check_closed)
        except ImageToMeshError as error:
            log.warning("job %s: the service was not told: %s", self._record.id, error)
            return CancelOutcome.UNKNOWN

    # -- what the steps are made of --------------------------------------------------------------

    @property
    def _record(self) -> Record:
        return self.keeper.record

    def _check(self) -> None:
        """Raise what should end the job now: it is called wherever time passes."""
        self._check_asked()
        limit = self._spec.timeout or self._provider.deadline
        if time.monotonic() - self.keeper.started > limit:
            raise TimedOut(f"The mesh was not ready after {limit:g} seconds.", "Allow more time.")

    def _check_fetching(self) -> None:
        """Like `_check`, without the deadline: a slow download goes on as long as something comes.

        The limit that a person set counts all the same.
        """
        self._check() if self._spec.timeout else self._check_asked()

    def _check_asked(self) -> None:
        self._check_closed()
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            if self.keeper.is_told_to_cancel():
                self._cancelled.set()
        if self._cancelled.is_set() and not (self._told and self._collect):
            raise Cancelled

    def _check_closed(self) -> None:
        if self._closed.is_set():
            raise Closed

    def _check_ordering(self) -> None:
        """Raise what should end an order that the service has refused so far."""
        self._check_closed()
        if self._cancelled.is_set():
            raise Cancelled  # and it is not sent again

    def _check_pause(self) -> None:
        """Raise what ends a pause; a service that is told of a cancel is told to the end."""
        self._check_closed() if self._told and not self._collecting else self._check()

    def _back_off(self, seconds: float) -> None:
        """Pause before a call is made again; jobs that share the service wait as well."""
        ordering = self._record.state is State.SUBMITTING
        self._order.put_off(seconds, self._check_ordering if ordering else self._check_pause)
