# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job stands after an error: the one place that decides it, by values alone.

What was surely not sent is not uncertain; what may have been is never failed. A job fails only
where it cannot go on: by the service's own verdict, or by an order that it refused.
"""

from __future__ import annotations

from pathlib import Path

from ..providers import (
    BadMesh,
    InvalidSettings,
    LibraryProblem,
    Message,
    RateLimited,
    Repeated,
    Sent,
    Uncertain,
    Unreachable,
)
from .library.file_names import RECORD
from .steps.mesh_header import read_mesh_file
from .values import Record, State

UNEXPECTED = "unexpected"
VERDICTS = frozenset({"rejected", "failed", "banned", "expired"})
"""What only the service itself can say of a task that it took; all else can be tried again."""
INPUT = frozenset({"bad_image", InvalidSettings.kind, Repeated.kind})
"""Nothing is sent with it, now or later."""
ACCOUNT = frozenset({"missing_key", "bad_key", "no_credits"})
REFUSED = VERDICTS | INPUT | ACCOUNT
"""After these there is no order, and none comes of it."""
NOT_NOW = frozenset({RateLimited.kind, Unreachable.kind})
"""What a service answers that takes no order for now."""
OWN = frozenset({LibraryProblem.kind, "no_blender", "wrong_module", "timed_out", UNEXPECTED})
"""What is wrong on this machine: a job that is made here can be made again."""


def state_after(kind: str, was: State, sent: Sent | None = None, *, home: bool = False) -> State:
    """Return where a job stands after an error of this kind.

    `sent` is what is known of an order that was under way, `home` a mesh that is made here.
    """
    if was.over or was is State.PREPARING:
        return was
    if kind == Uncertain.kind and was is not State.QUEUED:
        return State.UNCERTAIN
    if was is State.QUEUED or (was is State.SUBMITTING and sent is Sent.NO):
        return State.FAILED if kind in REFUSED else State.QUEUED
    if home:
        return was if kind in OWN else State.FAILED
    if was is State.SUBMITTING:
        return _after_order(kind, sent)
    return State.FAILED if kind in VERDICTS else was


def _after_order(kind: str, sent: Sent | None) -> State:
    if kind == LibraryProblem.kind and sent is not Sent.MAYBE:
        return State.SUBMITTING  # the answer is kept, and read again
    if sent is Sent.MAYBE:  # guard: maybe-is-uncertain
        return State.UNCERTAIN
    if kind in NOT_NOW:
        return State.QUEUED
    return State.FAILED if kind in REFUSED else State.UNCERTAIN


def cancelled_state(error: Exception, sent: Sent) -> State:
    """Return where a cancelled job stands whose order ended with an error, or was not sent."""
    kind = getattr(error, "kind", "")
    state = state_after(kind, State.SUBMITTING, sent) if kind else State.CANCELLED
    return state if state in (State.UNCERTAIN, State.SUBMITTING) else State.CANCELLED


def file_error(error: OSError) -> LibraryProblem:
    """Return what an error of the file system means for a job."""
    return LibraryProblem(
        Message(
            "A file of the job cannot be used ({file}): {reason}.",
            file=Path(str(error.filename or RECORD)).name,
            reason=error.strerror or str(error),
        ),
        "Look into the job's folder, or make room; then resume the job.",
    )


def actual_state(record: Record, folder: Path, *, home: bool) -> State:
    """Return where a job of an earlier process really stands, by the files that are there.

    It goes back a step where the service, or this machine, can bring again what is missing.
    """
    state = record.state
    refused = record.failure is not None and record.failure.kind == BadMesh.kind
    if state is State.READY or (state is State.FAILED and refused):
        if mesh_is_whole(record, folder):
            return State.PREPARING if state is State.FAILED else state
        came_along = any(one.file is not None for one in record.files)
        return State.RUNNING if record.ticket and not came_along else state
    if state.over:
        return state
    if state is State.PREPARING and mesh_is_whole(record, folder):
        return state
    if home:
        return State.QUEUED
    if state is State.PREPARING:
        return State.RUNNING
    if state is State.QUEUED and record.submitted is not None:  # guard: marked-is-not-queued
        return State.SUBMITTING
    return state


def mesh_is_whole(record: Record, folder: Path) -> bool:
    """Say whether the mesh that a record names is there, and can be read."""
    if record.mesh is None:
        return False
    try:
        read_mesh_file(folder / record.mesh)
    except (OSError, BadMesh):
        return False
    return True


def can_resume(record: Record, folder: Path) -> bool:
    """Say whether a resume of the job has anything to do."""
    if record.state is State.UNCERTAIN:
        return True
    return not actual_state(record, folder, home=False).over
