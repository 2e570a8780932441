# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains failed calls to the user: unknown host, expired certificate, refusing proxy.

Only the wording is decided here. `verdicts` decides whether an order may have been charged.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..messages import Message, as_message

CERTIFICATES = {
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate is self-signed",
    20: "its certificate was issued by an untrusted authority",
    21: "its certificate was issued by an untrusted authority",
    62: "its certificate is for a different host",
    64: "its certificate is for a different host",
}
"""Reasons by OpenSSL's verify code (X509_V_ERR_…), for errors that users can fix."""
BROKE_OFF = Message("the connection was interrupted")
UNREADABLE = Message("the response cannot be read")
WORDS: tuple[tuple[tuple[type[BaseException], ...], Message], ...] = (
    ((socket.gaierror,), Message("its name cannot be resolved")),
    ((http.client.RemoteDisconnected, http.client.IncompleteRead), BROKE_OFF),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), BROKE_OFF),
    ((http.client.HTTPException, zlib.error), UNREADABLE),
    ((ssl.SSLError,), Message("no secure connection could be established")),
)
TUNNEL = re.compile("Tunnel connection failed:(.*)", re.DOTALL)
"""Matches the message of http.client's OSError, the only trace of a proxy's answer to CONNECT."""
NEITHER = "Check the connection."
TRUST = "If your network inspects connections, set Certificate Bundle in the add-on preferences."


@dataclass(frozen=True, slots=True)
class CallProblem:
    """Why a call failed, and what the user can do. `lasting`: a retry would fail again.

    `message` is a complete sentence, `reason` only its last clause.
    """

    message: str
    hint: str
    reason: str
    lasting: bool = False


def explain(error: Exception, host: str, *, proxy: str, variable: str, sent: bool) -> CallProblem:
    """Return why a host could not be reached, or did not answer.

    `proxy` is the proxy's host and port, `variable` the setting that it comes from. `sent`: the
    connection was established, and sending the request had begun.
    """
    reason, lasting = _reason(error, sent=sent)
    certificate = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
    if proxy and not sent and not certificate:
        message = Message(
            "{host} cannot be reached through the proxy {proxy}: {reason}.",
            host=host,
            proxy=proxy,
            reason=reason,
        )
        return CallProblem(
            message, Message("Check {variable}.", variable=as_message(variable)), reason, lasting
        )
    message = Message("{host} cannot be reached: {reason}.", host=host, reason=reason)
    return CallProblem(message, TRUST if certificate else NEITHER, reason, lasting)


def _reason(error: Exception, *, sent: bool) -> tuple[str, bool]:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            known = CERTIFICATES.get(cause.verify_code, "its certificate cannot be verified")
            return Message.of(known), True
    return _words(causes, sent=sent), isinstance(error, ValueError | RecursionError)


def _words(causes: list[BaseException], *, sent: bool) -> str:
    """Return the reason for the innermost known cause, which says most about the problem.

    If no cause is known, return a general reason.
    """
    for cause in reversed(causes):
        for kinds, words in WORDS:
            if isinstance(cause, kinds):
                return words
        if isinstance(cause, TimeoutError):
            return (
                Message("the response timed out") if sent else Message("the connection timed out")
            )
        if isinstance(cause, OSError) and (refused := TUNNEL.fullmatch(str(cause))):
            answer = refused[1].strip()[:60]
            return Message("the proxy responded with “{answer}”", answer=answer)
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return as_message(cause.strerror)
    if any(isinstance(cause, ValueError) for cause in causes):
        return UNREADABLE if sent else Message("the request is not valid")
    return BROKE_OFF if sent else Message("no connection")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors wrapped in it, from the outside in."""
    # requests and urllib3 wrap errors in `reason`, in `args` and by chaining, in any combination,
    # even in circles. 50 is more than they ever nest.
    seen: list[BaseException] = []
    pending: list[object] = [error]
    while pending and len(seen) < 50:
        cause = pending.pop(0)
        if not isinstance(cause, BaseException) or cause in seen:
            continue
        seen.append(cause)
        pending += [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]
    yield from seen
