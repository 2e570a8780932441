# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell beside Blender: what it starts shares one display, and ends with it."""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

import places

if TYPE_CHECKING:
    from pathlib import Path

    import blenders

_END = "\x1e"


class Shell:
    """One `sh` in the place where Blender runs, fed line by line."""

    def __init__(self, place: blenders.Place, env: dict[str, str], folders: tuple[Path, ...]):
        self._process = subprocess.Popen(
            place.command("sh", env=env, folders=folders),
            cwd=places.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._unread = ""

    def start(self, *argv: str, log: Path) -> None:
        """Start a program in the background."""
        self._send(f"{shlex.join(argv)} </dev/null >{shlex.quote(str(log))} 2>&1 &")

    def run(self, *argv: str, seconds: float = 20) -> str:
        """Run a program to its end and return what it printed."""
        self._send(f"{shlex.join(argv)} </dev/null 2>&1; printf '{_END}%s\\n' $?")
        deadline = time.monotonic() + seconds
        while f"{_END}" not in self._unread or not self._unread.endswith("\n"):
            self._read(deadline, argv)
        printed, _, code = self._unread.partition(_END)
        self._unread = ""
        assert int(code) == 0, f"{shlex.join(argv)}: {code.strip()}\n{printed}"
        return printed

    def close(self) -> None:
        """End the shell, and with its namespace everything that it started."""
        if self._process.poll() is None:
            self._send("kill -9 $(jobs -p); exit")
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._input.close()
        self._output.close()

    def _send(self, line: str) -> None:
        self._input.write(f"{line}\n".encode())
        self._input.flush()

    def _read(self, deadline: float, argv: tuple[str, ...]) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._output, selectors.EVENT_READ)
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
        received = os.read(self._output.fileno(), 1 << 16).decode() if ready else ""
        assert received, f"{shlex.join(argv)}: no end within its time\n{self._unread}"
        self._unread += received
