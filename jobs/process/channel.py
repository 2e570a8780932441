# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipes of a worker process: answers are separated from everything else that it prints.

Importers print parts of untrusted files, which may even look like an answer. The worker therefore
keeps its original standard output for answers alone, and redirects all other output, from Python, C
or C++, to standard error before it imports anything (see `worker/main.py`). In addition, each
answer begins with a token that is random for each process; it is sent on standard input, so that
neither the command line nor the environment reveals it. There are no other pipes, because Windows
and the wrappers that start a Blender (Flatpak, Snap, Steam) pass on only these three.
"""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import IO, Any

PREFIX = "@image_to_mesh"
LONGEST_LINE = 16 * 1024 * 1024
"""Maximum length of a line that is read in one piece, in characters."""
LINES, LONGEST_WORDS = 60, 1000
"""Number of log lines that are kept, and how many characters of each."""
LAST_LINES = 1.0
"""Maximum seconds to wait for the remaining output of an ended process."""

# How lines begin that Blender prints around a crash, but that do not name its cause.
_NOISE = ("writing:", "# ", "blender ", "backtrace", "extension modules", "unable to find")


class Channel:
    """The pipes of one process, which are read on two threads.

    `answers` gets each answer except heartbeats, and None once standard output has ended. `heard`
    is when the process last printed anything (`time.monotonic`).
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.heard = time.monotonic()
        self._stdin = process.stdin
        self._token = secrets.token_hex(16)
        self._log: deque[str] = deque(maxlen=LINES)
        # A thread for each pipe: a pipe that nobody reads fills up, and the process then hangs in a
        # write. One thread for both would need `select`, which Windows lacks for pipes.
        threading.Thread(target=self._read_answers, args=(process.stdout,), daemon=True).start()
        self._printed = threading.Thread(target=self._read_log, args=(process.stderr,), daemon=True)
        self._printed.start()

    def greet(self, folder: str) -> None:
        """Send the process its token and temporary folder. Raises OSError if it has ended."""
        self.send({"token": self._token, "folder": folder})

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message as a line of JSON. Raises OSError or ValueError if the pipe is closed."""
        self._stdin.write(json.dumps(message) + "\n")
        self._stdin.flush()  # a pipe is block-buffered: the line would wait for the next one

    def forget(self) -> None:
        """Discard the log of what was printed so far."""
        self._log.clear()

    def last_words(self, *, ended: bool) -> str:
        """Return the process's last line with “error”, else its last line; "" without output.

        Lines that Blender prints around a crash are used only if there are no others. The line is
        cut to 300 characters. `ended`: the process has ended, so its remaining output is read
        first.
        """
        # The pipe may still hold the error of a dead process, or be kept open by a child of it.
        if ended:
            self._printed.join(LAST_LINES)
        # A copy, because the reading thread may append meanwhile.
        lines = [line for entry in tuple(self._log) if (line := printable(entry).strip())]
        lines = [line for line in lines if not line.lower().startswith(_NOISE)] or lines
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines)[-1][:300] if lines else ""

    def close(self) -> None:
        """Close standard input; the other pipes end with the process."""
        self._stdin.close()

    def _read_answers(self, lines: IO[str]) -> None:
        """Queue the answers except heartbeats, and None at the end; log lines without the token."""
        begin = f"{PREFIX} {self._token} "
        with lines:
            # With a limit, because an endless line would otherwise fill the artist's memory.
            while line := lines.readline(LONGEST_LINE):
                self.heard = time.monotonic()
                answer = _parse_answer(line, begin)
                if answer is None:
                    self._log.append(line[:LONGEST_WORDS])
                elif "beat" not in answer:
                    self.answers.put(answer)
        self.answers.put(None)

    def _read_log(self, lines: IO[str]) -> None:
        with lines:
            while line := lines.readline(LONGEST_LINE):
                self.heard = time.monotonic()
                self._log.append(line[:LONGEST_WORDS])


def _parse_answer(line: str, begin: str) -> dict[str, Any] | None:
    if not line.startswith(begin):  # guard: worker-answer-carries-token
        return None
    try:
        answer = json.loads(line[len(begin) :])
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def printable(text: str) -> str:
    """Return text with each unprintable character, such as an escape, replaced with a space."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
