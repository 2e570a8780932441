# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that wait for a slot: up to `AT_ONCE` run side by side. One that waits has sent nothing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable

from .. import jobs
from ..providers import ImageToMeshError
from . import bring_in, repeated_order

log = logging.getLogger(__name__)

AT_ONCE = 3
"""How many jobs run side by side before the next image has to wait."""

_waiting: deque[jobs.JobSpec] = deque()


def add(specs: Iterable[jobs.JobSpec]) -> None:
    """Start jobs one after the other, the first ones now; raises ImageToMeshError."""
    _waiting.extend(specs)
    try:
        _advance()
    finally:
        _show_count()


def advance() -> None:
    """Start waiting jobs while there are slots; one that cannot start does not stop the others."""
    try:
        _advance()
    except ImageToMeshError as error:
        log.warning("a waiting picture: %s", error)
    _show_count()


def begin(spec: jobs.JobSpec) -> str:
    """Start a job now and return its id."""
    job = jobs.session().start(spec)
    repeated_order.note_job(spec, job)
    bring_in.remember(job, spec.library)
    return job


def waiting() -> int:
    """Return how many jobs wait."""
    return len(_waiting)


def clear() -> None:
    """Forget the jobs that wait."""
    _waiting.clear()
    _show_count()


def _advance() -> None:
    while _waiting and len(jobs.session().running()) < AT_ONCE:
        begin(_waiting.popleft())


def _show_count() -> None:
    """Show the panel how many wait."""
    jobs.session().queued = len(_waiting)
