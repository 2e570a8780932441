# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that were not handled yet, and the jobs that were imported before their end is."""

from __future__ import annotations

from collections import deque

from .. import jobs

waiting: deque[jobs.Event] = deque()
"""Events that were not handled yet, oldest first."""

_imported: set[str] = set()
"""Jobs whose models are in the scene, and whose ends were not handled yet."""


def is_expected(job: str) -> bool:
    """Return whether the end of a job was not handled yet."""
    return any(expected.job == job for expected in (*jobs.session().running(), *waiting))


def note_import(job: str) -> None:
    """Note that a job's model is in the scene, so that the job's end does not import it again."""
    _imported.add(job)


def is_imported(job: str) -> bool:
    """Return whether a job's model was imported before its end was handled."""
    return job in _imported


def take_import(job: str) -> bool:
    """Forget that a job's model was imported; return whether it was."""
    was_imported = job in _imported
    _imported.discard(job)
    return was_imported


def drop(job: str) -> None:
    """Drop what is waiting of a job."""
    others = [event for event in waiting if event.job != job]
    waiting.clear()
    waiting.extend(others)


def clear() -> None:
    """Drop everything."""
    waiting.clear()
    _imported.clear()
