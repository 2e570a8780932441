# SPDX-License-Identifier: GPL-3.0-or-later
"""An unreliable network: a proxy in front of a fake that spoils a share of the requests.

A fault does one of two things: the request never reaches the service, or it does and the answer is
lost or damaged. The same seed draws the same faults in the same order.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import loopback

UNSENT = ("503 before", "429", "reset before")
SPOILED = ("503 after", "reset after", "drip", "cut", "wrong JSON", "no JSON")
DRIPS, DRIP = 8, 0.1
_HOP = frozenset({"connection", "host", "keep-alive", "transfer-encoding", "content-length"})


@dataclass
class Hostile:
    """A proxy in front of one server. `share`: how many of the requests go wrong, from 0 to 1."""

    target: str
    share: float
    seed: int
    url: str = ""
    change: Callable[[bytes], bytes] | None = None
    """Replaces the body of every answer."""
    seen: Counter[str] = field(default_factory=Counter)
    """How often each fault happened; requests without a fault count under the empty name."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lock = threading.Lock()

    def draw(self) -> str:
        """Return the fault of the next request, or an empty name."""
        with self._lock:
            spoiled = self._chance.random() < self.share
            fault = self._chance.choice((*UNSENT, *SPOILED)) if spoiled else ""
            self.seen[fault] += 1
            return fault


@contextlib.contextmanager
def between(target: str, share: float, seed: int) -> Iterator[Hostile]:
    """Serve on a free loopback port while the block runs."""
    hostile = Hostile(target, share, seed)
    with loopback.serve(_Handler, quiet=True, hostile=hostile) as hostile.url:
        yield hostile


class _Handler(loopback.Handler):
    hostile: Hostile
    wbufsize = -1
    disable_nagle_algorithm = True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.hostile.draw()
        if fault in UNSENT:
            return self._fail(fault)
        answer, data = self._forward(body)
        if fault in ("503 after", "reset after"):
            return self._fail(fault)
        if fault in ("wrong JSON", "no JSON"):
            data = b'{"code": 0, "data": [' if fault == "wrong JSON" else b"<html>Bad gateway"
        if self.hostile.change is not None:
            data = self.hostile.change(data)
        return self._give(answer, data, fault)

    do_GET = do_POST = do_PUT = _pass  # noqa: N815 - the names that http.server calls

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        target = urllib.parse.urlsplit(self.hostile.target)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer, answer.read()

    def _fail(self, fault: str) -> None:
        if fault.startswith("reset"):
            return self._reset()
        status = int(fault[:3])
        data = b"upstream connect error or disconnect/reset before headers"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "0.2")
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _give(self, answer: http.client.HTTPResponse, data: bytes, fault: str) -> None:
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in (*_HOP, "server", "date"):
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if fault == "cut":
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
        elif fault == "drip":
            size = len(data) // DRIPS + 1
            for start in range(0, len(data), size):
                self.wfile.write(data[start : start + size])
                self.wfile.flush()
                time.sleep(DRIP)
        else:
            self.wfile.write(data)
