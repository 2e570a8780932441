# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember which ended jobs the user opened or closed in the panel."""

from __future__ import annotations

KEPT = 100

_chosen: dict[str, bool] = {}
"""Whether each job is open. Not stored in the file, since it concerns this session's jobs."""


def is_open(job: str, *, usually: bool) -> bool:
    """Return whether a job's details are shown; `usually` if the user has not decided."""
    return _chosen.get(job, usually)


def remember(job: str, *, shown: bool) -> None:
    """Remember the user's decision about a job; only the newest decisions are kept."""
    _chosen.pop(job, None)
    _chosen[job] = shown
    while len(_chosen) > KEPT:
        del _chosen[next(iter(_chosen))]


def forget() -> None:
    """Forget all decisions."""
    _chosen.clear()
