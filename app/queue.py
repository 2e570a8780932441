# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that wait for room: so many run side by side, the others follow. What waits sent nothing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable

from .. import jobs
from ..providers import ImageToMeshError
from . import bring_in, repeated_order

log = logging.getLogger(__name__)

AT_ONCE = 3
"""How many jobs run side by side before the next picture has to wait."""

_waiting: deque[jobs.JobSpec] = deque()


def add(specs: Iterable[jobs.JobSpec]) -> None:
    """Let jobs start one after the other, the first at once. Raises ImageToMeshError."""
    _waiting.extend(specs)
    try:
        _advance()
    finally:
        _tell()


def advance() -> None:
    """Start what waits, as far as there is room; what cannot start does not stop the others."""
    try:
        _advance()
    except ImageToMeshError as error:
        log.warning("a waiting picture: %s", error)
    _tell()


def begin(spec: jobs.JobSpec) -> str:
    """Start a job now and return its id."""
    job = jobs.session().start(spec)
    repeated_order.begun(spec, job)
    bring_in.remember(job, spec.library)
    return job


def waiting() -> int:
    """Return how many wait."""
    return len(_waiting)


def clear() -> None:
    """Forget what waits."""
    _waiting.clear()
    _tell()


def _advance() -> None:
    while _waiting and len(jobs.session().running()) < AT_ONCE:
        begin(_waiting.popleft())


def _tell() -> None:
    """Let the panel know how many wait."""
    jobs.session().queued = len(_waiting)
