# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh edits: done by the worker, each on its own thread.

They edit meshes of the scene, or the models of finished jobs that are not in the scene. A job's
original is never changed; each edit makes the job's next version.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
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
from ..library.versions import Version, next_file, number, remember, versions
from ..process.pool import BackgroundBlender
from ..values import Failure
from .edit_values import REPORTS, RESULT, WRITTEN, EditRequest, EditView

log = logging.getLogger(__name__)

# Guards `_reserved`: edits of the same job may reserve a version on several threads at once.
_reserving = threading.Lock()
_reserved: set[tuple[Path, int]] = set()
"""Versions that running edits will write: the job's folder and the version's number."""
LIMIT = 1800.0
"""Maximum seconds for an edit; meshes of millions of faces take minutes."""


class MeshEdit:
    """One edit on its thread. `view` is replaced as a whole, so any thread may read it."""

    def __init__(self, order: EditRequest, command: tuple[str, ...]) -> None:
        self.view = EditView(order)
        self.is_reported = False
        self._command = command
        # An event, not a kill: only the edit's thread may use the worker, and so it ends it.
        self._stop = threading.Event()
        self._until = 0.0
        # On a thread, because an edit may take minutes, and this is the main thread.
        self.thread = threading.Thread(target=self._run, name=f"edit-{order.key}", daemon=True)

    def start(self) -> None:
        """Start the edit's thread."""
        self._until = time.monotonic() + LIMIT
        self.thread.start()

    def stop(self) -> None:
        """Ask the edit to end, which takes only moments; it leaves no incomplete version."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self._keep(self._ask())
        except Cancelled:
            self.view = replace(self.view, over=True, phase="Canceled", version="")
        except ImageToMeshError as error:
            self._fail(error)
        except Exception as error:
            log.exception("edit of %s", self.view.order.key)
            message = Message("Processing the mesh failed: {error}.", error=error)
            self._fail(Failed(message, "See the system console."))
        scene = self.view.order.scene
        if scene is not None and not self.view.changed:
            scene.discard()

    def _ask(self) -> dict[str, Any]:
        order = self.view.order
        if order.scene is None:
            return self._ask_for_version()
        request = self._request(order.scene.folder / WRITTEN)
        request |= {
            "objects": list(order.scene.items),
            "meshes": str(order.scene.folder / RESULT),
            "to_model": order.scene.to_model,
        }
        if order.folder is None or not order.scene.to_model or not _is_own(order):
            return self._send(request)
        with workshop(order.folder) as place, _reserve_file(order.folder) as file:
            return self._send(request, place / file)

    def _ask_for_version(self) -> dict[str, Any]:
        """Edit a version of a job's model that is not in the scene, and return the worker's answer.

        Raises LibraryProblem if this user's Blender did not make the model.
        """
        order = self.view.order
        assert order.folder is not None
        # A version made from somebody else's file would get this user's mark, and so be trusted.
        if not _is_own(order):  # guard: no-care-for-strangers-models
            raise not_made_here(order.folder / order.source)
        with (
            model_to_read(order.folder / order.source) as blend,
            workshop(order.folder) as place,
            _reserve_file(order.folder) as file,
        ):
            output = None if order.task in REPORTS else place / file
            return self._send(self._request(blend), output)

    def _request(self, blend: Path) -> dict[str, Any]:
        order = self.view.order
        asked = dict(order.asked)
        return {
            "do": "care", "task": order.task, "name": order.name, "blend": str(blend),
            "asked": asked,
        }  # fmt: skip

    def _send(self, request: dict[str, Any], output: Path | None = None) -> dict[str, Any]:
        """Return the worker's answer to a request; `output` is the new version's file, if any."""
        request = {**request, "output": str(output or "")}
        done = BackgroundBlender(self._command).ask(request, self._tell, self._check)
        # Marked now, before `workshop` copies the file and its mark to a shared folder.
        if output and done.get("changed"):
            self.view = replace(self.view, version=output.name)
            mark_file(output)
        return done

    def _keep(self, done: Mapping[str, Any]) -> None:
        order, notes = self.view.order, tuple(done.get("notes", ()))
        card = dict(done.get("card", {}))
        if self.view.version or order.scene is None:
            self._list_version(card, notes)
        self.view = replace(
            self.view,
            over=True,
            phase="Done",
            fraction=1.0,
            card=card,
            notes=notes,
            changed=bool(done.get("changed")),
            meshes=tuple(done.get("meshes", ())),
            triangles=tuple(done.get("triangles", ())),
        )

    def _list_version(self, card: Mapping[str, Any], notes: tuple[str, ...]) -> None:
        """Store the report, and how a new version was made, in the job's folder."""
        order = self.view.order
        assert order.folder is not None
        file = self.view.version or order.source
        listed = versions(order.folder)
        known = next((version for version in listed if version.file == file), Version(file))
        if self.view.version:
            known = Version(file, order.task, order.source, dict(order.asked), notes=notes)
        remember(order.folder, replace(known, card={**known.card, **card}))

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
                "Reduce the number of faces first, then try again.",
            )


