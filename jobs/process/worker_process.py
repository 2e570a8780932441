# SPDX-License-Identifier: GPL-3.0-or-later
"""One worker process: starts it, sends it requests, watches it, and ends it.

Requests and answers are JSON objects, one per line (see `channel.py`). The worker parses mesh files
from the internet, so a crash or hang there only becomes an error message here, and the process
leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...providers import (
    Failed,
    Message,
    NoBlender,
    join_messages,
    os_reason,
)
from ..disk.cache_folder import cache_folder
from . import memory as process_memory
from .answers import outcome_of, text_of
from .channel import Channel
from .environment import clean_environment, environment_in
from .temporary_folder import WorkerFolder

TICK = 0.05
"""Seconds between two calls of `check`: a cancel is noticed within that time."""
OLDEST = (4, 2)
"""The oldest Blender version that can be a worker."""

READY_LIMIT = 60.0
"""Maximum seconds for a Blender to start; the first start from a slow disk takes ten or more."""

WORK_LIMIT = 900.0
"""Maximum seconds for a request; if this process is gone, the worker ends itself soon after."""

SILENCE_LIMIT = 240.0
"""Seconds without any output after which a busy worker is ended. It sends a heartbeat every second,
except while an importer in C++ holds the GIL."""

MEMORY_SHARE = 0.75
"""Share of the computer's memory that a worker may use; more could make the computer swap."""

MEMORY_PAUSE = 2.0 if sys.platform == "darwin" else 0.25
"""Seconds between two checks of a worker's memory; on macOS each check starts a program, `ps`."""

Progress = Callable[[str, float | None], None]
Check = Callable[[], None]

ANSWERS = "answers"
"""Name of the folder in the cache that stores the outputs of the workers' neural networks."""

ADVICE = "Try again, or use a smaller mesh."


