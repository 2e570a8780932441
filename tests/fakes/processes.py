# SPDX-License-Identifier: GPL-3.0-or-later
"""The parent's side of `kills.py`: jobs in processes of their own, cheap enough for hundreds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import FAKES


@dataclass
class Processes:
    """One process that forks; answers arrive in the order in which jobs end."""

    process: subprocess.Popen[str]
    count: int = 0
    beside: dict[int, int] = field(default_factory=dict)

    def run(self, do: str, service: dict[str, Any], library: Path, **how: Any) -> dict[str, str]:
        """Run an order in a process; return how its jobs ended, or nothing if it was killed."""
        number = self._order(do, service, library, **how)
        ends: dict[str, str] = {}
        while True:
            answer = self._read()
            if answer["id"] != number:
                self.beside.pop(answer["id"], None)  # it came to its end meanwhile
            elif "over" in answer:
                return ends
            else:
                ends = answer["ends"]

    def begin(self, do: str, service: dict[str, Any], library: Path, **how: Any) -> int:
        """Start an order in a process alongside others; return the process id."""
        number = self._order(do, service, library, beside=True, **how)
        answer = self._read()
        assert answer["id"] == number
        self.beside[number] = int(answer["pid"])
        return number

    def kill(self, number: int) -> None:
        """Kill a process if it still runs."""
        if sys.platform == "win32":
            raise OSError("only on Unix")
        if number in self.beside:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.beside.pop(number), signal.SIGKILL)

    def _order(self, do: str, service: dict[str, Any], library: Path, **how: Any) -> int:
        self.count += 1
        order = {"id": self.count, "do": do, "library": str(library), **service, **how}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.count

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that forks is gone"
        return dict(json.loads(line))


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Run the process that forks while the block runs."""
    command = [sys.executable, "-B", str(FAKES / "kills.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        started = Processes(process)
        assert started._read()["id"] == 0
        yield started
        process.kill()