class MeshEdits:
    """This process's mesh edits, one at a time for each object or job, and the mesh reports."""

    def __init__(self) -> None:
        self._edits: dict[str, MeshEdit] = {}
        self._cards: dict[tuple[str, str], Mapping[str, Any]] = {}

    def start(self, order: EditRequest, command: tuple[str, ...]) -> MeshEdit:
        """Start an edit, and return it.

        Raises LibraryProblem while another edit of the same object or job is running, or its result
        is not in the scene yet.
        """
        before = self._edits.get(order.key)
        if before is not None and not before.is_reported and _is_awaited(before.view):
            message = Message(
                "“{name}” is already being processed: {phase}.",
                name=order.name,
                phase=as_message(before.view.phase),
            )
            raise LibraryProblem(message, "Wait until it is done, or cancel it.")
        edit = self._edits[order.key] = MeshEdit(order, command)
        edit.start()
        return edit

    def views(self) -> tuple[EditView, ...]:
        """Return the view of each object's or job's last edit."""
        return tuple(edit.view for edit in self._edits.values())

    def view(self, key: str) -> EditView | None:
        """Return the view of the last edit of an object or job; None without an edit."""
        edit = self._edits.get(key)
        return edit.view if edit else None

    def running(self) -> bool:
        """Return whether any edit is running."""
        return any(not edit.view.over for edit in self._edits.values())

    def is_awaited(self) -> bool:
        """Return whether any edit is running, or was not returned by `take_ended` yet."""
        return any(not edit.is_reported for edit in self._edits.values())

    def take_ended(self, is_ready: Callable[[EditView], bool] = lambda _: True) -> list[EditView]:
        """Return the edits that have ended since the last call.

        Those for which `is_ready` returns False are left for a later call.
        """
        ended = [
            edit
            for edit in self._edits.values()
            if edit.view.over and not edit.is_reported and is_ready(edit.view)
        ]
        for edit in ended:
            edit.is_reported = True
        return [edit.view for edit in ended]

    def fail(self, view: EditView, error: ImageToMeshError) -> None:
        """Mark an edit as failed and without changes, because its result could not be used."""
        edit = self._edits.get(view.order.key)
        if edit is not None:
            failure = Failure(error.kind, error.message, error.hint)
            edit.view = replace(edit.view, failure=failure, changed=False)

    def stop(self, key: str) -> bool:
        """Cancel the edit of an object or job, and return whether it was running."""
        edit = self._edits.get(key)
        if edit is None or edit.view.over:
            return False
        edit.stop()
        return True

    def dismiss(self, key: str) -> None:
        """Drop the last edit of an object or job if it has ended, so that it is no longer shown."""
        edit = self._edits.get(key)
        if edit is not None and edit.view.over:
            del self._edits[key]

    def put_card(self, key: str, file: str, card: Mapping[str, Any]) -> None:
        """Cache a version's mesh report for panels, merged with one that was cached before."""
        self._cards[(key, file)] = {**self._cards.get((key, file), {}), **card}

    def card(self, key: str, file: str = ORIGINAL) -> Mapping[str, Any] | None:
        """Return the cached mesh report of a version; None without one."""
        return self._cards.get((key, file))

    def close(self, timeout: float = 0.5) -> None:
        """Cancel all edits, and wait up to `timeout` seconds for all of their threads together.

        The files of edits of the scene are deleted.
        """
        end = time.monotonic() + timeout
        # All are asked to end before the first is joined, so that they share the timeout.
        for edit in self._edits.values():
            edit.stop()
        for edit in self._edits.values():
            edit.thread.join(max(0.0, end - time.monotonic()))
            if edit.view.order.scene:
                edit.view.order.scene.discard()


@contextmanager
def _reserve_file(folder: Path) -> Iterator[str]:
    """Yield the file name of a job's next version, which no other edit uses during the block."""
    # Several objects of the same job may be edited at once, each on its own thread.
    with _reserving:
        index = number(next_file(folder))
        while (folder, index) in _reserved:
            index += 1
        _reserved.add((folder, index))
    try:
        yield f"model-v{index}.blend"
    finally:
        with _reserving:
            _reserved.discard((folder, index))


def _is_own(order: EditRequest) -> bool:
    """Return whether this user's own Blender made the source of an edit."""
    source = Path(order.folder or "", order.source)
    return is_marked(source) or is_own_legacy(source)


def _is_awaited(view: EditView) -> bool:
    """Return whether an edit is running, or its result is not in the scene yet."""
    return not view.over or (view.changed and view.order.scene is not None)


@functools.cache
def mesh_edits() -> MeshEdits:
    """Return this process's mesh edits."""
    return MeshEdits()
