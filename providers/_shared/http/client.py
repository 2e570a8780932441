# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to a service, and downloads that know no key.

The rules that hold for every provider are kept here: the key goes to the service's own host only,
a submit is sent once, everything else is retried with patience, and no answer is read without end.
What a failed call means is decided in `_verdicts`, by how much of it the transport has sent.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..bundled_modules import bundled_imports
from ..errors import BadImage, BadMesh, BadReply, ImageToMeshError, Message, Sent, Unreachable
from ..redaction import redactor_for
from .addresses import BadAddress, WebAddress, redirect_target
from .allowed_addresses import AddressPolicy, Forbidden
from .recorded_answer import AnswerRecorder, record_answer
from .reply import Reply, is_refusal, reply_of
from .verdicts import OWN_NETWORK, submit_error, unreachable_error, unusable_address, with_sent

with bundled_imports("requests", "urllib3"):
    from .transport import Answer, CallFailed, Transport

READ_LIMIT = 60.0
FREE_LIMIT = 90.0
"""Seconds for a free call and its repetitions, besides what its bytes take and the pauses."""
PIECE = 1024 * 1024
MAX_REPLY = 1024 * 1024
"""Bytes of an answer that brings no mesh."""
ATTEMPTS = 5
LONGEST_PAUSE = 30.0
LONGEST_WAIT = 120.0
"""A service that asks for a longer pause is not asked again: the user is told instead."""
RETRIED = frozenset({429, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5

Pause = Callable[[float], None]
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Stream:
    """A download's answer: status, headers in lower case, and the body in pieces as it comes."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Interrupted(Exception):
    """The connection of a download could not be opened, or ended before its time.

    `lasting`: what is in the way here, which another try would meet again.
    """

    def __init__(self, reason: str, lasting: ImageToMeshError | None = None) -> None:
        super().__init__(reason)
        self.lasting = lasting


def _no_check() -> None:
    return None


class Http:
    """Calls to one service. `headers` carry the key; `pause` sleeps and may raise Cancelled.

    `secrets` are what must not be seen in an answer that quotes them.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        secrets: Iterable[str] = (),
        online: bool = True,
        self_hosted: bool = False,
        pause: Pause = time.sleep,
    ) -> None:
        self._policy = AddressPolicy(base_url.rstrip("/"), online=online, self_hosted=self_hosted)
        self._headers = dict(headers)
        self._secrets = redactor_for(secrets, self._headers)
        self._pause = pause
        self.keep: AnswerRecorder | None = None
        """Takes the answers to orders as they come, before they are read."""
        self._transport = Transport()

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """Ask for something; retried."""
        return self._send_with_retries(
            "GET", self._policy.at_home(path), params=params, headers=self._headers
        )

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: float = READ_LIMIT,
    ) -> Reply:
        """Post something free, such as an upload; retried."""
        return self._send_with_retries(
            "POST",
            self._policy.at_home(path),
            json=json,
            files=files,
            headers=self._headers,
            timeout=timeout,
        )

    def put(
        self, url: str, data: bytes, content_type: str, *, timeout: float = READ_LIMIT
    ) -> Reply:
        """Put bytes to the whole address that a service gave for them; retried, without the key."""
        return self._send_with_retries(
            "PUT",
            self._policy.elsewhere(url, self._policy.check_host(url), BadReply),
            check_host=self._policy.check_host(url),
            data=data,
            headers={"Content-Type": content_type},  # guard: no-key-with-pictures
            timeout=timeout,
        )

    def wait(self, seconds: float) -> None:
        """Let time pass between two looks at the service; raises what ends the job meanwhile."""
        self._pause(seconds)

    def submit(
        self,
        path: str,
        *,
        json: Any,
        timeout: float = READ_LIMIT,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_REPLY,
    ) -> Reply:
        """Post the one call that costs: sent once. `limit`: bytes that the answer may have.

        `timeout`: seconds for the whole answer. Raises Unreachable where surely not a byte was
        sent, Uncertain where nobody knows. Only a 429 is sent again, after a pause: a limit of the
        rate acts before the order. Behind anything else there may be an order already.
        """
        address = self._policy.at_home(path)
        if self.keep is not None:
            self.keep.sending()
        for attempt in range(ATTEMPTS):
            self._transport.refresh()  # guard: submit-on-a-new-connection
            try:
                reply = self._once(
                    "POST",
                    address,
                    time_limit=timeout,
                    timeout=timeout,
                    limit=limit,
                    keep=self.keep,
                    json=json,
                    headers={**self._headers, **(headers or {})},
                )
            except CallFailed as error:
                raise submit_error(error) from error
            refused = reply.status == 429  # guard: submit-repeated-on-429-only
            if not refused or attempt == ATTEMPTS - 1 or _asks_too_long(reply):
                return reply
            self._pause(_delay(attempt, reply))
        raise AssertionError("unreachable")

    def fetch(self, url: str, limit: int, *, check: Check = _no_check) -> bytes:
        """Download a picture into memory, at most `limit` bytes. Raises BadImage or Unreachable."""
        try:
            with self._open(url, {}, BadImage) as answer:
                if answer.status >= 400:
                    raise BadImage(
                        Message("The picture's address answered {status}.", status=answer.status),
                        "Check it.",
                    )
                return b"".join(_pieces(answer, limit, check))
        except CallFailed as error:
            raise with_sent(
                Unreachable(
                    Message(
                        "The picture cannot be fetched: {reason}.", reason=error.problem.reason
                    ),
                    error.problem.hint,
                ),
                error.sent,
            ) from error
        except BadReply as error:
            raise BadImage(error.message, "Use a smaller picture.") from error

    @contextlib.contextmanager
    def opened(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open a download, without any key; raises BrokenOff where the connection does.

        Raises BadMesh for an address that leads nowhere that it may.
        """
        try:
            with self._open(url, headers, BadMesh) as answer:
                answer.lift_deadline()
                yield Stream(answer.status, answer.headers, _arriving(answer))
        except CallFailed as error:
            lasting = with_sent(Unreachable(error.problem.message, error.problem.hint), error.sent)
            reason = error.problem.reason
            raise Interrupted(reason, lasting if error.problem.lasting else None) from error

    def pause(self, attempt: int) -> None:
        """Wait before a free call is repeated: longer with each attempt, counted from 0."""
        self._pause(_delay(attempt))

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._transport.close()

    # -- inside ----------------------------------------------------------------------------------

    def _send_with_retries(self, method: str, address: WebAddress, **request_args: Any) -> Reply:
        taken = 0.0
        for attempt in range(ATTEMPTS):
            began = time.monotonic()
            last = attempt == ATTEMPTS - 1
            try:
                reply = self._once(method, address, time_limit=FREE_LIMIT - taken, **request_args)
            except CallFailed as error:
                taken += time.monotonic() - began
                if last or error.problem.lasting or taken >= FREE_LIMIT:
                    raise unreachable_error(error) from error
                self._pause(_delay(attempt))
                continue
            taken += time.monotonic() - began
            last = last or _asks_too_long(reply) or taken >= FREE_LIMIT
            if reply.status not in RETRIED or last:
                return reply
            self._pause(_delay(attempt, reply))
        raise AssertionError("unreachable")

    def _once(
        self,
        method: str,
        address: WebAddress,
        *,
        time_limit: float,
        timeout: float = READ_LIMIT,
        limit: int = MAX_REPLY,
        check_host: Callable[[str], None] | None = None,
        keep: AnswerRecorder | None = None,
        **request_args: Any,
    ) -> Reply:
        """Send once. Raises CallFailed; BadReply for an answer that is none."""
        data = bytearray()
        try:
            with self._transport.send(
                method,
                address,
                time_limit=time_limit,
                stall_timeout=timeout,
                check_host=check_host,
                **request_args,
            ) as answer:
                self._read(answer, limit, keep, data)
        except Forbidden as error:
            raise unusable_address(BadReply, OWN_NETWORK) from error
        except BadReply as error:
            raise with_sent(error, Sent.YES) from None
        return reply_of(answer.status, answer.headers, data, self._secrets)

    def _read(
        self, answer: Answer, limit: int, keep: AnswerRecorder | None, data: bytearray
    ) -> None:
        """Read an answer's body; that of a redirect is nobody's, and stays unread."""
        redirects = answer.status in REDIRECTS
        pieces = _pieces(answer, limit, _no_check)
        if redirects:  # guard: redirects-are-unread
            pieces = iter(())
        if keep is not None:
            pieces = record_answer(
                keep, answer.status, answer.headers, pieces, self._secrets.spelled
            )
        try:
            for piece in pieces:
                data += piece
        except CallFailed:
            if not is_refusal(answer.status):  # of a refusal, the status says enough
                raise
        if redirects:
            message = Message(
                "{host} redirects to another address, which is not followed.", host=answer.host
            )
            raise BadReply(message, "Check the service's address.")

    @contextlib.contextmanager
    def _open(
        self, url: str, headers: Mapping[str, str], kind: type[ImageToMeshError]
    ) -> Iterator[Answer]:
        """Open a file's address without any key, following redirects that stay allowed."""
        check_host = self._policy.check_host(url)
        address = self._policy.elsewhere(url, check_host, kind)
        for _ in range(MOST_REDIRECTS + 1):
            try:
                with self._transport.send(
                    "GET",
                    address,
                    time_limit=FREE_LIMIT,
                    stall_timeout=READ_LIMIT,
                    check_host=check_host,
                    headers=headers,  # guard: no-key-with-downloads
                ) as answer:
                    leads = answer.headers.get("location", "")
                    if answer.status not in REDIRECTS or not leads:
                        yield answer
                        return
                address = self._policy.elsewhere(
                    redirect_target(address, leads).url, check_host, kind
                )
            except Forbidden as error:
                raise unusable_address(kind, OWN_NETWORK) from error
            except BadAddress as error:
                raise unusable_address(kind, error.reason) from error
        raise unusable_address(kind, "it redirects again and again")


# -- bodies and pauses ---------------------------------------------------------------------------


def _arriving(answer: Answer) -> Iterator[bytes]:
    """Yield what comes as it comes, so that a slow server cannot keep anything waiting for long."""
    return answer.pieces(PIECE)


def _pieces(answer: Answer, limit: int, check: Check) -> Iterator[bytes]:
    done = 0
    answer.expect(limit)
    for piece in answer.pieces(PIECE):
        check()
        done += len(piece)
        if done > limit:  # guard: answer-limit
            message = Message("The answer has more than {size} MB.", size=limit // 1_000_000)
            raise BadReply(message, "Try again later.")
        yield piece


def _delay(attempt: int, reply: Reply | None = None) -> float:
    asked = reply.asked_pause if reply else None
    if asked is not None:
        return asked
    return float(min(0.5 * 2**attempt, LONGEST_PAUSE)) * random.uniform(0.8, 1.2)


def _asks_too_long(reply: Reply) -> bool:
    return (reply.asked_pause or 0.0) > LONGEST_WAIT
