# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits on work: on the calls that it makes and, in benchmarks, on its time.

The number of Python calls is the same on every machine. Time is not: only `make bench`, which sets
BENCH, checks it, as the best CPU time of many runs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

RUNS = 30
JUDGED = "1"
"""The value of BENCH that enforces time limits; any other value only prints the times."""


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many Python functions a piece of work calls on this thread."""
    count = 0

    def count_call(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count - 1  # the work itself


def seconds_of(work: Callable[[], Any], runs: int = RUNS) -> float:
    """Return the shortest CPU time of this thread that the work took, in seconds."""
    times = []
    for _ in range(runs):
        started = time.thread_time()
        work()
        times.append(time.thread_time() - started)
    return min(times)


@dataclass(frozen=True)
class Promised:
    """Enforces limits on work; `tell` prints a line past pytest's capture."""

    tell: Callable[[str], None]

    def __call__(
        self, name: str, work: Callable[[], Any], *, calls: int, milliseconds: float
    ) -> None:
        """Run the work; fail if it exceeds its limits."""
        work()
        counted = calls_of(work)
        assert counted <= calls, f"{name} makes {counted} calls, {calls} are allowed"
        if not os.environ.get("BENCH"):
            return
        took = seconds_of(work) * 1e3
        self.tell(f"{name}: {took:.2f} ms of {milliseconds:g}, {counted} calls of {calls}")
        if os.environ["BENCH"] == JUDGED:
            assert took <= milliseconds, f"{name} takes {took:.2f} ms of {milliseconds:g}"
