# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the threads and processes that a test leaves running."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

PATIENCE = 5.0
"""Seconds that threads and processes have to end."""


def children() -> set[int]:
    """Return the running children of this process; empty on systems without /proc."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(number) for number in task.read_text("utf-8").split()}
        except OSError:
            continue
    return {number for number in found if not _is_over(number)}


def _is_over(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def threads() -> set[threading.Thread]:
    """Return the threads of jobs, and all that would keep Python from exiting."""
    return {
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and (not thread.daemon or thread.name.startswith("image_to_mesh"))
    }


class Leftovers:
    """A snapshot of threads and processes, compared with those that run later."""

    def __init__(self) -> None:
        self._threads, self._children = threads(), children()

    def since(self) -> list[str]:
        """Name the threads and processes started since, after they had a moment to end."""
        until = time.monotonic() + PATIENCE
        while (remaining := self._remaining()) and time.monotonic() < until:
            time.sleep(0.02)
        return remaining

    def _remaining(self) -> list[str]:
        named = [f"thread {thread.name}" for thread in threads() - self._threads]
        return named + [
            f"process {number}: {_command(number)}" for number in children() - self._children
        ]


def _command(process: int) -> str:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return os.strerror(3)
    return b" ".join(words).decode(errors="replace")[:200]
