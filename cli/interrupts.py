# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles Ctrl-C and SIGTERM gracefully: jobs are closed so that they can be resumed."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from .output import print_notice, write_line


@contextlib.contextmanager
def graceful_stop() -> Iterator[list[int]]:
    """Yield a list to which each SIGINT and SIGTERM is added; the second raises KeyboardInterrupt.

    With Python's own handler, the first Ctrl-C would raise KeyboardInterrupt at any line, for
    instance between sending an order and saving its ticket. On threads other than the main thread,
    signals are not handled here, and the list stays empty.
    """
    received: list[int] = []
    # Python allows only the main thread to set signal handlers.
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def record(signum: int, _: object) -> None:
        received.append(signum)
        if len(received) > 1:
            raise KeyboardInterrupt

    previous = {signum: signal.signal(signum, record) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for signum, handler in previous.items():
            # None stands for a handler that was not set by Python, such as Blender's.
            signal.signal(signum, signal.SIG_DFL if handler is None else handler)


def suspend(close: Callable[[], None], *, ordering: bool) -> None:
    """Close jobs so that they can be resumed. Another Ctrl-C ends the wait for pending answers.

    `ordering`: an order is waiting for its answer, so the user is asked to wait.
    """
    if ordering:
        write_line(sys.stderr, "")
        print_notice("Interrupted. Waiting for pending replies...")
    with contextlib.suppress(KeyboardInterrupt):
        close()
