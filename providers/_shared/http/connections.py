# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that know how much of a request they have handed over, and when its time is over.

What a failed call means depends on how far it got. That is written down here, at the sockets, and
not guessed from the many exceptions that libraries raise.
"""

from __future__ import annotations

import http.client
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from ..errors import Sent

CONNECT_LIMIT = 10.0
"""Seconds for each step until the request can be sent: connection, proxy, encryption."""
PIECE = 64 * 1024
PACE = 16 * 1024
"""Bytes that buy a call another second: what moves may take its time, drops may not."""
MAX_HEAD = 256 * 1024
"""Bytes that an answer may have before its body begins."""


class TooMuchData(http.client.HTTPException):
    """More came before an answer's body than any service sends."""


class Call:
    """What is known of one call.

    `host` is asked; `patience`: seconds that it may take, besides what its bytes buy; `stall`:
    seconds for which nothing may come. `judge` raises for a number that may not be connected to.
    """

    def __init__(
        self,
        host: str,
        time_limit: float,
        stall_timeout: float,
        check_host: Callable[[str], None] | None = None,
    ) -> None:
        self.host = host
        self.sent = Sent.NO
        self.asking = False
        self.check_host = check_host
        self._patience = time_limit
        self._ends = time.monotonic() + time_limit
        self._stall = stall_timeout
        self._moved = 0
        self._head = 0
        self._most = math.inf

    def left(self) -> float:
        """Return how long the next step may take, in seconds. Raises TimeoutError for none."""
        left = self._ends + self._moved / PACE - time.monotonic()
        if left <= 0:  # guard: total-deadline
            raise TimeoutError
        return min(left, self._stall if self.asking else CONNECT_LIMIT)

    def listen(self) -> None:
        """Note that the whole request was handed over: from now on its answer has the time."""
        self._ends, self._moved = time.monotonic() + self._patience, 0

    def hand_over(self, count: int) -> None:
        """Note bytes that were handed to the socket."""
        self._moved += count
        if self.asking and self.sent is Sent.NO:  # guard: connect-is-no-request
            self.sent = Sent.MAYBE  # guard: bytes-handed-over

    def take(self, count: int) -> None:
        """Note bytes that came. Raises TooMuch for a head without an end, or more than allowed."""
        self._moved += count
        if self.sent is not Sent.YES:
            self._head += count
        if self._head > MAX_HEAD:  # guard: endless-head
            raise TooMuchData
        if self._moved > self._most:  # guard: endless-packing
            raise TooMuchData

    def allow(self, count: int) -> None:
        """Let so many more bytes come. A body can be packed so that it never has any length."""
        self._most = self._moved + count

    def answer(self) -> None:
        """Note that an answer's status and headers came."""
        self.sent = Sent.YES

    def lift_deadline(self) -> None:
        """Let the rest come as slowly as it likes, as long as something comes."""
        self._ends = math.inf


_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def active_call(call: Call) -> Iterator[Call]:
    """Let the connections of this thread know which call they work for."""
    before = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(before)


class _DeadlineSocket(socket.socket):
    """A socket of which no step takes longer than its call may."""

    def recv_into(self, *args: Any, **named: Any) -> int:
        """Receive, within the time that is left."""
        call = self._begin()
        count = super().recv_into(*args, **named)
        if call:
            call.take(count)
        return count

    def recv(self, *args: Any, **named: Any) -> bytes:
        """Receive, within the time that is left."""
        call = self._begin()
        data = super().recv(*args, **named)
        if call:
            call.take(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send piece by piece, each within the time that is left."""
        view = memoryview(data).cast("B")
        while view:
            call = self._begin()
            count = self._hand_over(view[:PIECE], call)
            view = view[count:]

    def _hand_over(self, piece: memoryview, call: Call | None) -> int:
        count = super().send(piece)
        if call:
            call.hand_over(count)
        return count

    def _begin(self) -> Call | None:
        call = _current.get()
        if call:
            super().settimeout(call.left())
        return call


class _DeadlineTlsSocket(_DeadlineSocket, ssl.SSLSocket):
    """The same, encrypted. A piece that could not be sent whole may have left in part."""

    def _hand_over(self, piece: memoryview, call: Call | None) -> int:
        if call:
            call.hand_over(0)
        return super()._hand_over(piece, call)


class _FinalResponse(http.client.HTTPResponse):
    """An answer that is the last one: those with 1xx come before it and say nothing."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def _read_and_discard_trailer(self) -> None:
        http.client.parse_headers(self.fp)  # guard: endless-trailer

    def begin(self) -> None:
        """Read the head. What is malformed in it is left out without a word.

        urllib3 would log the whole address with it, which may be signed.
        """
        super().begin()
        lengths = ",".join(self.msg.get_all("content-length", ())).split(",")
        if len({length.strip() for length in lengths}) > 1:
            raise http.client.HTTPException
        self.msg.defects.clear()  # guard: silent-headers
        self.msg.set_payload("")


class _TrackedConnection(HTTPConnection):
    """A connection that tells its call when the request itself begins."""

    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        if hasattr(self, "_socks_options"):
            return _adopt_socket(super()._new_conn())
        return self._connected()

    def _connected(self) -> socket.socket:
        """Connect to one of the host's numbers, one after the other."""
        call, problem = _current.get(), OSError()
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, 0, socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        for family, kind, protocol, _, place in found:
            if call and call.check_host and not self.proxy:
                call.check_host(str(place[0]))  # guard: number-connected-to
            sock = _DeadlineSocket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(call.left() if call else CONNECT_LIMIT)
                sock.connect(place)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, str(problem)) from problem
        raise NewConnectionError(self, str(problem)) from problem

    def connect(self) -> None:
        """Connect, through a proxy where there is one; nothing of the request is sent by it."""
        call = _current.get()
        asking = bool(call and call.asking)
        if call:
            call.asking = False
        super().connect()
        if call:
            call.asking = asking

    def _tunnel(self) -> None:
        super()._tunnel()
        call = _current.get()
        if call:
            self.sock.settimeout(call.left())

    def putrequest(self, *args: Any, **named: Any) -> None:
        """Begin the request itself."""
        call = _current.get()
        if call:
            call.asking = True
        super().putrequest(*args, **named)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """Return the answer, once its status and headers are there."""
        call = _current.get()
        if call:
            call.listen()
        answer = super().getresponse()
        if call:
            call.answer()
        return answer


def track_connections(manager: urllib3.PoolManager) -> None:
    """Let all connections of a manager of pools be such ones."""
    manager.pool_classes_by_scheme = {
        scheme: _tracked_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def create_tls_context() -> ssl.SSLContext:
    """Return what connections are encrypted with: it verifies always, and trusts nobody yet."""
    context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.check_hostname = True  # guard: hosts-verified
    context.sslsocket_class = _DeadlineTlsSocket
    return context  # guard: certificates-verified


@cache
def _tracked_pool(pool: Any) -> Any:
    connection = pool.ConnectionCls
    watched = type(connection.__name__, (_TrackedConnection, connection), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": watched})


def _adopt_socket(raw: socket.socket) -> socket.socket:
    limit = raw.gettimeout()
    sock = _DeadlineSocket(raw.family, raw.type, raw.proto, fileno=raw.detach())
    sock.settimeout(limit)
    return sock
