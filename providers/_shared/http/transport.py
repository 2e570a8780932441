# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one HTTP request once, and reports how much of a failed one left this computer.

requests prepares the request and pools the connections. Its `Session` is not used: it would keep
cookies, read the bodies of redirects and take credentials from `.netrc`.
"""

from __future__ import annotations

import contextlib
import math
import os
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    default_headers,
    get_environ_proxies,
    select_proxy,
)

from ..errors import BadReply, Sent
from ..messages import Message
from ..results.mesh_format import BEGIN
from ..servers.long_strings import shorten_strings
from .addresses import WebAddress
from .allowed_addresses import Forbidden
from .ca_bundle import ca_bundle
from .connections import PACE, Call, active_call, create_tls_context, track_connections
from .explain import CallProblem, explain
from .proxies import Misconfiguration, Route
from .recorded_answer import AnswerRecorder, record_answer
from .reply import bounded_pieces, is_refusal, mesh_format, too_large

CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's `wbits` by content coding; codings are not requested, but some servers use them anyway."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_SHORTENED = 16 * 1024 * 1024
"""Maximum bytes of a response whose long strings are shortened that are kept: much else in it, such
as blanks, is not shortened."""
FRAMING = 1024 * 1024
"""Maximum bytes that chunked encoding and compression headers may add to a body."""


class CallFailed(Exception):
    """No complete response arrived, or it cannot be decoded; `problem` says why.

    `sent` is how much of the request may have left this computer.
    """

    def __init__(self, problem: CallProblem, sent: Sent) -> None:
        super().__init__(str(problem.message))
        self.problem = problem
        self.sent = sent


class Answer:
    """The response to a call: status, headers by lower-case name, and the body as a stream."""

    def __init__(
        self, response: requests.Response, call: Call, failure: Callable[[Exception], CallFailed]
    ) -> None:
        self.status = response.status_code
        self.host = call.host
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._call = call
        self._raw = response.raw
        self._failure = failure

    def lift_deadline(self, seconds: float = math.inf) -> None:
        """Give the rest of the body this many seconds; the stall timeout still applies."""
        self._call.lift_deadline(seconds)

    def expect(self, limit: int) -> None:
        """Limit the bytes received to those that a body of `limit` bytes can need on the wire."""
        # With room for the chunked encoding of small chunks: no honest server sends more.
        self._call.allow(2 * limit + FRAMING)

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the decoded body in chunks of at most `size` bytes.

        Raises CallFailed if the body breaks off or cannot be decoded.
        """
        reader = self._read(size)
        while True:
            try:
                piece = next(reader, None)
            except Exception as error:
                raise self._failure(error) from error
            if piece is None:
                return
            yield piece

    def _read(self, size: int) -> Iterator[bytes]:
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        # `read1` returns as soon as bytes arrive; `read` would wait for `size` bytes, even if the
        # job was canceled.
        if coding in ("", "identity"):
            while piece := self._raw.read1(size, decode_content=False):
                yield piece
            return
        if coding not in CODINGS:
            raise zlib.error
        # urllib3 could decompress, but without a limit: a bomb of 10 MB becomes 10 GB in memory.
        unpack = zlib.decompressobj(CODINGS[coding])
        while piece := self._raw.read1(size, decode_content=False):
            while piece:
                yield unpack.decompress(piece, size)  # guard: unpacked-in-pieces
                piece = unpack.unconsumed_tail
        if not unpack.eof:
            raise zlib.error


def read_body(
    answer: Answer,
    data: bytearray,
    limit: int,
    *,
    recorder: AnswerRecorder | None = None,
    spelled: Iterable[str] = (),
    shorten: bool = False,
) -> None:
    """Read a body of at most `limit` bytes into `data`, and record it if there is a recorder.

    `spelled` are the secrets to redact in the record. `shorten`: long strings are shortened as they
    arrive, and of a mesh file only the beginning is read. Raises CallFailed, or BadReply for a
    redirect or a long body.
    """
    redirects = answer.status in REDIRECTS
    pieces = bounded_pieces(answer, limit, _no_check)
    # A redirect's body is meant for browsers, and a service could keep the call busy with it.
    if redirects:  # guard: redirects-are-unread
        pieces = iter(())
    if recorder is not None:
        pieces = record_answer(recorder, answer.status, answer.headers, pieces, spelled)
    try:
        enough = 1
        for piece in shorten_strings(pieces) if shorten else pieces:
            undecided = shorten and len(data) <= BEGIN
            data += piece
            # Not at every piece, since all that has arrived is judged; a piece may be one byte.
            if undecided and len(data) >= enough:
                enough = 2 * len(data)
                if mesh_format(answer.status, answer.headers, data):
                    return
            if shorten and len(data) > MOST_SHORTENED:  # guard: shortened-answers-are-short
                raise too_large(MOST_SHORTENED)
    except CallFailed:
        # The status alone makes it a refusal, even if the connection breaks within the body.
        if not is_refusal(answer.status):
            raise
    if redirects:
        message = Message(
            "{host} redirects to another address; redirects are not followed.", host=answer.host
        )
        raise BadReply(message, "Check the service's address.")


def _no_check() -> None:
    return None


