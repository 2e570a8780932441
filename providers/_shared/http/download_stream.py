# SPDX-License-Identifier: GPL-3.0-or-later
"""Open downloads, and the exception for a download that breaks off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..bundled_modules import bundled_imports
from ..errors import BadImage, BadMesh, BadReply, ImageToMeshError, Unreachable
from ..messages import Message, as_message
from ..servers.long_strings import decode_field
from .addresses import BadAddress, redirect_target
from .allowed_addresses import AddressPolicy, Forbidden
from .reply import PIECE, bounded_pieces
from .verdicts import unreachable_error, unusable_address, with_sent

with bundled_imports("requests", "urllib3"):
    from .transport import REDIRECTS, Answer, CallFailed, Transport

READ_LIMIT = 60.0
"""Maximum seconds that a call waits without receiving a byte."""
FREE_LIMIT = 90.0
"""Maximum seconds for a free call with its retries, not counting transfers and pauses."""
MOST_REDIRECTS = 5
"""Maximum redirects of a download; storage services redirect once or twice, so more is a loop."""

Check = Callable[[], None]


def no_check() -> None:
    """Check nothing."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The response to a download: status, lower-case headers, and the body in chunks."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Interrupted(Exception):
    """A download could not be opened, broke off, or did not deliver what was requested.

    `lasting` is the error to raise if retrying cannot help, such as a certificate problem.
    """

    def __init__(self, reason: str, lasting: ImageToMeshError | None = None) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Downloads:
    """The part of the connection to a service that opens files: without the API key, or with it.

    Files at the user's own server are requested with the key, since a proxy may require it.

    `linked_etag` is the last redirect's X-Linked-ETag, such as the file's SHA-256.
    """

    def __init__(
        self, policy: AddressPolicy, transport: Transport, headers: Mapping[str, str]
    ) -> None:
        self._policy = policy
        self._transport = transport
        self._headers = dict(headers)
        self.linked_etag = ""

    def fetch(self, url: str, limit: int, *, check: Check = no_check) -> bytes:
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
    def open_download(
        self, url: str, headers: Mapping[str, str], field: str | None = None
    ) -> Iterator[Stream]:
        """Open a download, without the API key unless `url` is a path at the service.

        With `field`, it is such a path, and the download is the file that this field of the JSON
        answer has in base64. Raises Interrupted if the connection fails, now or while the block
        reads. Raises BadMesh if the URL or one of its redirects must not be used, BadReply if a
        path is redirected, and Unreachable if Blender is offline.
        """
        if field is not None:
            with self._open_reply(url, {}) as reply:
                whole = reply.status == 200
                # Without its length, which is not that of the file.
                own = replace(reply, headers={}, pieces=_file_in(reply, field))
                yield own if whole else reply
            return
        if url.startswith("/"):
            with self._open_reply(url, headers) as reply:
                yield reply
            return
        try:
            with self._open(url, headers, BadMesh) as answer:
                # A large model may take very long on a slow line, so there is no deadline;
                # `downloads` detects stalls instead.
                answer.lift_deadline()
                yield Stream(answer.status, answer.headers, _arriving(answer))
        except CallFailed as error:
            raise _interruption(error) from error

    @contextlib.contextmanager
    def _open_reply(self, path: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open the response to a GET of a path of the service, with the API key.

        `headers` are added to those that carry the key.
        """
        address = self._policy.at_home(path)
        check_host = self._policy.home_check(address)
        try:
            with self._transport.send(
                "GET",
                address,
                time_limit=FREE_LIMIT,
                stall_timeout=READ_LIMIT,
                check_host=check_host,
                headers={**headers, **self._headers},
            ) as answer:
                answer.lift_deadline()
                yield Stream(answer.status, answer.headers, _arriving(answer))
        except Forbidden as error:
            raise error.as_error(BadReply) from error
        except CallFailed as error:
            raise _interruption(error) from error

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
        for redirects in range(MOST_REDIRECTS + 1):
            home = not redirects and self._policy.is_home(address)
            check = self._policy.home_check(address) if home else check_host
            sent = {**headers, **self._headers} if home else headers
            try:
                with self._transport.send(
                    "GET",
                    address,
                    time_limit=FREE_LIMIT,
                    stall_timeout=READ_LIMIT,
                    check_host=check,
                    headers=sent,  # guard: no-key-with-downloads
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
                raise error.as_error(kind) from error
            except BadAddress as error:
                raise unusable_address(kind, error.reason) from error
        raise unusable_address(kind, "too many redirects")


def _interruption(error: CallFailed) -> Interrupted:
    lasting = unreachable_error(error) if error.problem.lasting else None
    return Interrupted(error.problem.reason, lasting)


def _file_in(reply: Stream, field: str) -> Iterator[bytes]:
    try:
        yield from decode_field(reply.pieces, field)
    except ValueError as error:
        raise Interrupted(as_message(str(error))) from error


def _arriving(answer: Answer) -> Iterator[bytes]:
    """Yield the chunks of a download as they arrive. Tests replace this to slow downloads down."""
    return answer.pieces(PIECE)
