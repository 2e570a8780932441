# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a pause before a call is repeated, with its reason and the remaining seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..providers import Message
from .library.live_record import LiveRecord
from .steps.polling import sleep

WORTH_TELLING = 2.0
"""Minimum seconds of a pause that is shown; the message of a shorter one would only flicker."""


class ToldPause:
    """Pauses a job, and shows the user why and how long. `provider` is the service's label."""

    def __init__(self, live: LiveRecord, provider: str) -> None:
        self._live = live
        self._provider = provider

    def sleep(self, seconds: float, check: Callable[[], None], *, busy: bool) -> None:
        """Sleep like `polling.sleep`, and show the reason and the remaining seconds meanwhile.

        Pauses shorter than `WORTH_TELLING` seconds, and those of a job that has ended, are not
        shown. After the pause, the earlier phase is shown again. `busy`: the service answered that
        it is busy; if False, it could not be reached.
        """
        check()  # a job that was canceled shows nothing more
        if seconds < WORTH_TELLING or self._live.ended:
            return sleep(seconds, check)
        phase, end = self._live.view.phase, time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            self._live.show_progress(self._reason(remaining, busy=busy), None)
            sleep(remaining % 1.0 or 1.0, check)
        return self._live.show_progress(phase, None)

    def _reason(self, remaining: float, *, busy: bool) -> Message:
        seconds = f"{remaining + 0.5:.0f}"
        if busy:
            return Message(
                "{provider} is busy, trying again in {seconds} s",
                provider=self._provider,
                seconds=seconds,
            )
        return Message("No connection, trying again in {seconds} s", seconds=seconds)
