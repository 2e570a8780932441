# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of the providers: calls to a service, and downloads without the API key.

It enforces four rules for every provider: the API key is sent to the service's own host only, an
order is sent once, other calls are retried with backoff, and every response is limited in size.
`verdicts` decides which error a failed call becomes, by how much of it the transport has sent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from ..bundled_modules import bundled_imports
from ..errors import BadReply, Sent, Unreachable
from ..messages import Message
from ..redaction import redactor_for
from ..servers.event_stream import Events, Transcript, read_events
from .addresses import WebAddress
from .allowed_addresses import AddressPolicy, Forbidden
from .backoff import ATTEMPTS, RETRIED, asks_too_long, delay
from .recorded_answer import AnswerRecorder
from .reply import PIECE, Reply, reply_of
from .verdicts import pieces_until, submit_error, unreachable_error, with_sent

with bundled_imports("requests", "urllib3"):
    from .download_stream import FREE_LIMIT, READ_LIMIT, Downloads
    from .transport import CallFailed, Transport, read_body

MAX_REPLY = 1024 * 1024
"""Maximum bytes of a response without a mesh; services send a few kilobytes at most."""
MAX_PAGE = 16 * 1024 * 1024
"""Maximum bytes of a page that is inspected; large apps describe themselves in some megabytes."""
MAX_LONG_REPLY = 1024**3
"""Maximum bytes of a response whose long strings are shortened while it arrives."""
STREAM_LIMIT = 12 * 3600.0
"""Maximum seconds of a stream of events; the queue of a busy app can take hours."""

Pause = Callable[[float], None]
Files = Mapping[str, tuple[str, bytes, str]]
"""For each field of a form that is a file: its name, content and media type."""


