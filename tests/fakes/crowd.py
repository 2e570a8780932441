# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake service with few places: speaks as `service.py` does, refuses tasks beyond them by 429."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .service import KEY


@dataclass
class Crowd:
    """What the fake allows, and what it has seen. Times in seconds."""

    places: int = 10
    takes: float = 0.5
    mesh: bytes = b""
    retry_after: str | None = "0.1"
    refuse: dict[int, int] = field(default_factory=dict)
    """Statuses by which orders are refused, by the number of the order."""
    fails: set[int] = field(default_factory=set)
    """The tasks that come to no good end, by number."""
    url: str = ""
    tasks: list[tuple[float, float]] = field(default_factory=list)
    """When each task was taken and when it is done."""
    pictures: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    looks: int = 0
    asked: int = 0
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, no question about a task is answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, picture: str) -> int | None:
        """Return the number of a new task, None where there is no place for it."""
        with self.lock:
            now = time.monotonic()
            if sum(1 for _, end in self.tasks if end > now) >= self.places:
                self.refused.append(now)
                return None
            self.tasks.append((now, now + self.takes))
            self.pictures.append(picture)
            return len(self.tasks)

    def throughput(self) -> float:
        """Return the share of the places' time that tasks had, from the first one's start on."""
        span = max(end for _, end in self.tasks) - min(start for start, _ in self.tasks)
        return len(self.tasks) * self.takes / (span * self.places)


@contextlib.contextmanager
def crowded(crowd: Crowd) -> Iterator[Crowd]:
    """Serve on a free loopback port while the block runs."""
    handler = type("Handler", (_Handler,), {"crowd": crowd})
    server = _Server(("127.0.0.1", 0), handler)
    crowd.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield crowd
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    crowd: Crowd
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""

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
        crowd.looks += 1
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
