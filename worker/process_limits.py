# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits on this process: low priority, bounded memory and files, and a deadline for each request.

They hold even if the process that started this one is gone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NICENESS = 10
"""Priority on Unix. On Windows the parent process sets it when it starts this one."""
MAX_FILE_SIZE = 16 * 1024**3
"""Maximum size in bytes of a written file. No model needs more; a decompression bomb would fill the
disk."""
GRACE_SECONDS = 15.0
"""Seconds past the deadline before this process exits: the parent gets the chance to end it first.
"""


def limit_resources() -> None:
    """Lower this process's priority and bound what a hostile file can make it consume.

    On Windows, do nothing: the parent sets the priority, and the checks bound file sizes.
    """
    if sys.platform == "win32":
        return  # No rlimits; the parent sets the priority, and the checks bound file sizes.
    import resource

    # Some containers forbid it; the work is then done at normal priority.
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    bounds = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: MAX_FILE_SIZE}
    if sys.platform == "linux":
        # RLIMIT_DATA counts memory that is written to. RLIMIT_AS would also count address space
        # that graphics drivers merely reserve.
        bounds[resource.RLIMIT_DATA] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for resource_id, limit in bounds.items():
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(resource_id)[1]
            allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(resource_id, (allowed, allowed))


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Exit the process if the block runs longer than `seconds` plus GRACE_SECONDS.

    None or 0 means no limit. The time is kept by faulthandler in a C thread: an importer that hangs
    may hold the GIL, so that no Python thread could run.
    """
    if not seconds:
        yield
        return
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
