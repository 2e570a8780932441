# SPDX-License-Identifier: GPL-3.0-or-later
"""Care for a finished job's mesh: done by a background Blender, on a thread of its own.

The original is never written to; what is made becomes the job's next version.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...providers import (
    Cancelled,
    Failed,
    ImageToMeshError,
    LibraryProblem,
    Message,
    TimedOut,
    as_message,
)
from ..disk.signatures import is_marked, mark_file
from ..disk.trust import is_own_legacy, model_to_read, not_made_here, workshop
from ..library.file_names import ORIGINAL
from ..library.versions import Version, next_file, remember, versions
from ..process.pool import BackgroundBlender
from ..values import Failure

log = logging.getLogger(__name__)

LIMIT = 1800.0
"""Seconds that care may take: millions of faces are a matter of minutes."""
LOOKS = frozenset({"card", "print"})
"""What only tells about a model, and makes no version of it."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What shall be done to which version of a job's model; `file` is whose scene wants it."""

    job: str
    name: str
    folder: Path
    task: str
    source: str = ORIGINAL
    asked: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, slots=True)
class EditView:
    """What people see of it. `version` is the file that was made, empty where none was."""

    order: EditRequest
    phase: str = "Waiting"
    fraction: float | None = None
    over: bool = False
    version: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


class MeshEdit:
    """One order on its thread. `view` is replaced whole, so that anybody may look at any time."""

    def __init__(self, order: EditRequest, command: tuple[str, ...]) -> None:
        self.view = EditView(order)
        self.is_settled = False
        self._command = command
        self._stop = threading.Event()
        self._until = 0.0
        self.thread = threading.Thread(target=self._run, name=f"care-{order.job}", daemon=True)

    def start(self) -> None:
        """Begin and return at once."""
        self._until = time.monotonic() + LIMIT
        self.thread.start()

    def stop(self) -> None:
        """End within a moment; nothing of a version is left."""
        self._stop.set()

    def _run(self) -> None:
        try:
            done = self._ask()
            self._keep(done)
        except Cancelled:
            self.view = replace(self.view, over=True, phase="Cancelled")
        except ImageToMeshError as error:
            self._fail(error)
        except Exception as error:
            log.exception("care for %s", self.view.order.job)
            self._fail(Failed(Message("The care for the mesh failed: {error}", error=error)))

    def _ask(self) -> dict[str, Any]:
        order = self.view.order
        output = "" if order.task in LOOKS else next_file(order.folder)
        source = order.folder / order.source
        # What is made of a stranger's file would be taken for one's own from then on.
        if not (is_marked(source) or is_own_legacy(source)):  # guard: no-care-for-strangers-models
            raise not_made_here(source)
        with model_to_read(source) as blend, workshop(order.folder) as place:
            request = {
                "do": "care",
                "task": order.task,
                "name": order.name,
                "blend": str(blend),
                "output": str(place / output),
                "asked": dict(order.asked),
            }
            self.view = replace(self.view, version=output)
            done = BackgroundBlender(self._command).ask(request, self._tell, self._check)
            if output:
                mark_file(place / output)
            return done

    def _keep(self, done: Mapping[str, Any]) -> None:
        order, notes = self.view.order, tuple(done.get("notes", ()))
        card = dict(done.get("card", {}))
        file = self.view.version or order.source
        known = next((one for one in versions(order.folder) if one.file == file), Version(file))
        if self.view.version:
            known = Version(file, order.task, order.source, dict(order.asked), notes=notes)
        remember(order.folder, replace(known, card={**known.card, **card}))
        self.view = replace(
            self.view, over=True, phase="Done", fraction=1.0, card=card, notes=notes
        )

    def _fail(self, error: ImageToMeshError) -> None:
        failure = Failure(error.kind, error.message, error.hint)
        self.view = replace(self.view, over=True, phase="Failed", version="", failure=failure)

    def _tell(self, phase: str, fraction: float | None) -> None:
        self.view = replace(self.view, phase=phase, fraction=fraction)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled
        if time.monotonic() > self._until:
            minutes = LIMIT / 60.0
            raise TimedOut(
                Message(
                    "The care for the mesh took more than {minutes} minutes.",
                    minutes=f"{minutes:.0f}",
                ),
                "",
            )


class MeshEdits:
    """The care of this process: one order at a time for each job, and what is known of models."""

    def __init__(self) -> None:
        self._cares: dict[str, MeshEdit] = {}
        self._cards: dict[tuple[str, str], Mapping[str, Any]] = {}

    def start(self, order: EditRequest, command: tuple[str, ...]) -> MeshEdit:
        """Start an order. Raises LibraryProblem while another one for the same job is at work."""
        before = self._cares.get(order.job)
        if before is not None and not before.view.over:
            what = Message(
                "“{name}” is being worked on: {phase}.",
                name=order.name,
                phase=as_message(before.view.phase),
            )
            raise LibraryProblem(what, "Wait for it, or cancel it.")
        care = self._cares[order.job] = MeshEdit(order, command)
        care.start()
        return care

    def views(self) -> tuple[EditView, ...]:
        """Return what has been ordered, newest last."""
        return tuple(care.view for care in self._cares.values())

    def view(self, job: str) -> EditView | None:
        """Return what was last ordered for a job."""
        care = self._cares.get(job)
        return care.view if care else None

    def running(self) -> bool:
        """Say whether anything is at work."""
        return any(not care.view.over for care in self._cares.values())

    def take_ended(self) -> list[EditView]:
        """Return what has ended since the last call."""
        ended = [care for care in self._cares.values() if care.view.over and not care.is_settled]
        for care in ended:
            care.is_settled = True
        return [care.view for care in ended]

    def stop(self, job: str) -> bool:
        """Stop what is done for a job; say whether there was anything."""
        care = self._cares.get(job)
        if care is None or care.view.over:
            return False
        care.stop()
        return True

    def dismiss(self, job: str) -> None:
        """Show an ended order no longer."""
        care = self._cares.get(job)
        if care is not None and care.view.over:
            del self._cares[job]

    def put_card(self, job: str, file: str, card: Mapping[str, Any]) -> None:
        """Keep a health card for whoever shows it: drawing reads no files."""
        self._cards[(job, file)] = {**self._cards.get((job, file), {}), **card}

    def card(self, job: str, file: str = ORIGINAL) -> Mapping[str, Any] | None:
        """Return the health card of a version, as far as it is known here."""
        return self._cards.get((job, file))

    def close(self, timeout: float = 0.5) -> None:
        """Stop everything."""
        end = time.monotonic() + timeout
        for care in self._cares.values():
            care.stop()
        for care in self._cares.values():
            care.thread.join(max(0.0, end - time.monotonic()))


@functools.cache
def mesh_edits() -> MeshEdits:
    """Return the care of this process."""
    return MeshEdits()
