# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that count the bytes of a call, and enforce its deadline at the socket.

Whether a failed order may have been charged depends on how much of it was sent. The exceptions of
requests, urllib3, ssl and sockets do not say, so the sockets themselves keep count. urllib3 has no
hook for that: its connection, response and socket classes are subclassed here, for urllib3 2.x.
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
from .allowed_addresses import Forbidden

CONNECT_LIMIT = 10.0
"""Maximum seconds for each step before the request: TCP connection, proxy, TLS handshake."""
PIECE = 64 * 1024
"""Bytes to hand to the socket at once; few enough to notice a passed deadline soon."""
PACE = 16 * 1024
"""Bytes that extend the deadline by a second, so that uploads on slow lines can succeed."""
MAX_HEAD = 256 * 1024
"""Maximum bytes of status line, headers and 1xx responses; Python limits only single lines."""


class TooMuchData(http.client.HTTPException):
    """The headers or the encoded body of a response are longer than allowed."""


class Call:
    """The progress and the limits of one HTTP call.

    `time_limit`: seconds for the request, and again for the response, both extended by a second for
    every `pace` bytes.
    `stall_timeout`: seconds without a byte. `check_host` raises for an IP address that must not be
    connected to. `sent` is how much of the request may have left this computer; `requesting` is
    True from the first byte of the request itself, after connecting.
    """

    def __init__(
        self,
        host: str,
        time_limit: float,
        stall_timeout: float,
        check_host: Callable[[str], None] | None = None,
        pace: float = PACE,
    ) -> None:
        self.host = host
        self.sent = Sent.NO
        self.requesting = False
        self.check_host = check_host
        self._time_limit = time_limit
        self._ends = time.monotonic() + time_limit
        self._stall_timeout = stall_timeout
        self._pace = pace
        self._moved = 0
        self._head = 0
        # No limit until the body begins: headers have their own.
        self._most = math.inf

    def remaining_time(self) -> float:
        """Return the seconds that the next step may take. Raises TimeoutError at the deadline."""
        remaining = self._ends + self._moved / self._pace - time.monotonic()
        if remaining <= 0:  # guard: total-deadline
            raise TimeoutError
        return min(remaining, self._stall_timeout if self.requesting else CONNECT_LIMIT)

    def await_response(self) -> None:
        """Restart the deadline for the response, now that the whole request is sent."""
        self._ends, self._moved = time.monotonic() + self._time_limit, 0

    def count_sent(self, count: int) -> None:
        """Count bytes that were handed to the socket, and extend the deadline for them.

        If they are the first ones of the request, `sent` becomes MAYBE.
        """
        self._moved += count
        # Bytes of a CONNECT to a proxy or of a TLS handshake do not count: they order nothing.
        if self.requesting and self.sent is Sent.NO:  # guard: connect-is-no-request
            self.sent = Sent.MAYBE  # guard: bytes-handed-over

    def count_received(self, count: int) -> None:
        """Count received bytes, and extend the deadline for them.

        Raises TooMuchData if the headers or the body are longer than allowed.
        """
        self._moved += count
        if self.sent is not Sent.YES:
            self._head += count
        if self._head > MAX_HEAD:  # guard: endless-head
            raise TooMuchData
        if self._moved > self._most:  # guard: endless-packing
            raise TooMuchData

    def allow(self, count: int) -> None:
        """Allow only `count` more bytes to arrive.

        A limit on the decoded body is not enough: an endless compressed body may decode to nothing.
        """
        self._most = self._moved + count

    def mark_answered(self) -> None:
        """Record that the status and headers of the response have arrived."""
        self.sent = Sent.YES

    def lift_deadline(self, seconds: float = math.inf) -> None:
        """Give the rest of the call this many seconds; the stall timeout still applies."""
        self._ends = time.monotonic() + seconds


# Each thread has its own value of a context variable, since jobs make calls at the same time.
_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def active_call(call: Call) -> Iterator[Call]:
    """Make `call` this thread's active call for the block, and yield it.

    All connections that the thread opens or reuses in the block report their bytes to that call.
    """
    # A context variable, not an argument, because urllib3 creates the connections, and reuses them
    # for later calls.
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


class _DeadlineSocket(socket.socket):
    """A socket that receives and sends within the time limits of the active call, if any.

    A socket's own timeout restarts with every byte: a server that sends one byte a minute would
    keep a call busy forever.
    """

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive within the remaining time of the call, and count the bytes."""
        call = self._start_step()
        count = super().recv_into(*args, **kwargs)
        if call:
            call.count_received(count)
        return count

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        """Receive within the remaining time of the call, and count the bytes."""
        call = self._start_step()
        data = super().recv(*args, **kwargs)
        if call:
            call.count_received(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send in chunks, each within the remaining time of the call, and count the bytes.

        The inherited method does not say how much it has sent when it fails.
        """
        view = memoryview(data).cast("B")
        while view:
            call = self._start_step()
            count = self._send_piece(view[:PIECE], call)
            view = view[count:]

    def _send_piece(self, piece: memoryview, call: Call | None) -> int:
        count = super().send(piece)
        if call:
            call.count_sent(count)
        return count

    def _start_step(self) -> Call | None:
        call = _current.get()
        if call:
            super().settimeout(call.remaining_time())
        return call


