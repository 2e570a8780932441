# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and a request to end, heeded where nothing is lost by it."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from .output import put, tell


@contextlib.contextmanager
def graceful_stop() -> Iterator[list[int]]:
    """Note Ctrl-C and a request to end, to be heeded between two events; a second is at once.

    Python raises KeyboardInterrupt wherever it happens to be, also where exceptions are dropped.
    Inside of Blender the handler before may be one of Blender's own: Python has None for those.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(word: int, _: object) -> None:
        asked.append(word)
        if len(asked) > 1:
            raise KeyboardInterrupt

    before = {word: signal.signal(word, note) for word in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for word, handler in before.items():
            signal.signal(word, signal.SIG_DFL if handler is None else handler)


def suspend(close: Callable[[], None], *, ordering: bool) -> None:
    """Close jobs so that they can go on later; another Ctrl-C waits for no answer any more."""
    if ordering:
        put(sys.stderr, "")
        tell("Interrupted: waiting for answers under way…")
    with contextlib.suppress(KeyboardInterrupt):
        close()
