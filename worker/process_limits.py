# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps this process from being a burden: low priority, bounds, and an end of its own.

All of it holds even if whoever started the process is gone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NICENESS = 10
LARGEST_FILE = 16 * 1024**3
SPARE = 15.0
"""Seconds that the near end has to end a request before this process does so itself."""


def be_modest() -> None:
    """Let the artist's Blender go first, and bound what a hostile file could make of this one."""
    if sys.platform == "win32":
        return  # The priority is given at the start; files are bounded by what importers check.
    import resource

    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    bounds = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: LARGEST_FILE}
    if sys.platform == "linux":
        # What is written to, unlike RLIMIT_AS, which counts what graphics drivers only reserve.
        bounds[resource.RLIMIT_DATA] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for kind, most in bounds.items():
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(kind)[1]
            allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (allowed, allowed))


@contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """End the process if the block takes longer, whatever it is doing, Python's lock held or not.

    The time is told by a thread in C: an importer that hangs lets no thread of Python run.
    """
    if not seconds:
        yield
        return
    faulthandler.dump_traceback_later(seconds + SPARE, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