class WorkerProcess:
    """One worker process. Used by one thread at a time."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self.command = command
        self.environment: Mapping[str, str] = {}
        self._process: subprocess.Popen[str] | None = None
        self._channel: Channel | None = None
        self._folder: WorkerFolder | None = None
        self._last = 0
        self._started = self._memory_checked = self._asked = 0.0
        self._is_ready = False
        self._version: tuple[int, ...] = ()

    def start(self) -> None:
        """Start the process, unless it was started already; do not wait until it is ready.

        Raises NoBlender if the command cannot be run.
        """
        if self._process is not None:
            return
        self.environment = clean_environment(os.environ)
        try:
            self._folder = WorkerFolder()
            self._process = self._open(self._folder)
        except OSError as error:
            self.kill()
            raise NoBlender(
                Message(
                    "Blender cannot be started in the background: {reason}.",
                    reason=os_reason(error),
                ),
                "Set the environment variable BLENDER to the path of Blender.",
            ) from error
        self._started, self._is_ready = time.monotonic(), False
        # A new channel for each process: the end of a killed one must not be read as this one's.
        self._channel = Channel(self._process)
        with contextlib.suppress(OSError):  # if it has ended already, its closed pipes show that
            self._channel.greet(str(self._folder.path))

    def _open(self, folder: WorkerFolder) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # importers print names from files, in any encoding
            env=environment_in(folder.path, os.environ),
            **_apart(),
        )

    def ask(self, request: Mapping[str, Any], progress: Progress, check: Check) -> dict[str, Any]:
        """Send a request and return its `done` answer.

        `progress` is called with the phase, and with the fraction done, or None if that is unknown.
        `check` is called every 50 ms; if it raises, the process is killed and the error propagates.
        Raises:
        - the error that the worker reports, if it refuses the request;
        - Failed, if the worker crashes, or uses too much time or memory, or is silent for too long;
        - NoBlender, if the worker does not become ready, or its Blender is too old.
        """
        # Answers carry the number of their request: an answer to an earlier one is ignored.
        self._last += 1
        try:
            self._await_ready(check)
            self._asked = time.monotonic()
            # With the limit, so that the worker ends itself if this process is killed.
            common = {"seconds": WORK_LIMIT, "cache": str(cache_folder() / ANSWERS)}
            self._write({"id": self._last, **common, **request})
            while True:
                answer = self._next(check)
                if "progress" in answer:
                    progress(text_of(answer.get("phase")), answer["progress"])
                elif answer.get("id") == self._last:
                    break
        except BaseException:
            # Killed rather than asked to stop: an importer in C++ does not listen, and a process in
            # an unknown state must not get the next request.
            self.kill()
            _remove_sides(request)
            raise
        return outcome_of(answer)

    def version(self, check: Check) -> tuple[int, ...]:
        """Return the worker's Blender version, e.g. (4, 5, 15).

        Raises NoBlender if the worker does not start, or its Blender is too old.
        """
        try:
            self._await_ready(check)
        except BaseException:
            self.kill()
            raise
        return self._version

    @property
    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def folder(self) -> Path:
        """The temporary folder of a started process, which `kill` deletes."""
        assert self._folder is not None
        return self._folder.path

    @property
    def memory(self) -> int:
        """Memory that the process uses, in bytes; 0 if that is unknown or no process is running."""
        return (process_memory.of_process(self._process.pid) or 0) if self._process else 0

    def kill(self) -> None:
        """End the process and its children now, and delete its temporary folder."""
        process, self._process = self._process, None
        if process is not None:
            self._end(process)
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.remove()

    def _end(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(OSError):
            # Not if it has ended: another process may have its id by now.
            if sys.platform != "win32" and process.poll() is None:
                # The whole process group, because the command may be a wrapper such as Flatpak's.
                os.killpg(process.pid, signal.SIGKILL)
        # SIGKILL, or TerminateProcess on Windows: a hung importer cannot ignore either.
        process.kill()
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.close()
        process.wait()  # otherwise a zombie remains on POSIX until this process ends

    def _await_ready(self, check: Check) -> None:
        self.start()
        while not self._is_ready:
            ready = self._next(check).get("ready")
            if ready is not None:
                self._version, self._is_ready = tuple(ready["blender"]), True
        if (0, 0) < self._version[:2] < OLDEST:
            raise NoBlender(
                Message(
                    "{command} is Blender {found}, but {oldest} or newer is required.",
                    command=self.command[0],
                    found=".".join(map(str, self._version)),
                    oldest=".".join(map(str, OLDEST)),
                ),
                "Set the environment variable BLENDER to the path of a newer Blender.",
            )

    def _write(self, message: Mapping[str, Any]) -> None:
        channel = self._channel
        if self._process is None or channel is None:
            raise self._ended_error()
        channel.heard = self._asked  # the idle time before a request is not silence
        channel.forget()  # what an earlier request printed does not explain an error of this one
        try:
            channel.send(message)
        except (OSError, ValueError) as error:
            raise self._ended_error() from error

    def _next(self, check: Check) -> dict[str, Any]:
        assert self._channel is not None
        while True:
            check()
            try:
                answer = self._channel.answers.get(timeout=TICK)
            except queue.Empty:
                self._watch_time() if self._is_ready else self._watch_start()
                self._watch_memory()
                continue
            if answer is None:
                raise (
                    self._ended_error()
                    if self._is_ready
                    else self._no_blender("It closed immediately.")
                )
            return answer

    def _watch_start(self) -> None:
        waited = time.monotonic() - self._started
        if waited > READY_LIMIT:
            raise self._no_blender(
                Message("It did not respond within {seconds} s.", seconds=f"{waited:.0f}")
            )

    def _watch_time(self) -> None:
        now = time.monotonic()
        if now - self._asked > WORK_LIMIT:
            message = Message(
                "The background Blender was stopped because it ran for more than {minutes} "
                "minutes.",
                minutes=f"{WORK_LIMIT / 60:.3g}",
            )
        elif self._channel and now - self._channel.heard > SILENCE_LIMIT:
            message = Message(
                "The background Blender was stopped because it did not respond for {minutes} "
                "minutes.",
                minutes=f"{SILENCE_LIMIT / 60:.3g}",
            )
        else:
            return
        raise Failed(message, ADVICE)

    def _watch_memory(self) -> None:
        now = time.monotonic()
        if now - self._memory_checked < MEMORY_PAUSE:
            return
        self._memory_checked, held = now, self.memory
        if held > MEMORY_SHARE * process_memory.of_machine():
            raise Failed(
                Message(
                    "The background Blender was stopped because it used {size} GB of memory, too "
                    "much for this computer.",
                    size=f"{held / 1e9:.1f}",
                ),
                ADVICE,
            )

    def _no_blender(self, reason: str) -> NoBlender:
        last = self._last_words(ended=not self.is_alive)
        return NoBlender(
            join_messages(
                Message("{command} is not a working Blender.", command=self.command[0]),
                last or reason,
            ),
            "Set the environment variable BLENDER to the path of Blender, or install the bpy "
            "module (“pip install bpy”).",
        )

    def _ended_error(self) -> Failed:
        message: str = "The background Blender ended unexpectedly."
        if name := self._signal():
            message = Message("The background Blender ended unexpectedly ({signal}).", signal=name)
        return Failed(join_messages(message, self._last_words(ended=True)), "Try again.")

    def _signal(self) -> str:
        """Return the name of the signal that ended the process, such as SIGSEGV; "" without one."""
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            # Its pipes close a moment before the process has ended.
            code = self._process.wait(timeout=1.0) if self._process else 0
            return signal.Signals(-code).name if code < 0 else ""
        return ""

    def _last_words(self, *, ended: bool = False) -> str:
        words = self._channel.last_words(ended=ended) if self._channel else ""
        return Message("Last output: {words}", words=words) if words else ""


def _remove_sides(request: Mapping[str, Any]) -> None:
    """Delete half-written files that a killed process has left beside its inputs and outputs.

    `worker/atomic_files.py` names them; Blender first writes to such a name with "@" appended.
    """
    for output in (request.get("output"), request.get("preview")):
        if not isinstance(output, str):
            continue
        final = Path(output)
        name = rf"\.{re.escape(final.stem)}\.[0-9a-f]{{12}}{re.escape(final.suffix)}@?"
        with contextlib.suppress(OSError):
            for file in final.parent.iterdir():
                if re.fullmatch(name, file.name):
                    file.unlink(missing_ok=True)  # guard: killed-worker-leaves-no-half-file
    if isinstance(mesh := request.get("mesh"), str):
        with contextlib.suppress(OSError):
            for copy in Path(mesh).parent.glob(".whole-*"):
                copy.unlink(missing_ok=True)


def _apart() -> dict[str, Any]:
    """Return `Popen` options for a process that Ctrl-C does not reach.

    On Windows, it has no console and a lower priority.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        # Below normal, so that the artist's own Blender stays responsive.
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"start_new_session": True}
