# SPDX-License-Identifier: GPL-3.0-or-later
"""The exit codes of the public surface: one function of an error's kind and the job's state.

1 is the service's own verdict on a job that cannot go on, and nothing else: whatever can go on has
5 where the service has to be asked, 6 where nobody knows of the order, 7 where the mesh is made.
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
"""What needs the same of a user, wherever the job stands."""
_HERE = frozenset(
    {"bad_image", "invalid_settings", "no_blender", "library", "repeated", "wrong_module"}
)
"""What is wrong on this machine."""
_STEPS = {
    State.QUEUED: RESUMABLE,
    State.SUBMITTING: UNCERTAIN,
    State.UNCERTAIN: UNCERTAIN,
    State.RUNNING: RESUMABLE,
    State.DOWNLOADING: MESH,
    State.PREPARING: MESH,
    State.READY: MESH,
}


def exit_code(kind: str, state: State | None, *, ordered: bool = False) -> int:
    """Return the code for an error of this kind; `state` is None where there is no job.

    `ordered`: the service took the job's order, so 2, which says that nothing was sent, is untrue.
    """
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    if kind in _HERE:
        return MESH if ordered else NOTHING_SENT
    if kind == "unreachable":
        return MESH if state in (State.DOWNLOADING, State.PREPARING) else RESUMABLE
    if kind in VERDICTS and (state is None or state in (State.FAILED, State.CANCELLED)):
        return FAILED
    if state in _STEPS:
        return _STEPS[state]
    return MESH if ordered else NOTHING_SENT


def exit_code_for(failure: Failure | None, record: Record | None) -> int:
    """Return the code for how a job ended."""
    if failure is not None:
        state = record.state if record is not None else None
        return exit_code(failure.kind, state, ordered=was_submitted(record))
    return DONE if record is not None and record.state is State.READY else INTERRUPTED


def was_submitted(record: Record | None) -> bool:
    """Say whether the service took a job's order, as far as its record goes."""
    if record is None:
        return False
    awaited = record.state is State.SUBMITTING and record.submitted is not None
    return record.ticket is not None or awaited
