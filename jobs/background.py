# SPDX-License-Identifier: GPL-3.0-or-later
"""The near end of the background Blender: finds it, starts it, asks it, stops it.

It is another process that speaks one JSON object a line (see `scene/background/worker.py`): mesh
files come from the internet and are parsed there, and a crash there is an error message here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from ..providers import Cancelled, Failed, NoBlender, TimedOut, all_providers, error_of_kind

WORKER = Path(__file__).resolve().parent.parent / "scene" / "background" / "worker.py"
PREFIX = "@image_to_mesh "
TICK = 0.05

READY_LIMIT = 60.0
"""How many seconds a Blender may take to start: a first one from a slow disk takes ten or more."""

Progress = Callable[[str, float | None], None]
Answers = queue.Queue[dict[str, Any] | None]


def find_blender(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the command that starts a background Blender outside of Blender, or None.

    The `bpy` module where it can be imported, else the `BLENDER` variable, else `blender` on PATH.
    """
    if importlib.util.find_spec("bpy") is not None:
        return (sys.executable, str(WORKER))
    binary = environment.get("BLENDER") or shutil.which("blender", path=environment.get("PATH"))
    return blender_command(binary) if binary else None


def blender_command(binary: str) -> tuple[str, ...]:
    """Return the command that starts the worker in the Blender at `binary`."""
    quiet = ("--background", "--factory-startup", "--disable-autoexec")
    return (binary, *quiet, "--python-exit-code", "1", "--python", str(WORKER), "--")


class BackgroundBlender:
    """One background process. Not to be shared between threads."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._answers: Answers = queue.Queue()
        self._log: deque[str] = deque(maxlen=60)
        self._last = 0
        self._started = 0.0
        self._is_ready = False
        self._version: tuple[int, ...] = ()

    def start(self) -> None:
        """Start the process and return at once; a second call does nothing.

        Raises NoBlender where the command cannot be run.
        """
        if self._process is not None:
            return
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=_clean_environment(os.environ),
                **_own_group(),
            )
        except OSError as error:
            raise NoBlender(
                f"Blender cannot be started in the background: {error}.",
                "Set BLENDER to the path of a Blender.",
            ) from error
        self._started, self._is_ready = time.monotonic(), False
        # Of this process alone: the end of one that was killed is no news of the next.
        self._answers, self._log = queue.Queue(), deque(maxlen=60)
        what = (self._process.stdout, self._answers, self._log)
        threading.Thread(target=_read, args=what, daemon=True).start()

    def ask(
        self, request: Mapping[str, Any], progress: Progress, check: Callable[[], None]
    ) -> dict[str, Any]:
        """Send a request and return what its `done` answer says.

        `check` is called every 50 ms; whatever it raises kills the process and goes on up. A
        refusal becomes the error that it names, a crash becomes Failed. What never becomes ready
        to be asked is NoBlender.
        """
        self._last += 1
        try:
            self._await_ready(check)
            self._write({"id": self._last, **request})
            while True:
                answer = self._next(check)
                if "progress" in answer:
                    progress(answer.get("phase", ""), answer["progress"])
                elif answer.get("id") == self._last:
                    return _outcome(answer)
        except (Cancelled, TimedOut):
            self.kill()
            raise

    def version(self, check: Callable[[], None]) -> tuple[int, ...]:
        """Return the version of the Blender that answers, e.g. (4, 5, 15).

        Raises NoBlender if none does.
        """
        self._await_ready(check)
        return self._version

    def close(self) -> None:
        """Let the process end by itself: it does when its input ends."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            _close_quietly(process.stdin)
            threading.Thread(target=_reap, args=(process,), daemon=True).start()

    def kill(self) -> None:
        """End the process now."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            if process.stdin is not None:
                _close_quietly(process.stdin)
            process.wait()

    def _await_ready(self, check: Callable[[], None]) -> None:
        self.start()
        while not self._is_ready:
            ready = self._next(check).get("ready")
            if ready is not None:
                self._version, self._is_ready = tuple(ready["blender"]), True

    def _write(self, message: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise self._died()
        try:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._died() from error

    def _next(self, check: Callable[[], None]) -> dict[str, Any]:
        while True:
            check()
            try:
                answer = self._answers.get(timeout=TICK)
            except queue.Empty:
                waited = time.monotonic() - self._started
                if not self._is_ready and waited > READY_LIMIT:
                    raise self._no_blender(f"It did not answer in {waited:.0f} s.") from None
                continue
            if answer is None:
                raise self._died() if self._is_ready else self._no_blender("It ended at once.")
            return answer

    def _no_blender(self, what: str) -> NoBlender:
        last = self._last_words()
        self.kill()
        return NoBlender(
            f"{self._command[0]} is not a Blender that works here. {last or what}",
            "Set BLENDER to the path of a Blender, or install the bpy module (“pip install bpy”).",
        )

    def _died(self) -> Failed:
        last = self._last_words()
        self.kill()
        return Failed(f"The background Blender ended unexpectedly. {last}".strip(), "Try again.")

    def _last_words(self) -> str:
        said = [line for line in self._log if line.strip()]
        return f"Its last words: {said[-1]}" if said else ""


def _read(lines: IO[str], answers: Answers, log: deque[str]) -> None:
    """Sort what a process says into answers and all else; None is its end."""
    with lines:
        for line in lines:
            answer = _understood(line)
            if answer is None:
                log.append(line.rstrip())
            else:
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
    if "refused" in answer:
        refused = answer["refused"]
        raise error_of_kind(refused["kind"], refused["message"], refused.get("hint", ""))
    message = answer.get("crashed", {}).get("message", "no reason given")
    raise Failed(f"The background Blender could not do it: {message}")


def _clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out every variable that may hold a key: the process parses files of strangers."""
    declared = {key.environment for one in all_providers().values() for key in one.keys}
    secret = ("API_KEY", "SECRET", "TOKEN", "PASSWORD")
    return {
        name: value
        for name, value in environment.items()
        if name not in declared and not any(part in name.upper() for part in secret)
    }


def _own_group() -> dict[str, Any]:
    """Keep Ctrl-C of a terminal, and a console window on Windows, away from the process."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}


def _close_quietly(stream: IO[str]) -> None:
    try:
        stream.close()
    except OSError:
        return


def _reap(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
