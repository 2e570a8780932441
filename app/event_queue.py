# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that wait to be handled, and jobs imported before their end was handled."""

from __future__ import annotations

from collections import deque

from .. import jobs

# Touched on the main thread only, so it needs no lock; threads report through the session.
waiting: deque[jobs.Event] = deque()
"""Events to handle, oldest first."""

_imported: set[str] = set()
"""Jobs whose models are in the scene but whose ends still have to be handled."""

notes: dict[str, tuple[str, ...]] = {}
"""Notes for the user about those imports, by job, shown once the job's end is handled."""


def is_expected(job: str) -> bool:
    """Return whether the end of a job still has to be handled."""
    return any(expected.job == job for expected in (*jobs.session().running(), *waiting))


def note_import(job: str) -> None:
    """Record that a job's model is in the scene, so that the job's end does not import it again."""
    _imported.add(job)


def is_imported(job: str) -> bool:
    """Return whether a job's model was imported before its end was handled."""
    return job in _imported


def take_import(job: str) -> bool:
    """Forget a job's import and its notes; return whether its model was imported."""
    was_imported = job in _imported
    _imported.discard(job)
    notes.pop(job, None)
    return was_imported


def drop(job: str) -> None:
    """Drop a job's waiting events."""
    others = [event for event in waiting if event.job != job]
    waiting.clear()
    waiting.extend(others)


def clear() -> None:
    """Drop all events, imports, and notes."""
    waiting.clear()
    _imported.clear()
    notes.clear()