class Http(Downloads):
    """The connection to one service.

    `headers` carry the API key and go to `base_url` only. `secrets` are redacted in responses,
    since some services quote the key in their errors. `online`: False allows loopback only.
    `self_hosted` and `may_be_public`: the service is the user's own server; see `AddressPolicy`.
    `plain_secrets`: the user agrees to send `headers` there unencrypted. `beside` are base URLs of
    the service's other servers, whose URLs are taken in place of paths; `replaced`: the user has
    set `base_url`, which is called in their place. `pause` sleeps, and may raise Cancelled.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        secrets: Iterable[str] = (),
        online: bool = True,
        self_hosted: bool = False,
        may_be_public: bool = False,
        plain_secrets: bool = False,
        beside: Iterable[str] = (),
        replaced: bool = False,
        pause: Pause = time.sleep,
    ) -> None:
        policy = AddressPolicy(
            base_url.rstrip("/"),
            online=online,
            self_hosted=self_hosted,
            may_be_public=may_be_public,
            confidential=bool(headers) and not plain_secrets,
            beside={url: base_url.rstrip("/") if replaced else url for url in beside},
        )
        super().__init__(policy, Transport(direct=policy.is_own), headers)
        self.online = online
        self._secrets = redactor_for(secrets, self._headers)
        self._pause = pause
        self.recorder: AnswerRecorder | None = None  # gets the answers to orders as they arrive
        self.transcript: Transcript | None = None  # keeps a job's streams and later calls
        self.is_busy = False  # whether the last pause was due to an answer, not to its absence

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        shorten: bool = False,
    ) -> Reply:
        """Send a GET to a path of the service, with retries.

        `headers` are added to the usual ones. `shorten`: the response may be long. Of a mesh file,
        only the beginning is read. Strings in JSON, which may contain files, are shortened as in
        `shorten_strings`. Raises Unreachable if no complete response arrives or
        Blender is offline, InvalidSettings for an unusable base URL, BadReply if the response is
        too large or a redirect.
        """
        return self._send_with_retries(
            "GET",
            self._policy.at_home(path),
            limit=MAX_LONG_REPLY if shorten else MAX_REPLY,
            shorten=shorten,
            params=params,
            headers={**(headers or {}), **self._headers},
        )

    def inspect(self, path: str, limit: float, *, with_key: bool = False) -> Reply:
        """Send one GET to a path of the service, without retries, for at most `limit` seconds.

        The API key is sent only `with_key`. Errors as in `get`.
        """
        address = self._policy.at_home(path, secret=with_key)
        try:
            return self._once(
                "GET",
                address,
                time_limit=limit,
                timeout=limit,
                pace=math.inf,  # no byte extends the limit: a server may send one now and then
                limit=MAX_PAGE,
                check_host=self._policy.home_check(address, secret=with_key),
                headers=self._headers if with_key else {},
            )
        except CallFailed as error:
            raise unreachable_error(error) from error

    def events(self, path: str) -> Events:
        """Open a stream of events at a path of the service once, and yield their JSON.

        Raises Unreachable if it cannot be opened, breaks off, or lasts longer than `STREAM_LIMIT`
        seconds: `sent` is NO if the service has certainly not opened it. Close the iterator on the
        thread that uses it.
        """
        address = self._policy.at_home(path)
        try:
            with self._transport.send(
                "GET",
                address,
                time_limit=FREE_LIMIT,
                stall_timeout=READ_LIMIT,
                check_host=self._policy.home_check(address),
                headers=self._headers,
            ) as answer:
                if answer.status != 200:
                    text = Message("The service returned status {status}.", status=answer.status)
                    # A gateway answers so in place of the service, which has sent nothing then.
                    is_gateway = answer.status >= 500
                    raise with_sent(Unreachable(text), Sent.NO if is_gateway else Sent.YES)
                answer.lift_deadline(STREAM_LIMIT)
                pieces = pieces_until(time.monotonic() + STREAM_LIMIT, answer.pieces(PIECE))
                yield from read_events(pieces, self._secrets.redact)
        except Forbidden as error:
            raise error.as_error(BadReply) from error
        except CallFailed as error:
            raise unreachable_error(error) from error

    def check_address(self) -> None:
        """Raise InvalidSettings for an unusable base URL, Unreachable if Blender is offline."""
        self._policy.at_home("", secret=False)

    @property
    def address(self) -> str:
        """The service's base URL, without a trailing slash."""
        return self._policy.base

    @property
    def has_key(self) -> bool:
        """Whether calls carry a key."""
        return bool(self._headers)

    def post(
        self,
        path: str,
        *,
        method: Literal["POST", "PUT"] = "POST",
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = READ_LIMIT,
    ) -> Reply:
        """Send a free POST or PUT, with retries; errors as in `get`.

        The body is `json`, or `form` and `files` as multipart form data. `headers` are added to the
        usual ones.
        """
        return self._send_with_retries(
            method,
            self._policy.at_home(path),
            json=json,
            data=form,
            files=files,
            headers={**(headers or {}), **self._headers},
            timeout=timeout,
        )

    def put(
        self, url: str, data: bytes, content_type: str, *, timeout: float = READ_LIMIT
    ) -> Reply:
        """Upload bytes to a presigned URL, with retries and without the API key.

        `timeout` is the maximum number of seconds without a byte. Raises BadReply if the URL or the
        response cannot be used, Unreachable if no complete response arrives or Blender is offline.
        """
        return self._send_with_retries(
            "PUT",
            self._policy.elsewhere(url, self._policy.check_host(url), BadReply),
            check_host=self._policy.check_host(url),
            data=data,
            headers={"Content-Type": content_type},  # guard: no-key-with-pictures
            timeout=timeout,
        )

    def delete(self, path: str) -> Reply:
        """Send one DELETE, not retried: a later one may find another state. Errors as in `get`."""
        address = self._policy.at_home(path)
        try:
            return self._once("DELETE", address, time_limit=FREE_LIMIT, headers=self._headers)
        except CallFailed as error:
            raise unreachable_error(error) from error

    def wait(self, seconds: float) -> None:
        """Sleep `seconds` between two polls. Raises Cancelled if the job is stopped meanwhile."""
        self._pause(seconds)

    def submit(
        self,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        files: Files | None = None,
        body: bytes | None = None,
        timeout: float = READ_LIMIT,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_REPLY,
        recorded: bool = True,
    ) -> Reply:
        """Send the one POST that costs money. It is never retried, except after status 429.

        A rate limit rejects a request before it is processed. After any other failure the service
        may have accepted the order, and sending it again could charge the user twice.

        The body is `json`, or `form` and `files` as multipart form data, or the bytes of `body`;
        `headers` are added to the usual ones. `timeout` is the time limit in seconds, for sending
        and again for the response; `limit` is the maximum size of the response, in bytes.
        `recorded`: False for a later call of an order, which `transcript` keeps. Raises
        Unreachable if not a byte was sent, Uncertain if the service may have received the request,
        InvalidSettings for an unusable base URL, and BadReply if the response is too large or a
        redirect.
        """
        address = self._policy.at_home(path)
        recorder = self.recorder if recorded else None
        if recorder is not None:
            recorder.sending()
        for attempt in range(ATTEMPTS):
            # The server may have closed an idle connection: then writing to it still succeeds, and
            # the error on reading does not show whether the request arrived.
            self._transport.refresh()  # guard: submit-on-a-new-connection
            try:
                reply = self._once(
                    "POST",
                    address,
                    time_limit=timeout,
                    timeout=timeout,
                    limit=limit,
                    recorder=recorder,
                    json=json,
                    data=form if body is None else body,
                    files=files,
                    headers={**self._headers, **(headers or {})},
                )
            except CallFailed as error:
                raise submit_error(error) from error
            refused = reply.status == 429  # guard: submit-repeated-on-429-only
            if not refused or attempt == ATTEMPTS - 1 or asks_too_long(reply):
                return reply
            self.is_busy = True
            self._pause(delay(attempt, reply))
        raise AssertionError("unreachable")

    def pause(self, attempt: int) -> None:
        """Sleep before a free call is retried; the pause grows with `attempt`, counted from 0."""
        self.is_busy = False
        self._pause(delay(attempt))

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    # -- requests --------------------------------------------------------------------------------

    def _send_with_retries(self, method: str, address: WebAddress, **request_args: Any) -> Reply:
        taken = 0.0  # Seconds spent in calls, not counting the pauses between them.
        for attempt in range(ATTEMPTS):
            began, last = time.monotonic(), attempt == ATTEMPTS - 1
            try:
                reply = self._once(method, address, time_limit=FREE_LIMIT - taken, **request_args)
            except CallFailed as error:
                taken += time.monotonic() - began
                if last or error.problem.lasting or taken >= FREE_LIMIT:
                    raise unreachable_error(error) from error
                self.pause(attempt)
                continue
            taken += time.monotonic() - began
            if reply.status not in RETRIED or last or asks_too_long(reply) or taken >= FREE_LIMIT:
                return reply
            self.is_busy = True
            self._pause(delay(attempt, reply))
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
        recorder: AnswerRecorder | None = None,
        shorten: bool = False,
        **request_args: Any,
    ) -> Reply:
        """Send a request once. Raises CallFailed, or BadReply if the response cannot be used."""
        data = bytearray()
        try:
            with self._transport.send(
                method,
                address,
                time_limit=time_limit,
                stall_timeout=timeout,
                check_host=check_host or self._policy.home_check(address),
                **request_args,
            ) as answer:
                spelled = self._secrets.spelled
                read_body(answer, data, limit, recorder=recorder, spelled=spelled, shorten=shorten)
        except Forbidden as error:
            raise error.as_error(BadReply) from error
        except BadReply as error:
            raise with_sent(error, Sent.YES) from None
        return reply_of(answer.status, answer.headers, data, self._secrets)
