# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request, once, and says of a failed one how much was sent and what was in the way.

The only user of requests, of which it takes how requests are made and connections pooled. Its
sessions would keep cookies, read the bodies of redirects and take keys out of `.netrc`.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
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

from ..errors import Message, Sent
from .addresses import BadAddress, WebAddress, read_address
from .allowed_addresses import Forbidden
from .ca_bundle import ca_bundle
from .connections import Call, active_call, create_tls_context, track_connections
from .explain import CallProblem, explain

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""How bodies may be packed, and zlib's number for it. None is asked for."""
MORE = 1024 * 1024
"""Bytes that a body's packing may take besides."""


class CallFailed(Exception):
    """A call that brought no answer, or not all of it. `sent`: how much of the request left."""

    def __init__(self, problem: CallProblem, sent: Sent) -> None:
        super().__init__(str(problem.message))
        self.problem = problem
        self.sent = sent


class Answer:
    """An answer's head, and its body as it comes. The names of headers are in lower case."""

    def __init__(
        self, response: requests.Response, call: Call, failed: Callable[[Exception], CallFailed]
    ) -> None:
        self.status = response.status_code
        self.host = call.host
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._call = call
        self._raw = response.raw
        self._call_failed = failed

    def lift_deadline(self) -> None:
        """Let the body come as slowly as it likes, as long as something comes."""
        self._call.lift_deadline()

    def expect(self, limit: int) -> None:
        """Let no more come than a body of so many bytes can take, whichever way it is sent."""
        self._call.allow(2 * limit + MORE)

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the body in pieces of at most `size` bytes. Raises CallFailed where it breaks off.

        It is unpacked piece by piece, so that a bomb is never whole in memory.
        """
        reader = self._read(size)
        while True:
            try:
                piece = next(reader, None)
            except Exception as error:
                raise self._call_failed(error) from error
            if piece is None:
                return
            yield piece

    def _read(self, size: int) -> Iterator[bytes]:
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding in ("", "identity"):
            while piece := self._raw.read1(size, decode_content=False):
                yield piece
            return
        if coding not in CODINGS:
            raise zlib.error
        unpack = zlib.decompressobj(CODINGS[coding])
        while piece := self._raw.read1(size, decode_content=False):
            while piece:
                yield unpack.decompress(piece, size)  # guard: unpacked-in-pieces
                piece = unpack.unconsumed_tail
        if not unpack.eof:
            raise zlib.error


class Transport:
    """The connections of one service."""

    def __init__(self) -> None:
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
        **request_args: Any,
    ) -> Iterator[Answer]:
        """Send a request and give its answer. Raises CallFailed, whatever went wrong.

        `patience`: seconds for all of it, `stall`: for which nothing may come; `judge` raises
        Forbidden for a number that may not be connected to.
        """
        call, route = Call(address.host, time_limit, stall_timeout, check_host), _Route("", "")

        def failed(error: Exception) -> CallFailed:
            return _call_failed(error, call, address, route)

        with active_call(call):
            try:
                route = _route_to(address)
                route.check()
                request = _prepared(method, address, request_args)
                response = self._adapter(address, route).send(
                    request, stream=True, timeout=stall_timeout, proxies=route.as_proxies
                )
            except Forbidden:
                raise
            except Exception as error:
                raise failed(error) from error
            with response:
                yield Answer(response, call, failed)

    def refresh(self) -> None:
        """Let the next request have a new connection: an idle one may be closed over there."""
        for adapter in self._adapters.values():
            adapter.close()

    close = refresh

    def _adapter(self, address: WebAddress, route: _Route) -> _Adapter:
        encrypted = address.scheme == "https" or route.proxy.lower().startswith("https:")
        if encrypted not in self._adapters:
            self._adapters[encrypted] = _Adapter(_tls_context() if encrypted else None)
        return self._adapters[encrypted]


class _Adapter(HTTPAdapter):
    """Pools of connections that are watched, and encrypted as is set here alone."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make the pools of connections without a proxy."""
        super().init_poolmanager(*args, ssl_context=self._context, **named)
        track_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        """Make the pools of connections through a proxy."""
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        named["ssl_context"] = self._context
        if not proxy.lower().startswith("socks"):
            named["proxy_ssl_context"] = self._context
        manager = super().proxy_manager_for(proxy, **named)
        track_connections(manager)
        return manager

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Leave it to the context, which verifies always."""


class _Route:
    """Which proxy leads to an address, if one does, and what says so."""

    def __init__(self, proxy: str, variable: str) -> None:
        self.proxy = proxy
        self.variable = variable

    @property
    def as_proxies(self) -> dict[str, str]:
        """The proxy as requests takes it."""
        return {"http": self.proxy, "https": self.proxy} if self.proxy else {}

    @property
    def place(self) -> WebAddress:
        """Where the proxy is, without its password; raises BadAddress."""
        scheme, _, rest = self.proxy.rpartition("://")
        if scheme.lower() not in ("", *SCHEMES):
            raise BadAddress("it does not begin with http://")
        return read_address(f"http://{rest.rpartition('@')[2]}")

    @property
    def shown(self) -> str:
        """The proxy for people."""
        if not self.proxy:
            return ""
        with contextlib.suppress(BadAddress):
            return f"{self.place.host}:{self.place.port}"
        return "…"

    def check(self) -> None:
        """Raise what is wrong with how the proxy is set."""
        if not self.proxy:
            return
        try:
            self.place  # noqa: B018 - it raises
        except BadAddress as error:
            raise _Misconfiguration(
                Message(
                    "The proxy's address in {variable} cannot be used: {reason}.",
                    variable=self.variable,
                    reason=error.reason,
                ),
                self.variable,
            ) from error
        if self.proxy.lower().startswith("socks") and find_spec("socks") is None:
            raise _Misconfiguration(
                Message("The proxy {proxy} speaks SOCKS, which needs PySocks.", proxy=self.shown),
                self.variable,
            )


def _route_to(address: WebAddress) -> _Route:
    """Return the proxy to an address; what is on this machine has none, whatever is set."""
    if address.is_loopback:  # guard: no-proxy-for-loopback
        return _Route("", "")
    proxy = select_proxy(address.url, get_environ_proxies(address.url)) or ""
    names = (f"{address.scheme}_proxy", "all_proxy")
    known = [name for one in names for name in (one, one.upper()) if os.environ.get(name) == proxy]
    return _Route(proxy, known[0] if known else "the system's proxy settings")


def _prepared(
    method: str, address: WebAddress, request_args: Mapping[str, Any]
) -> requests.PreparedRequest:
    headers = {
        **default_headers(),
        "Accept-Encoding": "identity",
        **request_args.get("headers", {}),
    }
    parts = {
        name: one for name, one in request_args.items() if name != "headers" and one is not None
    }
    return requests.Request(method, address.url, headers=headers, **parts).prepare()


class _Misconfiguration(Exception):
    """Something that is set on this computer keeps calls from being made; `origin` has it."""

    def __init__(self, message: str, origin: str) -> None:
        super().__init__(message)
        reason = message.rstrip(".")
        hint = Message("Check {variable}.", variable=origin)
        self.problem = CallProblem(message, hint, reason, lasting=True)


def _bad_ca_bundle(path: str, origin: str, problem: str) -> _Misconfiguration:
    message = Message(
        "The certificate bundle {path} cannot be used: {problem}.",
        path=path,
        problem=Message.of(problem),
    )
    return _Misconfiguration(message, origin)


def _tls_context() -> ssl.SSLContext:
    """Return what connections are encrypted with, and checked against."""
    path, origin = ca_bundle()
    context = create_tls_context()
    place = path or DEFAULT_CA_BUNDLE_PATH
    try:
        is_folder = Path(place).is_dir()
        context.load_verify_locations(None if is_folder else place, place if is_folder else None)
    except ssl.SSLError as error:
        raise _bad_ca_bundle(place, origin, "it holds no certificate") from error
    except OSError as error:
        raise _bad_ca_bundle(place, origin, error.strerror or "it cannot be read") from error
    return context


def _call_failed(error: Exception, call: Call, address: WebAddress, route: _Route) -> CallFailed:
    if isinstance(error, _Misconfiguration):
        return CallFailed(error.problem, call.sent)
    asked = call.asking or call.sent is not Sent.NO
    problem = explain(error, address.host, proxy=route.shown, variable=route.variable, sent=asked)
    return CallFailed(problem, call.sent)
