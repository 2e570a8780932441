# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of weights on threads, with the progress and the errors that the panel shows."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...providers import Cancelled, Failed, ImageToMeshError, Message, get_provider
from ..values import Failure
from . import store
from .fetch import fetch
from .table import Weights

Work = Callable[["_Task"], None]


@dataclass(frozen=True, slots=True)
class WeightsState:
    """The state of a file of weights and its download.

    `is_there`: whether the file was there when `refresh` was last called; None before that.
    `fraction` is the share that has arrived, from 0 to 1; None if unknown. `failure` is why the
    last download failed, if it did.
    """

    is_there: bool | None = None
    is_running: bool = False
    fraction: float | None = None
    failure: Failure | None = None


class _Task:
    """One download. Its thread writes, the main thread reads."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.fraction: float | None = 0.0

    def check(self) -> None:
        """Raise Cancelled if the download was canceled."""
        if self.stopped.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds`; raise Cancelled as soon as the download is canceled."""
        self.stopped.wait(seconds)
        self.check()

    def note(self, done: int, total: int | None) -> None:
        """Store the progress: `done` bytes of `total`, which is None if unknown."""
        self.fraction = done / total if total else None


class WeightsDownloads:
    """This process's downloads of weights, one at a time for each file."""

    def __init__(self) -> None:
        # Guards what the main thread and a download's thread both change.
        self._lock = threading.Lock()
        self._tasks: dict[str, _Task] = {}
        self._failures: dict[str, Failure] = {}
        self._there: dict[str, bool] = {}

    def download(self, weights: Weights, *, online: bool) -> None:
        """Start a download on a thread, unless one of the same file is running.

        `online`: False allows calls to this computer only, so the download fails at once.
        """

        def work(task: _Task) -> None:
            from ..resources import open_http

            # `local` has no key, and takes plain http from this computer only.
            http = open_http(get_provider("local"), None, "", online=online, pause=task.wait)
            try:
                fetch(weights, http, progress=task.note, check=task.check, wait=task.wait)
            finally:
                http.close()

        self._start(weights, work)

    def take_file(self, source: Path, weights: Weights) -> None:
        """Start copying a file of weights on a thread, unless a download of it is running."""
        self._start(weights, lambda task: store.take_file(source, weights, task.note, task.check))

    def cancel(self, weights: Weights) -> None:
        """Cancel a download, if one is running; the bytes that have arrived are kept."""
        with self._lock:
            task = self._tasks.get(weights.name)
        if task is not None:
            task.stopped.set()

    def close(self) -> None:
        """Cancel all downloads, without waiting for them."""
        with self._lock:
            for task in self._tasks.values():
                task.stopped.set()

    def refresh(self, weights: Weights) -> bool:
        """Return whether a file exists, and store that for `state`, which reads no files."""
        is_there = self._there[weights.name] = store.is_there(weights)
        return is_there

    def state(self, weights: Weights) -> WeightsState:
        """Return the state of a file, with its running download or the last one's failure."""
        is_there = self._there.get(weights.name)
        task = self._tasks.get(weights.name)
        if task is None:
            return WeightsState(is_there, failure=self._failures.get(weights.name))
        return WeightsState(is_there, is_running=True, fraction=task.fraction)

    def forget_failure(self, weights: Weights) -> None:
        """Forget why the last download failed."""
        with self._lock:
            self._failures.pop(weights.name, None)

    def _start(self, weights: Weights, work: Work) -> None:
        with self._lock:
            if weights.name in self._tasks:
                return
            task = self._tasks[weights.name] = _Task()
            self._failures.pop(weights.name, None)
        threading.Thread(target=self._run, args=(weights, task, work), daemon=True).start()

    def _run(self, weights: Weights, task: _Task, work: Work) -> None:
        failure = None
        try:
            work(task)
        except Cancelled:
            pass
        except ImageToMeshError as error:
            failure = Failure(error.kind, error.message, error.hint, error.link)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            reason = f"{type(error).__name__}: {error}"
            failure = Failure(Failed.kind, Message("Unexpected error: {error}", error=reason))
        self.refresh(weights)
        with self._lock:
            self._tasks.pop(weights.name, None)
            if failure is not None:
                self._failures[weights.name] = failure


@functools.cache
def weights_downloads() -> WeightsDownloads:
    """Return this process's downloads."""
    return WeightsDownloads()
