# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of the providers: calls to a service, and downloads without the API key.

It enforces four rules for every provider: the API key is sent to the service's own host only, an
order is sent once, other calls are retried with backoff, and every response is limited in size.
`verdicts` decides which error a failed call becomes, by how much of it the transport has sent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..bundled_modules import bundled_imports
from ..errors import BadImage, BadMesh, BadReply, ImageToMeshError, Sent, Unreachable
from ..messages import Message
from ..redaction import redactor_for
from .addresses import BadAddress, WebAddress, redirect_target
from .allowed_addresses import AddressPolicy, Forbidden
from .backoff import ATTEMPTS, RETRIED, asks_too_long, delay
from .download_stream import Interrupted, Stream
from .recorded_answer import AnswerRecorder, record_answer
from .reply import PIECE, Reply, bounded_pieces, is_refusal, reply_of
from .verdicts import OWN_NETWORK, submit_error, unreachable_error, unusable_address, with_sent

with bundled_imports("requests", "urllib3"):
    from .transport import Answer, CallFailed, Transport

READ_LIMIT = 60.0
"""Maximum seconds that a call waits without receiving a byte."""
FREE_LIMIT = 90.0
"""Maximum seconds for a free call with its retries, not counting transfers and pauses."""
MAX_REPLY = 1024 * 1024
"""Maximum bytes of a response without a mesh; services send a few kilobytes at most."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
"""Maximum redirects of a download; storage services redirect once or twice, so more is a loop."""

Pause = Callable[[float], None]
Files = Mapping[str, tuple[str, bytes, str]]
"""For each field of a form that is a file: its name, content and media type."""
Check = Callable[[], None]


def _no_check() -> None:
    return None


class Http:
    """The connection to one service.

    `headers` carry the API key and go to `base_url` only. `secrets` are redacted in responses,
    since some services quote the key in their errors. `online`: False allows loopback only.
    `self_hosted` allows plain http in private networks. `pause` sleeps, and may raise Cancelled.
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
        self.recorder: AnswerRecorder | None = None  # gets the answers to orders as they arrive
        self.is_busy = False  # whether the last pause was due to an answer, not to its absence
        self.linked_etag = ""  # the last redirect's X-Linked-ETag, such as the file's SHA-256
        self._transport = Transport()

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """Send a GET to a path of the service, with retries.

        Raises Unreachable if no complete response arrives or Blender is offline, InvalidSettings
        for an unusable base URL, BadReply if the response is too large or a redirect.
        """
        return self._send_with_retries(
            "GET", self._policy.at_home(path), params=params, headers=self._headers
        )

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        files: Files | None = None,
        timeout: float = READ_LIMIT,
    ) -> Reply:
        """Send a free POST of `json`, or of `files` as a form, with retries; errors as in `get`."""
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
        timeout: float = READ_LIMIT,
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_REPLY,
    ) -> Reply:
        """Send the one POST that costs money. It is never retried, except after status 429.

        A rate limit rejects a request before it is processed. After any other failure the service
        may have accepted the order, and sending it again could charge the user twice.

        The body is `json`, or `form` and `files` as multipart form data; `headers` are added to the
        usual ones. `timeout` is the time limit in seconds, for sending and again for the response;
        `limit` is the maximum size of the response, in bytes. Raises Unreachable if not a byte was
        sent, Uncertain if the service may have received the request, InvalidSettings for an
        unusable base URL, and BadReply if the response is too large or a redirect.
        """
        address = self._policy.at_home(path)
        if self.recorder is not None:
            self.recorder.sending()
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
                    recorder=self.recorder,
                    json=json,
                    data=form,
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

    def fetch(self, url: str, limit: int, *, check: Check = _no_check) -> bytes:
        """Return an image of at most `limit` bytes, downloaded in one attempt without the API key.

        `check` is called for every chunk, and may raise Cancelled. Raises BadImage if the URL or
        response cannot be used, Unreachable if no response arrives or Blender is offline.
        """
        try:
            with self._open(url, {}, BadImage) as answer:
                if answer.status >= 400:
                    raise BadImage(
                        Message("The URL returned status {status}.", status=answer.status),
                        "Check the URL.",
                    )
                return b"".join(bounded_pieces(answer, limit, check))
        except CallFailed as error:
            raise with_sent(
                Unreachable(
                    Message(
                        "The image cannot be downloaded: {reason}.", reason=error.problem.reason
                    ),
                    error.problem.hint,
                ),
                error.sent,
            ) from error
        except BadReply as error:
            raise BadImage(error.message, "Use a smaller image.") from error

    @contextlib.contextmanager
    def open_download(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open a download, without the API key.

        Raises Interrupted if the connection fails, now or while the block reads. Raises BadMesh if
        the URL or one of its redirects must not be used, and Unreachable if Blender is offline.
        """
        try:
            with self._open(url, headers, BadMesh) as answer:
                # A large model may take very long on a slow line, so there is no deadline;
                # `downloads` detects stalls instead.
                answer.lift_deadline()
                yield Stream(answer.status, answer.headers, _arriving(answer))
        except CallFailed as error:
            lasting = with_sent(Unreachable(error.problem.message, error.problem.hint), error.sent)
            reason = error.problem.reason
            raise Interrupted(reason, lasting if error.problem.lasting else None) from error

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
                check_host=check_host,
                **request_args,
            ) as answer:
                self._read(answer, limit, recorder, data)
        except Forbidden as error:
            raise unusable_address(BadReply, OWN_NETWORK) from error
        except BadReply as error:
            raise with_sent(error, Sent.YES) from None
        return reply_of(answer.status, answer.headers, data, self._secrets)

    def _read(
        self, answer: Answer, limit: int, recorder: AnswerRecorder | None, data: bytearray
    ) -> None:
        """Read a body into `data`. Raises CallFailed, or BadReply for a redirect or a long body."""
        redirects = answer.status in REDIRECTS
        pieces = bounded_pieces(answer, limit, _no_check)
        # A redirect's body is meant for browsers, and a service could keep the call busy with it.
        if redirects:  # guard: redirects-are-unread
            pieces = iter(())
        if recorder is not None:
            pieces = record_answer(
                recorder, answer.status, answer.headers, pieces, self._secrets.spelled
            )
        try:
            for piece in pieces:
                data += piece
        except CallFailed:
            # The status alone makes it a refusal, even if the connection breaks within the body.
            if not is_refusal(answer.status):
                raise
        if redirects:
            message = Message(
                "{host} redirects to another address; redirects are not followed.", host=answer.host
            )
            raise BadReply(message, "Check the service's address.")

    @contextlib.contextmanager
    def _open(
        self, url: str, headers: Mapping[str, str], kind: type[ImageToMeshError]
    ) -> Iterator[Answer]:
        """Open the URL of a file without the API key, and follow redirects.

        Raises `kind` if a URL must not be used, Unreachable if Blender is offline, and CallFailed
        if the connection fails.
        """
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
                    location = answer.headers.get("location", "")
                    if answer.status not in REDIRECTS or not location:
                        yield answer
                        return
                    self.linked_etag = answer.headers.get("x-linked-etag") or self.linked_etag
                address = self._policy.elsewhere(
                    redirect_target(address, location).url, check_host, kind
                )
            except Forbidden as error:
                raise unusable_address(kind, OWN_NETWORK) from error
            except BadAddress as error:
                raise unusable_address(kind, error.reason) from error
        raise unusable_address(kind, "too many redirects")


# -- response bodies -----------------------------------------------------------------------------


def _arriving(answer: Answer) -> Iterator[bytes]:
    """Yield the chunks of a download as they arrive. Tests replace this to slow downloads down."""
    return answer.pieces(PIECE)
