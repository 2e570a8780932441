# SPDX-License-Identifier: GPL-3.0-or-later
"""The exit codes, derived from the kind of the error and the state of the job.

1 means only that the service failed to make the mesh. For a job that can be resumed, the code is 5
if the service must be polled, 6 if it is unknown whether the order was received, and 7 if the mesh
is finished but not yet on this computer.
"""

from __future__ import annotations

from ..jobs import Failure, Record, State
from ..jobs.state_after_error import VERDICTS

DONE = 0
FAILED = 1
NOTHING_SENT = 2
KEY = 3
CREDITS = 4
RESUMABLE = 5
UNCERTAIN = 6
MESH = 7
INTERRUPTED = 130

_ALWAYS = {
    "missing_key": KEY,
    "bad_key": KEY,
    "no_credits": CREDITS,
    "timed_out": RESUMABLE,
    "rate_limited": RESUMABLE,
    "uncertain": UNCERTAIN,
    "bad_mesh": MESH,
}
"""Exit codes by kind of error, for kinds whose code does not depend on the job's state."""
_LOCAL = frozenset(
    {"bad_image", "invalid_settings", "no_blender", "library", "repeated", "wrong_module"}
)
"""Kinds of errors that are caused on this computer, not by the service."""
_STEPS = {
    State.QUEUED: RESUMABLE,
    State.SUBMITTING: UNCERTAIN,
    State.UNCERTAIN: UNCERTAIN,
    State.RUNNING: RESUMABLE,
    State.DOWNLOADING: MESH,
    State.PREPARING: MESH,
    State.READY: MESH,
}
"""Exit codes by the job's state, for all other kinds of errors."""


def exit_code(kind: str, state: State | None, *, ordered: bool = False) -> int:
    """Return the exit code for an error of this kind. `state` is None without a job.

    `ordered`: the service accepted the job, or may have, so the code cannot be NOTHING_SENT.
    """
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    if kind in _LOCAL:
        return MESH if ordered else NOTHING_SENT
    if kind == "unreachable":
        return MESH if state in (State.DOWNLOADING, State.PREPARING) else RESUMABLE
    # Only for a job that has ended: 1 must never be returned for one that can be resumed.
    if kind in VERDICTS and (state is None or state in (State.FAILED, State.CANCELLED)):
        return FAILED
    if state in _STEPS:
        return _STEPS[state]
    return MESH if ordered else NOTHING_SENT


def exit_code_for(failure: Failure | None, record: Record | None) -> int:
    """Return the exit code of a job.

    If there is a failure, the code depends on its kind and on the state of the job. Otherwise, it
    is DONE if the job is ready, else INTERRUPTED.
    """
    if failure is not None:
        state = record.state if record is not None else None
        return exit_code(failure.kind, state, ordered=was_submitted(record))
    return DONE if record is not None and record.state is State.READY else INTERRUPTED


def was_submitted(record: Record | None) -> bool:
    """Return whether the service accepted a job, or may have, according to its record."""
    if record is None:
        return False
    # Without a ticket the order may have arrived anyway: its time is saved before it is sent.
    awaited = record.state is State.SUBMITTING and record.submitted is not None
    return record.ticket is not None or awaited
