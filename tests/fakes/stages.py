# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway on loopback in front of any fake: it passes orders on and spoils their answers.

By then, the order has reached the service, so an order that is sent twice is charged twice.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import loopback

HTML = b"<html><title>502 Bad Gateway</title><body>upstream connect error</body></html>"
STAGES = ("before", "status line", "headers", "body")
DRIP = 0.2


@dataclass(frozen=True)
class Spoil:
    """A damaged answer: another status and body, or a stage at which it ends or drips."""

    status: int = 0
    body: bytes | None = b""
    stage: str = ""
    drips: bool = False
    kind: str = "text/plain"


@dataclass
class Gateway:
    """The faults of the next answers, and the bodies that were sent, complete or not."""

    upstream: str
    path: str
    spoils: list[Spoil] = field(default_factory=list)
    url: str = ""
    orders: int = 0
    sent: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def gateway(upstream: str, path: str) -> Iterator[Gateway]:
    """Serve before a fake while the block runs; `path` ends the addresses that cost."""
    place = Gateway(upstream, path)
    with loopback.serve(_Relay, poll=0.01, place=place) as url:
        place.url = url + urllib.parse.urlsplit(upstream).path
        try:
            yield place
        finally:
            place.over.set()


class _Relay(loopback.Handler):
    place: Gateway

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        host = urllib.parse.urlsplit(self.place.upstream).netloc
        line = http.client.HTTPConnection(host, timeout=10)
        headers = {name: text for name, text in self.headers.items() if name != "Host"}
        line.request(self.command, self.path, body, headers)
        answer = line.getresponse()
        data = answer.read()
        line.close()
        costs = self.command == "POST" and self.path.endswith(self.place.path)
        self.place.orders += costs
        self.close_connection = True
        if costs and self.place.spoils:
            return self._spoil(self.place.spoils.pop(0), answer.status, data)
        kind = answer.getheader("Content-Type", "application/json")
        return self._send(self._head(answer.status, data, kind), data)

    do_GET = do_POST = do_PUT = _relay  # noqa: N815 - the names that http.server calls

    def _head(self, status: int, data: bytes, kind: str) -> bytes:
        lines = (f"HTTP/1.1 {status} Some words", f"Content-Type: {kind}")
        length = f"Content-Length: {len(data)}"
        return "\r\n".join((*lines, length, "Retry-After: 0", "", "")).encode()

    def _send(self, head: bytes, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.connection.sendall(head + data)

    def _spoil(self, spoil: Spoil, status: int, data: bytes) -> None:
        if not spoil.stage:
            said = data if spoil.body is None else spoil.body
            self.place.sent.append(said)
            return self._send(self._head(spoil.status, said, spoil.kind), said)
        head = self._head(status, data, "application/json")
        cut = {"before": 0, "status line": 11, "headers": len(head) - 30}
        whole = head + data
        at = cut.get(spoil.stage, len(head) + len(data) // 2)
        self.place.sent.append(whole[len(head) : at])
        with contextlib.suppress(OSError):
            self.connection.sendall(whole[:at])
            self._drip(whole[at:]) if spoil.drips else self._reset()
        return None

    def _reset(self) -> None:
        # A reset may drop what was sent before it, so that is given time to arrive.
        time.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def _drip(self, rest: bytes) -> None:
        for at in range(len(rest)):
            if self.place.over.wait(DRIP):
                return
            self.connection.sendall(rest[at : at + 1])
