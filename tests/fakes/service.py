# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake service on loopback that `services/rehearsal.py` speaks to, with faults on demand."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import loopback

KEY = "rehearsal-key-1234567890"


@dataclass
class Service:
    """The state of the fake: its answers, its faults, and the requests it received.

    Times are in seconds.
    """

    takes: float = 0.2
    mesh: bytes = b""
    credits: float = 3.0
    fail: bool = False
    no_credits: bool = False
    swallow_submit: bool = False
    submit_takes: float = 0.0
    errors: list[int] = field(default_factory=list)
    submit_errors: list[int] = field(default_factory=list)
    retry_after: str = "0"
    cut_at: int | None = None
    ranges: bool = True
    expired: int = 0
    quotes: str = ""
    url: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    last_body: bytes = field(default=b"", repr=False)
    submits: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    started: float = 0.0

    def calls(self, method: str, path: str) -> int:
        """Count the requests of a method whose path matches."""
        return sum(1 for m, p, _ in self.requests if m == method and re.fullmatch(path, p))


@contextlib.contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, service=service) as service.url:
        yield service


class _Handler(loopback.Handler):
    service: Service

    def _note(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.service.requests.append((self.command, self.path, headers))
        self.service.last_body = body
        return body

    def _answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self) -> bool:
        if self.service.quotes:
            self._answer(400, {"error": self.service.quotes})
            return True
        if self.service.errors:
            self._answer(
                self.service.errors.pop(0),
                {"error": "fault"},
                {"Retry-After": self.service.retry_after},
            )
            return True
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._answer(401, {"error": "key"})
            return True
        return False

    def do_POST(self) -> None:
        body = self._note()
        if self._refuse():
            return
        if self.path == "/files":
            self._answer(200, {"token": f"file_{len(body)}"})
        elif self.path == "/tasks":
            self._submit(json.loads(body))
        else:
            self.service.cancelled.append(self.path)
            self._answer(200, {})

    def _submit(self, body: dict[str, Any]) -> None:
        service = self.service
        if service.submit_errors:
            wait = {"Retry-After": service.retry_after}
            return self._answer(service.submit_errors.pop(0), {"error": "fault"}, wait)
        if service.no_credits:
            return self._answer(402, {"error": "credits"})
        service.submits.append(body)
        service.started = time.monotonic()
        if service.swallow_submit:
            self.close_connection = True
            self.connection.close()
            return None
        time.sleep(service.submit_takes)
        return self._answer(200, {"task": f"task-{len(service.submits)}"})

    def do_GET(self) -> None:
        self._note()
        if self.path.startswith("/download/"):
            return self._download()
        if self._refuse():
            return None
        if self.path == "/balance":
            return self._answer(200, {"balance": 42.0})
        return self._task()

    def _task(self) -> None:
        service = self.service
        share = min(1.0, (time.monotonic() - service.started) / max(service.takes, 1e-6))
        if share < 1.0:
            return self._answer(200, {"status": "running", "progress": int(share * 100)})
        if service.fail:
            return self._answer(200, {"status": "failed"})
        number = service.calls("GET", "/tasks/.*")
        url = f"{service.url}/download/mesh.glb?sig={number}"
        done = {"status": "success", "url": url, "credits": service.credits}
        return self._answer(200, done)

    def _download(self) -> None:
        if self.service.expired > 0:
            first = next(path for _, path, _ in self.service.requests if "download" in path)
            if self.path == first:
                return self._answer(403, {"error": "expired"})
        data = self.service.mesh
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.service.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut, self.service.cut_at = self.service.cut_at, None
        self.wfile.write(data[start : cut if cut is not None else len(data)])
        if cut is not None:
            self.close_connection = True
