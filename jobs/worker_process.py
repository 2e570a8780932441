# SPDX-License-Identifier: GPL-3.0-or-later
"""One background Blender: started, asked, watched, ended.

It speaks one JSON object a line (see `scene/background/worker.py`). Mesh files come from the
internet and are parsed there, so whatever becomes of it is an error message here.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import IO, Any

from ..providers import Failed, ImageToMeshError, NoBlender, all_providers, error_of_kind
from . import process_memory

PREFIX = "@image_to_mesh "
TICK = 0.05
LONGEST_LINE = 16 * 1024 * 1024
OLDEST = (4, 2)

READY_LIMIT = 60.0
"""How many seconds a Blender may take to start: a first one from a slow disk takes ten or more."""

WORK_LIMIT = 900.0
"""How many seconds one request may take; it ends by itself a little later, should we be gone."""

SILENCE_LIMIT = 240.0
"""How many seconds it may say nothing while it works. It beats every second, but for as long as
an importer in C++ does not let go of Python."""

MEMORY_SHARE = 0.75
"""How much of the machine's memory it may hold before it is ended: paging would stop the artist."""

MEMORY_PAUSE = 2.0 if sys.platform == "darwin" else 0.25
"""Seconds between two looks at its memory; on macOS each look is a program of its own."""

Progress = Callable[[str, float | None], None]
Check = Callable[[], None]
Answers = queue.Queue[dict[str, Any] | None]

ADVICE = "Try again, or with a smaller mesh."
_NOISE = ("writing:", "# ", "blender ", "backtrace", "extension modules", "unable to find")


