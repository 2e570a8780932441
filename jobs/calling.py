# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that a cancel does not have to wait for: they run on a thread that can be left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .background import TICK

T = TypeVar("T")


class Call(Generic[T]):
    """One call on its own thread."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._box: queue.Queue[tuple[list[T], Exception | None]] = queue.Queue(1)
        self._outcome: tuple[list[T], Exception | None] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, check: Callable[[], None]) -> T:
        """Return the call's value, or raise its error, or what `check` raises meanwhile.

        It can be waited for again after `check` raised.
        """
        while self._outcome is None:
            try:
                self._outcome = self._box.get(timeout=TICK)
            except queue.Empty:
                check()
        values, error = self._outcome
        if error is not None:
            raise error
        return values[0]

    def _run(self) -> None:
        try:
            self._box.put(([self._call()], None))
        except Exception as error:  # noqa: BLE001 - raised again where the call is waited for
            self._box.put(([], error))
