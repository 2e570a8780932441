# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides the state of a job after an error, mostly by pure functions.

An order that was certainly not sent is not uncertain; one that may have been sent has not failed. A
job fails only if it cannot continue: by the service's own verdict, or because its order was
refused.
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
"""Kinds of errors by which a service ends a task that it has accepted; others can be retried."""
INPUT = frozenset({"bad_image", InvalidSettings.kind, Repeated.kind})
"""Kinds of errors in the input, which are found before anything is ordered."""
ACCOUNT = frozenset({"missing_key", "bad_key", "no_credits"})
"""Kinds of errors about the key or the account."""
REFUSED = VERDICTS | INPUT | ACCOUNT
"""Kinds of errors after which there is certainly no order."""
NOT_NOW = frozenset({RateLimited.kind, Unreachable.kind})
"""Kinds of errors of a service that accepts no orders at the moment."""
OWN = frozenset({LibraryProblem.kind, "no_blender", "wrong_module", "timed_out", UNEXPECTED})
"""Kinds of errors on this computer, after which a mesh that is made here can be made again."""


def state_after(kind: str, was: State, sent: Sent | None = None, *, home: bool = False) -> State:
    """Return the state of a job after an error of this kind.

    `was` is the job's state before the error. `sent` is whether its order reached the service, None
    if no order was involved. `home`: the mesh is made on this computer.
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
        return State.SUBMITTING  # the saved answer is read again when the job is resumed
    if sent is Sent.MAYBE:  # guard: maybe-is-uncertain
        return State.UNCERTAIN
    if kind in NOT_NOW:
        return State.QUEUED
    return State.FAILED if kind in REFUSED else State.UNCERTAIN


def cancelled_state(error: Exception, sent: Sent) -> State:
    """Return the state of a canceled job whose order failed or was not sent.

    It is UNCERTAIN if the order may have arrived, SUBMITTING if a saved answer must be read again,
    and CANCELLED otherwise.
    """
    kind = getattr(error, "kind", "")
    state = state_after(kind, State.SUBMITTING, sent) if kind else State.CANCELLED
    return state if state in (State.UNCERTAIN, State.SUBMITTING) else State.CANCELLED


def file_error(error: OSError) -> LibraryProblem:
    """Convert an error of the file system to a LibraryProblem that names the file."""
    return LibraryProblem(
        Message(
            "The job's file {file} cannot be used: {reason}.",
            file=Path(str(error.filename or RECORD)).name,
            reason=error.strerror or str(error),
        ),
        "Check the job's folder and the free disk space, then resume the job.",
    )


def actual_state(record: Record, folder: Path, *, home: bool) -> State:
    """Return the state in which a job of an earlier process can continue, judged by its files.

    This is the recorded state, with these exceptions:
    - RUNNING, if the mesh file is missing or damaged and the service can provide it again.
    - QUEUED, if the job is unfinished, is made on this computer (`home`), and has no complete mesh
      file.
    - PREPARING, if the job failed because its mesh was refused, and the mesh file is complete.
    - SUBMITTING, if the job is queued but has a time of submission.
    """
    state = record.state
    refused = record.failure is not None and record.failure.kind == BadMesh.kind
    if state is State.READY or (state is State.FAILED and refused):
        if mesh_is_whole(record, folder):
            return State.PREPARING if state is State.FAILED else state
        # A mesh that came with the answer to the order cannot be downloaded again.
        was_in_answer = any(file.file is not None for file in record.files)
        return State.RUNNING if record.ticket and not was_in_answer else state
    if state.over:
        return state
    if state is State.PREPARING and mesh_is_whole(record, folder):
        return state
    # A mesh that is made on this computer can be made again, at no cost.
    if home:
        return State.QUEUED
    # The file is missing, and a poll returns the addresses to download it again.
    if state is State.PREPARING:
        return State.RUNNING
    if state is State.QUEUED and record.submitted is not None:  # guard: marked-is-not-queued
        return State.SUBMITTING
    return state


def mesh_is_whole(record: Record, folder: Path) -> bool:
    """Return whether the record names a mesh file, and that file exists and is complete."""
    if record.mesh is None:
        return False
    try:
        read_mesh_file(folder / record.mesh)
    except (OSError, BadMesh):
        return False
    return True


def can_resume(record: Record, folder: Path) -> bool:
    """Return whether a job can be resumed, judged by its record and files.

    A job in the state UNCERTAIN can always be resumed.
    """
    if record.state is State.UNCERTAIN:
        return True
    return not actual_state(record, folder, home=False).over
