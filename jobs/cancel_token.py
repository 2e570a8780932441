# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that ends a job early: a cancel, the end of the process, and the deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum, auto

from ..providers import Cancelled, Message, Provider, TimedOut
from .abandonable_call import Closed

POLL_SECONDS = 0.5
"""Seconds between checks for another process's cancel request: it is a file, so each check costs a
system call, and a round trip on a network drive."""


class Step(Enum):
    """The step of a job that calls `check`. It determines what may end the job, besides `close`."""

    WORK = auto()
    """Anything that may be abandoned: a cancel, closing, and the deadline end it."""
    DOWNLOAD = auto()
    """Like WORK, but only a deadline set by the user applies.

    A slow download still makes progress, and the mesh is paid for.
    """
    ORDER = auto()
    """Waiting for a slot or for the answer to an order: a cancel ends it, but no deadline does."""
    REFUSED_ORDER = auto()
    """Between a refused order and the next attempt: any cancel in this process ends it."""
    PAUSE = auto()
    """A pause before a call is repeated.

    Like LAST_WORDS while a canceled job ends. Otherwise, like WORK, even while the mesh of a
    canceled job is collected.
    """
    LAST_WORDS = auto()
    """The calls to the service that follow a cancel: only the end of the process ends them."""


class CancelToken:
    """The requests to stop one job. `cancel` and `close` may be called from any thread.

    `poll` returns whether another process has asked for a cancel. `limit` is the provider's
    deadline in seconds; `user_limit`, also in seconds, replaces it if the user has set one.
    `late_hint` is what the user can do after that.
    """

    def __init__(
        self,
        limit: float,
        user_limit: float | None,
        poll: Callable[[], bool],
        late_hint: str = Provider.late_hint,
    ) -> None:
        # Events, because the interface's thread sets them and the job's thread reads them.
        self._cancelled = threading.Event()
        self._closed = threading.Event()
        self._collect = True
        self._is_ended = False
        self._is_collecting = False
        self._limit = user_limit or limit
        self._has_user_limit = user_limit is not None
        self._poll = poll
        self._late_hint = late_hint
        self._started = time.monotonic()
        self._polled = 0.0

    def cancel(self, *, collect: bool = True) -> None:
        """Ask the job to end. `collect`: a mesh that is charged for anyway is still fetched."""
        # Set before the event, because the job's thread may react to that at once.
        self._collect = collect
        self._cancelled.set()

    def close(self) -> None:
        """Ask the thread to end without changing the record, because the process is ending."""
        self._closed.set()

    @property
    def is_closed(self) -> bool:
        """Whether the process is ending."""
        return self._closed.is_set()

    @property
    def wants_result(self) -> bool:
        """Whether the job was canceled, but its mesh is wanted if it is charged for anyway."""
        return self._cancelled.is_set() and self._collect

    @property
    def is_collecting(self) -> bool:
        """Whether a canceled job has resumed to collect its mesh."""
        return self._is_collecting

    def end_for_user(self) -> None:
        """Record that the job is shown as canceled, so that the same cancel cannot end it twice."""
        self._is_ended = True

    def start_collecting(self) -> bool:
        """Let a canceled job that is charged for anyway continue, if its mesh is still wanted.

        Returns whether the mesh is wanted. If not, nothing changes.
        """
        if self._collect:
            self._is_collecting = True
        return self._collect

    def check(self, step: Step = Step.WORK) -> None:
        """Raise Closed, Cancelled, or TimedOut if this step must end now. Called about every 50 ms.

        LAST_WORDS ends only for Closed. The deadline applies only to WORK, and to a DOWNLOAD with a
        limit that the user has set. A cancel with `collect` raises Cancelled only until
        `end_for_user` is called, because the job may then continue to fetch a mesh that is charged
        for anyway. In REFUSED_ORDER, a cancel always raises Cancelled.
        """
        if self._closed.is_set():
            raise Closed
        if step is Step.PAUSE:
            is_cancelling = self._is_ended and not self._is_collecting
            step = Step.LAST_WORDS if is_cancelling else Step.WORK
        if step is Step.LAST_WORDS:
            return
        self._check_cancelled(step)
        if step is Step.WORK or (step is Step.DOWNLOAD and self._has_user_limit):
            self._check_deadline()

    def check_of(self, step: Step) -> Callable[[], None]:
        """Return `check` bound to one step, for code that takes a plain callback."""
        return lambda: self.check(step)

    def _check_cancelled(self, step: Step) -> None:
        if step is Step.REFUSED_ORDER:
            if self._cancelled.is_set():
                raise Cancelled  # so that the order is not sent again
            return
        if time.monotonic() - self._polled > POLL_SECONDS:
            self._polled = time.monotonic()
            if self._poll():
                self._cancelled.set()
        # Once the job is shown as ended, only a cancel without `collect` stops it.
        if self._cancelled.is_set() and not (self._is_ended and self._collect):
            raise Cancelled

    def _check_deadline(self) -> None:
        if time.monotonic() - self._started > self._limit:
            limit = f"{self._limit:g}"
            raise TimedOut(
                Message("The mesh was not ready after {seconds} s.", seconds=limit),
                self._late_hint,
            )
