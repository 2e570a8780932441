# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh edits of finished jobs: done by the worker, on threads of their own.

The original is never changed; each edit makes the job's next version.
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
"""Seconds that an edit may take: meshes of millions of faces take minutes."""
REPORTS = frozenset({"card", "print"})
"""Tasks that only report on a model, and make no new version."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An edit of one version of a job's model.

    `task` is the worker's name for the edit, `asked` its options, `source` the version's file, and
    `file` the token of the .blend session that requested it.
    """

    job: str
    name: str
    folder: Path
    task: str
    source: str = ORIGINAL
    asked: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, slots=True)
class EditView:
    """An edit as panels show it.

    `version` is the new version's file, empty for a report. `card` is the mesh report.
    """

    order: EditRequest
    phase: str = "Waiting"
    fraction: float | None = None
    over: bool = False
    version: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: Failure | None = None


class MeshEdit:
    """One edit on its thread. `view` is replaced as a whole, so any thread may read it."""

    def __init__(self, order: EditRequest, command: tuple[str, ...]) -> None:
        self.view = EditView(order)
        self.is_reported = False
        self._command = command
        # An event, not a kill: the edit's thread ends the worker, which only it may use.
        self._stop = threading.Event()
        self._until = 0.0
        self.thread = threading.Thread(target=self._run, name=f"care-{order.job}", daemon=True)

    def start(self) -> None:
        """Start the edit and return at once."""
        self._until = time.monotonic() + LIMIT
        self.thread.start()

    def stop(self) -> None:
        """Cancel the edit; it ends within moments and leaves no half-made version."""
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
            self._fail(Failed(Message("Processing the mesh failed: {error}", error=error)))

    def _ask(self) -> dict[str, Any]:
        order = self.view.order
        # The number stays free while the edit runs: each job has one edit at a time.
        output = "" if order.task in REPORTS else next_file(order.folder)
        source = order.folder / order.source
        # A version made from somebody else's file would get this user's mark, and so be trusted.
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
            # Marked before `workshop` copies it, and the mark with it, to a shared folder.
            if output:
                mark_file(place / output)
            return done

    def _keep(self, done: Mapping[str, Any]) -> None:
        order, notes = self.view.order, tuple(done.get("notes", ()))
        card = dict(done.get("card", {}))
        file = self.view.version or order.source
        listed = versions(order.folder)
        known = next((version for version in listed if version.file == file), Version(file))
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
                    "Processing the mesh took more than {minutes} minutes.",
                    minutes=f"{minutes:.0f}",
                ),
                "",
            )


class MeshEdits:
    """This process's mesh edits, one at a time for each job, and the known mesh reports."""

    def __init__(self) -> None:
        self._edits: dict[str, MeshEdit] = {}
        self._cards: dict[tuple[str, str], Mapping[str, Any]] = {}

    def start(self, order: EditRequest, command: tuple[str, ...]) -> MeshEdit:
        """Start an edit. Raises LibraryProblem while another one of the same job is running."""
        before = self._edits.get(order.job)
        if before is not None and not before.view.over:
            message = Message(
                "“{name}” is already being processed: {phase}.",
                name=order.name,
                phase=as_message(before.view.phase),
            )
            raise LibraryProblem(message, "Wait for it, or cancel it.")
        care = self._edits[order.job] = MeshEdit(order, command)
        care.start()
        return care

    def views(self) -> tuple[EditView, ...]:
        """Return all edits, newest last."""
        return tuple(care.view for care in self._edits.values())

    def view(self, job: str) -> EditView | None:
        """Return a job's last edit."""
        care = self._edits.get(job)
        return care.view if care else None

    def running(self) -> bool:
        """Return whether any edit is running."""
        return any(not care.view.over for care in self._edits.values())

    def take_ended(self) -> list[EditView]:
        """Return the edits that have ended since the last call."""
        ended = [care for care in self._edits.values() if care.view.over and not care.is_reported]
        for care in ended:
            care.is_reported = True
        return [care.view for care in ended]

    def stop(self, job: str) -> bool:
        """Cancel a job's edit; return whether one was running."""
        care = self._edits.get(job)
        if care is None or care.view.over:
            return False
        care.stop()
        return True

    def dismiss(self, job: str) -> None:
        """Stop showing an edit that has ended."""
        care = self._edits.get(job)
        if care is not None and care.view.over:
            del self._edits[job]

    def put_card(self, job: str, file: str, card: Mapping[str, Any]) -> None:
        """Cache a mesh report for the panels, which read no files while they draw."""
        self._cards[(job, file)] = {**self._cards.get((job, file), {}), **card}

    def card(self, job: str, file: str = ORIGINAL) -> Mapping[str, Any] | None:
        """Return the cached mesh report of a version, None without one."""
        return self._cards.get((job, file))

    def close(self, timeout: float = 0.5) -> None:
        """Cancel all edits and wait up to `timeout` seconds for their threads."""
        end = time.monotonic() + timeout
        # All are asked to end before any is joined, so that they share the timeout.
        for care in self._edits.values():
            care.stop()
        for care in self._edits.values():
            care.thread.join(max(0.0, end - time.monotonic()))


@functools.cache
def mesh_edits() -> MeshEdits:
    """Return this process's mesh edits."""
    return MeshEdits()
