# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in words what was in the way of a call: words only, its verdict is the transport's own."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Message

CERTIFICATES = {
    10: "its certificate has expired",
    18: "its certificate is signed by itself",
    19: "its certificate is signed by itself",
    20: "its certificate is from an authority that is not trusted here",
    21: "its certificate is from an authority that is not trusted here",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}
"""OpenSSL's codes of what a certificate lacks."""
BROKE_OFF = Message("the connection broke off")
UNREADABLE = Message("what came back cannot be read")
WORDS: tuple[tuple[tuple[type[BaseException], ...], Message], ...] = (
    ((socket.gaierror,), Message("its name is not known")),
    ((http.client.RemoteDisconnected, http.client.IncompleteRead), BROKE_OFF),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), BROKE_OFF),
    ((http.client.HTTPException, zlib.error), UNREADABLE),
    ((ssl.SSLError,), Message("no encrypted connection could be made")),
)
TUNNEL = re.compile("Tunnel connection failed:(.*)", re.DOTALL)
"""How Python says that a proxy refused, with the proxy's answer."""
NEITHER = "Check the connection."
TRUST = "On a network that inspects connections, set its certificate bundle in the preferences."


@dataclass(frozen=True, slots=True)
class CallProblem:
    """What was in the way, and what to do about it. `lasting`: another try meets it again."""

    message: str
    hint: str
    reason: str
    lasting: bool = False


def explain(error: Exception, host: str, *, proxy: str, variable: str, sent: bool) -> CallProblem:
    """Say why a host was not reached, or did not answer.

    `proxy` is the host that was to lead there, and `variable` where that one is from. `sent`: the
    request had begun.
    """
    reason, lasting = _reason(error, sent=sent)
    certificate = any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))
    if proxy and not sent and not certificate:
        message = Message(
            "{host} cannot be reached through the proxy {proxy}: {reason}.",
            host=host,
            proxy=proxy,
            reason=reason,
        )
        return CallProblem(
            message, Message("Check {variable}.", variable=variable), reason, lasting
        )
    message = Message("{host} cannot be reached: {reason}.", host=host, reason=reason)
    return CallProblem(message, TRUST if certificate else NEITHER, reason, lasting)


def _reason(error: Exception, *, sent: bool) -> tuple[str, bool]:
    causes = list(_causes(error))
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            known = CERTIFICATES.get(one.verify_code, "its certificate cannot be verified")
            return Message.of(known), True
    return _words(causes, sent=sent), isinstance(error, ValueError | RecursionError)


def _words(causes: list[BaseException], *, sent: bool) -> str:
    """Return a few words for the innermost cause that there are words for."""
    for one in reversed(causes):
        for kinds, words in WORDS:
            if isinstance(one, kinds):
                return words
        if isinstance(one, TimeoutError):
            return Message("no answer in time") if sent else Message("no connection in time")
        if isinstance(one, OSError) and (refused := TUNNEL.fullmatch(str(one))):
            answer = refused[1].strip()[:60]
            return Message("the proxy answered {answer}", answer=answer)
        if isinstance(one, OSError) and one.errno and one.strerror:
            return Message.of(one.strerror)
    if any(isinstance(one, ValueError) for one in causes):
        return UNREADABLE if sent else Message("it cannot be asked")
    return BROKE_OFF if sent else Message("no connection")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what is wrapped in it, from the outside in."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(seen) < 50:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        waiting += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]
    yield from seen