class WorkerProcess:
    """One background process. Not to be shared between threads."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self.command = command
        self.environment: Mapping[str, str] = {}
        self._process: subprocess.Popen[str] | None = None
        self._answers: Answers = queue.Queue()
        self._log: deque[str] = deque(maxlen=60)
        self._last = 0
        self._started = self._looked = self._asked = 0.0
        self._heard = [0.0]
        self._is_ready = False
        self._version: tuple[int, ...] = ()

    def start(self) -> None:
        """Start the process and return at once; a second call does nothing.

        Raises NoBlender where the command cannot be run.
        """
        if self._process is not None:
            return
        self.environment = clean_environment(os.environ)
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=self.environment,
                **_apart(),
            )
        except OSError as error:
            raise NoBlender(
                f"Blender cannot be started in the background: {error}.",
                "Set BLENDER to the path of a Blender.",
            ) from error
        self._started, self._is_ready = time.monotonic(), False
        # Of this process alone: the end of one that was killed is no news of the next.
        self._answers, self._log, self._heard = queue.Queue(), deque(maxlen=60), [0.0]
        what = (self._process.stdout, self._answers, self._log, self._heard)
        threading.Thread(target=_read, args=what, daemon=True).start()

    def ask(self, request: Mapping[str, Any], progress: Progress, check: Check) -> dict[str, Any]:
        """Send a request and return what its `done` answer says.

        `check` is called every 50 ms; whatever it raises kills the process and goes on up. A
        refusal becomes the error that it names, a crash becomes Failed. What never becomes ready
        to be asked is NoBlender.
        """
        self._last += 1
        try:
            self._await_ready(check)
            self._asked = self._heard[0] = time.monotonic()
            self._log.clear()
            self._write({"id": self._last, "seconds": WORK_LIMIT, **request})
            while True:
                answer = self._next(check)
                if "progress" in answer:
                    progress(answer.get("phase", ""), answer["progress"])
                elif answer.get("id") == self._last:
                    break
        except BaseException:
            self.kill()
            raise
        return _outcome(answer)

    def version(self, check: Check) -> tuple[int, ...]:
        """Return the version of the Blender that answers, e.g. (4, 5, 15).

        Raises NoBlender if none does.
        """
        try:
            self._await_ready(check)
        except BaseException:
            self.kill()
            raise
        return self._version

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def memory(self) -> int:
        """Return how many bytes of memory the process holds, 0 if nobody can say."""
        return (process_memory.of_process(self._process.pid) or 0) if self._process else 0

    def kill(self) -> None:
        """End the process now, and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if sys.platform != "win32" and process.poll() is None:
                # The command may be a wrapper, as Flatpak's is: it has a session of its own.
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        process.wait()

    def _await_ready(self, check: Check) -> None:
        self.start()
        while not self._is_ready:
            ready = self._next(check).get("ready")
            if ready is not None:
                self._version, self._is_ready = tuple(ready["blender"]), True
        if (0, 0) < self._version[:2] < OLDEST:
            raise NoBlender(
                f"{self.command[0]} is Blender {'.'.join(map(str, self._version))}, which is too "
                f"old: {'.'.join(map(str, OLDEST))} or newer is needed.",
                "Set BLENDER to the path of a newer Blender.",
            )

    def _write(self, message: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise self._died()
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._died() from error

    def _next(self, check: Check) -> dict[str, Any]:
        while True:
            check()
            try:
                answer = self._answers.get(timeout=TICK)
            except queue.Empty:
                self._watch_time() if self._is_ready else self._watch_start()
                self._watch_memory()
                continue
            if answer is None:
                raise self._died() if self._is_ready else self._no_blender("It ended at once.")
            return answer

    def _watch_start(self) -> None:
        waited = time.monotonic() - self._started
        if waited > READY_LIMIT:
            raise self._no_blender(f"It did not answer in {waited:.0f} s.")

    def _watch_time(self) -> None:
        now = time.monotonic()
        if now - self._asked > WORK_LIMIT:
            what = f"worked for more than {WORK_LIMIT / 60:.3g} minutes"
        elif now - self._heard[0] > SILENCE_LIMIT:
            what = f"gave no sign of life for {SILENCE_LIMIT / 60:.3g} minutes"
        else:
            return
        raise Failed(f"The background Blender {what} and was stopped.", ADVICE)

    def _watch_memory(self) -> None:
        now = time.monotonic()
        if now - self._looked < MEMORY_PAUSE:
            return
        self._looked, held = now, self.memory
        if held > MEMORY_SHARE * process_memory.of_machine():
            raise Failed(
                f"The background Blender took {held / 1e9:.1f} GB of memory, too much for this "
                "machine, and was stopped.",
                ADVICE,
            )

    def _no_blender(self, what: str) -> NoBlender:
        last = self._last_words()
        return NoBlender(
            f"{self.command[0]} is not a Blender that works here. {last or what}",
            "Set BLENDER to the path of a Blender, or install the bpy module (“pip install bpy”).",
        )

    def _died(self) -> Failed:
        how = f" ({name})" if (name := self._signal()) else ""
        said = f"The background Blender ended unexpectedly{how}. {self._last_words()}"
        return Failed(said.strip(), "Try again.")

    def _signal(self) -> str:
        """Name the signal that ended the process, such as SIGSEGV."""
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            code = self._process.wait(timeout=1.0) if self._process else 0
            return signal.Signals(-code).name if code < 0 else ""
        return ""

    def _last_words(self) -> str:
        """Return what it said at last: an error, where it named one, else anything."""
        said = [line for one in self._log if (line := one.strip())]
        said = [line for line in said if not line.lower().startswith(_NOISE)] or said
        errors = [line for line in said if "error" in line.lower()]
        return f"Its last words: {(errors or said)[-1][:300]}" if said else ""


def _read(lines: IO[str], answers: Answers, log: deque[str], heard: list[float]) -> None:
    """Sort what a process says into answers and all else; None is its end."""
    with lines:
        while line := lines.readline(LONGEST_LINE):
            heard[0] = time.monotonic()
            answer = _understood(line)
            if answer is None:
                log.append(line[:1000].rstrip())
            elif "beat" not in answer:
                answers.put(answer)
    answers.put(None)


def _understood(line: str) -> dict[str, Any] | None:
    if not line.startswith(PREFIX):
        return None
    try:
        answer = json.loads(line[len(PREFIX) :])
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _outcome(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "done" in answer:
        return dict(answer["done"])
    raise _error_in(answer)


def _error_in(answer: Mapping[str, Any]) -> ImageToMeshError:
    if "refused" in answer:
        refused = answer["refused"]
        return error_of_kind(refused["kind"], refused["message"], refused.get("hint", ""))
    message = answer.get("crashed", {}).get("message", "no reason given")
    return Failed(f"The background Blender could not do it: {message}")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out every variable that may hold a key: the process parses files of strangers."""
    declared = {key.environment for one in all_providers().values() for key in one.keys}
    secret = ("API_KEY", "SECRET", "TOKEN", "PASSWORD")
    return {
        name: value
        for name, value in environment.items()
        if name not in declared and not any(part in name.upper() for part in secret)
    }


def _apart() -> dict[str, Any]:
    """Keep Ctrl-C of a terminal, and a console window on Windows, away from the process."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"start_new_session": True}
