# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs waiting for a slot: up to `AT_ONCE` run at a time. A waiting job has sent nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .. import jobs
from ..providers import ImageToMeshError
from . import bring_in, repeated_order

AT_ONCE = 3
"""Jobs that run at a time; further images wait."""

# Lost when Blender quits, which costs nothing: a waiting job has sent nothing.
_waiting: deque[jobs.JobSpec] = deque()


def add(specs: Iterable[jobs.JobSpec]) -> None:
    """Queue jobs, and start waiting jobs while slots are free.

    Raises ImageToMeshError if a job cannot start: that job is dropped, and those behind it stay
    queued.
    """
    _waiting.extend(specs)
    try:
        _advance()
    finally:
        _show_count()


def advance() -> None:
    """Start waiting jobs while slots are free; drop and log one that cannot start."""
    try:
        _advance()
    except ImageToMeshError as error:
        import logging  # not needed when Blender starts

        logging.getLogger(__name__).warning("a queued job cannot start: %s", error)
    _show_count()


def begin(spec: jobs.JobSpec) -> str:
    """Start a job immediately and return its id."""
    job = jobs.session().start(spec)
    repeated_order.note_job(spec, job)
    bring_in.remember(job, spec.library)
    return job


def waiting() -> int:
    """Return the number of waiting jobs."""
    return len(_waiting)


def clear() -> None:
    """Drop all waiting jobs."""
    _waiting.clear()
    _show_count()


def _advance() -> None:
    while _waiting and len(jobs.session().running()) < AT_ONCE:
        # Removed before it starts: a job that cannot start must not block those behind it.
        begin(_waiting.popleft())


def _show_count() -> None:
    """Tell the session, and through it the panel, how many jobs wait."""
    jobs.session().queued = len(_waiting)
