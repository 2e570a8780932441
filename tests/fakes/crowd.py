# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake service with few slots: the API of `service.py`, but a task beyond them gets a 429."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import loopback
from .service import KEY


@dataclass
class Crowd:
    """The limits of the fake and the requests it received. Times in seconds."""

    places: int = 10
    takes: float = 0.5
    mesh: bytes = b""
    retry_after: str | None = "0.1"
    refuse: dict[int, int] = field(default_factory=dict)
    """The status that refuses an order, by the number of the order."""
    fails: set[int] = field(default_factory=set)
    """The numbers of the tasks that fail."""
    url: str = ""
    tasks: list[tuple[float, float]] = field(default_factory=list)
    """When each task was taken and when it is done."""
    pictures: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    polls: int = 0
    asked: int = 0
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, no poll is answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, picture: str) -> int | None:
        """Return the number of a new task, or None if all slots are in use."""
        with self.lock:
            now = time.monotonic()
            if sum(1 for _, end in self.tasks if end > now) >= self.places:
                self.refused.append(now)
                return None
            self.tasks.append((now, now + self.takes))
            self.pictures.append(picture)
            return len(self.tasks)

    def throughput(self) -> float:
        """Return how busy the slots were from the start of the first task on, from 0 to 1."""
        span = max(end for _, end in self.tasks) - min(start for start, _ in self.tasks)
        return len(self.tasks) * self.takes / (span * self.places)


@contextlib.contextmanager
def serve_crowd(crowd: Crowd) -> Iterator[Crowd]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, crowd=crowd) as crowd.url:
        yield crowd


class _Handler(loopback.Handler):
    crowd: Crowd
    wbufsize = -1
    disable_nagle_algorithm = True

    def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _say(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value).encode(), headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._say(401, {"error": "key"})
        if self.path == "/files":
            return self._say(200, {"token": str(hash(body))})
        return self._order(json.loads(body))

    def _order(self, body: dict[str, Any]) -> None:
        crowd = self.crowd
        with crowd.lock:
            crowd.asked += 1
            status = crowd.refuse.get(crowd.asked)
        if status is not None:
            return self._say(status, {"error": "fault"})
        number = crowd.take(body["pictures"]["front"])
        if number is None:
            wait = {} if crowd.retry_after is None else {"Retry-After": crowd.retry_after}
            return self._say(429, {"error": "too many"}, wait)
        return self._say(200, {"task": str(number)})

    def do_GET(self) -> None:
        crowd = self.crowd
        if self.path.startswith("/download/"):
            return self._answer(200, crowd.mesh)
        crowd.polls += 1
        while crowd.silent.is_set():
            time.sleep(0.02)
        number = int(self.path.rpartition("/")[2])
        start, end = crowd.tasks[number - 1]
        if time.monotonic() < end:
            share = (time.monotonic() - start) / crowd.takes
            return self._say(200, {"status": "running", "progress": int(100 * share)})
        if number in crowd.fails:
            return self._say(200, {"status": "failed"})
        done = {"status": "success", "url": f"{crowd.url}/download/mesh.glb", "credits": 2.0}
        return self._say(200, done)