class Transport:
    """The connection pools of one service. `direct`: no call goes through a proxy."""

    def __init__(self, *, direct: bool = False) -> None:
        self._direct = direct
        # By whether the connections are encrypted.
        self._adapters: dict[bool, _Adapter] = {}

    @contextlib.contextmanager
    def send(
        self,
        method: str,
        address: WebAddress,
        *,
        time_limit: float,
        stall_timeout: float,
        check_host: Callable[[str], None] | None = None,
        pace: float = PACE,
        **request_args: Any,
    ) -> Iterator[Answer]:
        """Send a request, and open its response for a block.

        `time_limit`: seconds for the request, and again for the response, extended for the bytes
        that flow; `pace` is as in `Call`. `stall_timeout`: seconds without a byte. `request_args`
        are those of `requests.Request`. Raises Forbidden if `check_host` raises it for an IP
        address, and CallFailed for any other failure before the body.
        """
        call = Call(address.host, time_limit, stall_timeout, check_host, pace)
        route = Route("", "")

        def failure(error: Exception) -> CallFailed:
            return _call_failure(error, call, address, route)

        with active_call(call):
            try:
                route = _route_to(address, direct=self._direct)
                route.check()
                request = _prepare(method, address, request_args)
                response = self._adapter(address, route).send(
                    request, stream=True, timeout=stall_timeout, proxies=route.as_proxies
                )
            except Forbidden:
                raise
            # Any exception, because requests and urllib3 do not wrap all those of sockets and ssl.
            except Exception as error:
                raise failure(error) from error
            with response:
                yield Answer(response, call, failure)

    def refresh(self) -> None:
        """Close all connections, so that the next request opens a new one."""
        for adapter in self._adapters.values():
            adapter.close()

    close = refresh

    def _adapter(self, address: WebAddress, route: Route) -> _Adapter:
        # Loading the CA certificates is slow, and plain http on loopback does not need them.
        encrypted = address.scheme == "https" or route.proxy.lower().startswith("https:")
        if encrypted not in self._adapters:
            self._adapters[encrypted] = _Adapter(_tls_context() if encrypted else None)
        return self._adapters[encrypted]


class _Adapter(HTTPAdapter):
    """Connection pools that track their calls, and always use the given TLS context."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(max_retries=0)  # urllib3 would repeat a submit on a broken connection.

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools of direct connections."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        track_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through a proxy, which the first call creates."""
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        kwargs["ssl_context"] = self._context
        # The connection to an https proxy is encrypted as well; urllib3's SOCKS manager does not
        # take the argument.
        if not proxy.lower().startswith("socks"):
            kwargs["proxy_ssl_context"] = self._context
        manager = super().proxy_manager_for(proxy, **kwargs)
        track_connections(manager)
        return manager

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing, because requests would replace the context's certificates with its own."""


def _route_to(address: WebAddress, *, direct: bool) -> Route:
    """Return the proxy for an address, from the environment or the system, as a route.

    The proxy is empty if none is set, with `direct`, and always for a loopback address.
    """
    if direct:  # guard: no-proxy-for-own-servers
        return Route("", "")
    # To a proxy, loopback is another computer, so self-hosted services would not be found.
    if address.is_loopback:  # guard: no-proxy-for-loopback
        return Route("", "")
    proxy = select_proxy(address.url, get_environ_proxies(address.url)) or ""
    names = (f"{address.scheme}_proxy", "all_proxy")
    variables = [
        variable
        for name in names
        for variable in (name, name.upper())
        if os.environ.get(variable) == proxy
    ]
    return Route(proxy, variables[0] if variables else "the system's proxy settings")


def _prepare(
    method: str, address: WebAddress, request_args: Mapping[str, Any]
) -> requests.PreparedRequest:
    # "identity" keeps Content-Length meaningful, which resumed downloads compare.
    headers = {
        **default_headers(),
        "Accept-Encoding": "identity",
        **request_args.get("headers", {}),
    }
    others = {
        name: value
        for name, value in request_args.items()
        if name != "headers" and value is not None
    }
    return requests.Request(method, address.url, headers=headers, **others).prepare()


def _bad_ca_bundle(path: str, setting: str, problem: str) -> Misconfiguration:
    message = Message(
        "The certificate bundle {path} cannot be used: {problem}.",
        path=path,
        problem=Message.of(problem),
    )
    return Misconfiguration(message, setting)


def _tls_context() -> ssl.SSLContext:
    """Return a TLS context with the CA certificates of the user's bundle, or those of requests.

    Raises Misconfiguration if they cannot be loaded.
    """
    path, setting = ca_bundle()
    context = create_tls_context()
    bundle = path or DEFAULT_CA_BUNDLE_PATH
    try:
        # REQUESTS_CA_BUNDLE may name a folder of certificates, as for curl.
        is_folder = Path(bundle).is_dir()
        context.load_verify_locations(None if is_folder else bundle, bundle if is_folder else None)
    except ssl.SSLError as error:
        raise _bad_ca_bundle(bundle, setting, "it contains no certificate") from error
    except OSError as error:
        raise _bad_ca_bundle(bundle, setting, error.strerror or "it is not valid") from error
    return context


def _call_failure(error: Exception, call: Call, address: WebAddress, route: Route) -> CallFailed:
    if isinstance(error, Misconfiguration):
        return CallFailed(error.problem, call.sent)
    requested = call.requesting or call.sent is not Sent.NO
    problem = explain(
        error, address.host, proxy=route.shown, variable=route.variable, sent=requested
    )
    return CallFailed(problem, call.sent)
