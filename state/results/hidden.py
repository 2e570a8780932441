# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleted results that can still be restored: hidden at once, moved to the trash later.

Nothing about them is on disk: if Blender crashes meanwhile, they are still in the library.
"""

from __future__ import annotations

from typing import NamedTuple

UNDO_SECONDS = 30.0
"""Seconds for which a deleted result can be restored with a click."""


class Hidden(NamedTuple):
    """A deleted result; `root` is its library's folder.

    `due` is when it goes to the trash, in seconds of the monotonic clock.
    """

    job: str
    root: str
    name: str
    due: float
    leaving: bool = False
    """Whether it is being moved to the trash right now, after which only the trash has it."""


_hidden: dict[str, Hidden] = {}
_revision = [0]


def hide(job: str, root: str, name: str, now: float) -> None:
    """Hide a result from the gallery; it is due for the trash UNDO_SECONDS after `now`."""
    _hidden[job] = Hidden(job, root, name, now + UNDO_SECONDS)
    _revision[0] += 1


def show_again(job: str) -> None:
    """Stop hiding a result, which is then listed again unless it is in the trash by now."""
    if _hidden.pop(job, None) is not None:
        _revision[0] += 1


def note_leaving(job: str) -> None:
    """Record that a result is being moved to the trash."""
    _hidden[job] = _hidden[job]._replace(leaving=True)
    _revision[0] += 1


def all_hidden() -> tuple[Hidden, ...]:
    """Return all hidden results, in the order in which they were deleted."""
    return tuple(_hidden.values())


def last_undoable() -> Hidden | None:
    """Return the most recently deleted result that can be restored, or None."""
    return next((item for item in reversed(_hidden.values()) if not item.leaving), None)


def jobs_away() -> frozenset[str]:
    """Return the ids of all hidden jobs."""
    return frozenset(_hidden)


def revision() -> int:
    """Return a number that changes with every change of the hidden results."""
    return _revision[0]


def forget_all() -> None:
    """Forget all hidden results, so that those still in the library are listed again."""
    _hidden.clear()
    _revision[0] += 1