class _DeadlineTlsSocket(_DeadlineSocket, ssl.SSLSocket):
    """The TLS version of `_DeadlineSocket`."""

    def _send_piece(self, piece: memoryview, call: Call | None) -> int:
        # Marked as sent beforehand, because OpenSSL may send a part of a record and then fail.
        if call:
            call.count_sent(0)
        return super()._send_piece(piece, call)


class _FinalResponse(http.client.HTTPResponse):
    """A response that skips the 1xx responses before it, except for 101 Switching Protocols.

    http.client skips only 100 Continue, and would treat 103 Early Hints as the response.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def _read_and_discard_trailer(self) -> None:
        # The inherited method reads lines without end; `parse_headers` stops at 100 of them.
        http.client.parse_headers(self.fp)  # guard: endless-trailer

    def begin(self) -> None:
        """Read status and headers. Raises HTTPException if Content-Length headers disagree."""
        super().begin()
        lengths = ",".join(self.msg.get_all("content-length", ())).split(",")
        if len({length.strip() for length in lengths}) > 1:
            raise http.client.HTTPException
        # urllib3 logs malformed headers with the whole URL, whose signature grants access.
        self.msg.defects.clear()  # guard: silent-headers
        self.msg.set_payload("")


class _TrackedConnection(HTTPConnection):
    """A connection that reports to the active call, and checks the IP address that it connects to.

    The IP address of a proxy is not checked.
    """

    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        # PySocks creates its own socket, which is replaced by one with a deadline.
        if hasattr(self, "_socks_options"):
            return _adopt_socket(super()._new_conn())
        return self._connect_directly()

    def _connect_directly(self) -> socket.socket:
        """Return a socket connected to the first of the host's IP addresses that answers.

        IP addresses for which the call's `check_host` raises Forbidden are left out. Raises
        NameResolutionError if the host has none, Forbidden if all are left out, ConnectTimeoutError
        or NewConnectionError if none answers.
        """
        call, problem = _current.get(), OSError()
        refused: Forbidden | None = None
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, 0, socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        for family, kind, protocol, _, socket_address in found:
            # Checked here, not by an earlier lookup: the name server could return a public address
            # for that, and a private one for the connection (DNS rebinding).
            try:
                if call and call.check_host and not self.proxy:
                    call.check_host(str(socket_address[0]))  # guard: number-connected-to
            except Forbidden as error:
                refused = error  # another address of the same name may be allowed
                continue
            sock = _DeadlineSocket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(call.remaining_time() if call else CONNECT_LIMIT)
                sock.connect(socket_address)
            except OSError as error:
                sock.close()
                problem = error
            else:
                return sock
        if refused and not problem.args:
            raise refused
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, str(problem)) from problem
        raise NewConnectionError(self, str(problem)) from problem

    def connect(self) -> None:
        """Connect, through a proxy if one is set. Bytes sent to connect do not set `sent`."""
        call = _current.get()
        # http.client may connect as late as the headers are sent, after `putrequest`.
        requesting = bool(call and call.requesting)
        if call:
            call.requesting = False
        super().connect()
        if call:
            call.requesting = requesting

    def _tunnel(self) -> None:
        super()._tunnel()
        call = _current.get()
        # The TLS handshake that follows uses the socket's own timeout.
        if call:
            self.sock.settimeout(call.remaining_time())

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        """Start sending the request; from here on, bytes count as sent."""
        call = _current.get()
        if call:
            call.requesting = True
        super().putrequest(*args, **kwargs)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """Return the response once its headers are read, and mark the call as answered.

        Before it waits, the deadline is restarted, since the whole request has been sent.
        """
        call = _current.get()
        if call:
            call.await_response()
        answer = super().getresponse()
        if call:
            call.mark_answered()
        return answer


def track_connections(manager: urllib3.PoolManager) -> None:
    """Make a pool manager create tracked connections."""
    manager.pool_classes_by_scheme = {
        scheme: _tracked_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def create_tls_context() -> ssl.SSLContext:
    """Return a TLS context that verifies certificates and host names; its CAs are loaded later."""
    context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.check_hostname = True  # guard: hosts-verified
    context.sslsocket_class = _DeadlineTlsSocket
    return context  # guard: certificates-verified


@cache
def _tracked_pool(pool: Any) -> Any:
    # Cached, so that there is one class per class of pools, not one per pool manager.
    connection = pool.ConnectionCls
    watched = type(connection.__name__, (_TrackedConnection, connection), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": watched})


def _adopt_socket(raw: socket.socket) -> socket.socket:
    limit = raw.gettimeout()
    sock = _DeadlineSocket(raw.family, raw.type, raw.proto, fileno=raw.detach())
    sock.settimeout(limit)
    return sock
