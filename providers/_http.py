# SPDX-License-Identifier: GPL-3.0-or-later
"""The only user of requests: calls to a service, and downloads that know no key.

The rules that hold for every provider are kept here: the key goes to the service's own host only,
TLS is always verified, a submit is sent once, everything else is retried with patience.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import math
import random
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from ._answers import Keep, kept
from ._errors import (
    BadImage,
    BadReply,
    ImageToMeshError,
    Uncertain,
    Unreachable,
)
from ._secrets import NO_SECRETS, Secrets, secrets_of
from ._texts import clean, text_of, understood
from ._trust import trusted

log = logging.getLogger(__name__)

CONNECT_LIMIT = 10.0
READ_LIMIT = 60.0
PIECE = 1024 * 1024
MAX_REPLY = 32 * 1024 * 1024
ATTEMPTS = 5
LONGEST_PAUSE = 30.0
LONGEST_WAIT = 120.0
"""A service that asks for a longer pause is not asked again: the person is told instead."""
RETRIED = frozenset({429, 502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Pause = Callable[[float], None]
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A service's answer: status, headers in lower case, and the body, decoded where it is JSON."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = None

    @property
    def ok(self) -> bool:
        """Whether the status is any 2xx."""
        return 200 <= self.status < 300

    @property
    def asked_pause(self) -> float | None:
        """For how many seconds the service asks to be left alone, in its body or its headers."""
        body = self.json if isinstance(self.json, dict) else {}
        for said in (body.get("remainingSeconds"), self.headers.get("retry-after")):
            with contextlib.suppress(TypeError, ValueError):
                seconds = float(str(said))
                return seconds if 0.0 <= seconds < math.inf else None
            with contextlib.suppress(TypeError, ValueError):
                return max(parsedate_to_datetime(str(said)).timestamp() - time.time(), 0.0)
        return None


@dataclass(frozen=True, slots=True)
class Stream:
    """A download's answer: status, headers in lower case, and the body in pieces as it comes."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


def _nothing() -> None:
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
        self._base = base_url.rstrip("/")
        self._headers = dict(headers)
        self._secrets = secrets_of(secrets, self._headers)
        self._online = online
        self._self_hosted = self_hosted
        self._pause = pause
        self.keep: Keep | None = None
        """Takes the answers to orders as they come, before they are read."""
        self._session = requests.Session()
        self._session.verify = trusted()

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """Ask for something; retried."""
        return self._retried("GET", path, params=params)

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: float = READ_LIMIT,
    ) -> Reply:
        """Post something free, such as an upload; retried."""
        return self._retried("POST", path, json=json, files=files, timeout=timeout)

    def put(
        self, url: str, data: bytes, content_type: str, *, timeout: float = READ_LIMIT
    ) -> Reply:
        """Put bytes to the whole address that a service gave for them; retried, without the key."""
        return self._retried(
            "PUT",
            url,
            keyless=True,
            data=data,
            headers={"Content-Type": content_type},
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

        Raises Unreachable where it surely did not arrive, Uncertain where nobody knows. A 429, or
        a 503 with a body, is a refusal by the service, so it is sent again after a pause.
        """
        if self.keep is not None:
            self.keep.sending()
        for attempt in range(ATTEMPTS):
            try:
                reply = self._send(
                    "POST",
                    path,
                    json=json,
                    timeout=timeout,
                    headers=headers,
                    limit=limit,
                    keep=self.keep,
                )
            except requests.ConnectTimeout as error:
                raise _unreachable(error, self._base) from error
            except requests.ConnectionError as error:
                if _never_connected(error):
                    raise _unreachable(error, self._base) from error
                raise _uncertain(error) from error
            except requests.RequestException as error:
                raise _uncertain(error) from error
            refused = reply.status == 429 or (reply.status == 503 and reply.text.strip())
            if not refused or attempt == ATTEMPTS - 1 or _asks_too_long(reply):
                return reply
            self._pause(_delay(attempt, reply))
        raise AssertionError("unreachable")

    def fetch(self, url: str, limit: int, *, check: Check = _nothing) -> bytes:
        """Download a picture into memory, at most `limit` bytes. Raises BadImage or Unreachable."""
        try:
            with self._open(url, {}) as answer:
                if answer.status_code >= 400:
                    raise BadImage(
                        f"The picture's address answered {answer.status_code}.", "Check it."
                    )
                data = b"".join(_pieces(answer, limit, check))
        except requests.RequestException as error:
            raise Unreachable(f"The picture cannot be fetched: {_reason(error)}.") from error
        except BadReply as error:
            raise BadImage(error.message, "Use a smaller picture.") from error
        return data

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._session.close()

    # -- inside ----------------------------------------------------------------------------------

    def _retried(self, method: str, path: str, **how: Any) -> Reply:
        for attempt in range(ATTEMPTS):
            try:
                reply = self._send(method, path, **how)
            except requests.RequestException as error:
                if attempt == ATTEMPTS - 1:
                    asked = path if how.get("keyless") else self._base
                    raise _unreachable(error, asked) from error
                self._pause(_delay(attempt))
                continue
            last = attempt == ATTEMPTS - 1 or _asks_too_long(reply)
            if reply.status not in RETRIED or last:
                return reply
            self._pause(_delay(attempt, reply))
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        *,
        timeout: float = READ_LIMIT,
        keyless: bool = False,
        limit: int = MAX_REPLY,
        keep: Keep | None = None,
        **how: Any,
    ) -> Reply:
        """Send once. `keyless`: `path` is a whole address, which may be anybody's."""
        url = path if keyless else f"{self._base}/{path.lstrip('/')}"
        self._allow(url)
        answer = self._session.request(
            method,
            url,
            auth=_Headers({} if keyless else self._headers),
            timeout=(CONNECT_LIMIT, timeout),
            allow_redirects=False,
            stream=True,
            **how,
        )
        data = bytearray()
        with answer:
            pieces = _pieces(answer, limit, _nothing)
            if keep is not None:
                headers = _lower(answer.headers)
                pieces = kept(keep, answer.status_code, headers, pieces, self._secrets.spelled)
            for piece in pieces:
                data += piece
        if answer.status_code in REDIRECTS:
            raise BadReply(f"{_shown(url)} redirects to another address, which is not followed.")
        return reply_of(answer.status_code, _lower(answer.headers), data, self._secrets)

    def _allow(self, url: str) -> None:
        """Refuse plain http beyond this machine, and the network while Blender is offline."""
        address = urllib.parse.urlsplit(url)
        local = is_loopback(address.hostname or "")
        plain = address.scheme == "http" and (local or self._self_hosted)
        if address.scheme != "https" and not plain:
            raise Unreachable(f"{_shown(url)} is not an https address.", "Use https.")
        if not self._online and not local:
            raise Unreachable(
                "Blender's online access is off.",
                "Turn on “Allow Online Access” in Preferences > System, or use --online-mode.",
            )

    @contextlib.contextmanager
    def opened(self, url: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Open a download, without any key; raises BrokenOff where the connection does."""
        try:
            with self._open(url, headers) as answer:
                yield Stream(answer.status_code, _lower(answer.headers), _arriving(answer))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise BrokenOff(_reason(error)) from error

    def pause(self, attempt: int) -> None:
        """Wait before a free call is repeated: longer with each attempt, counted from 0."""
        self._pause(_delay(attempt))

    @contextlib.contextmanager
    def _open(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Open a file's address without any key, following redirects that stay allowed."""
        begun_at_home = is_loopback(urllib.parse.urlsplit(url).hostname or "")
        for _ in range(6):
            self._allow(url)
            if is_loopback(urllib.parse.urlsplit(url).hostname or "") and not begun_at_home:
                raise BadReply("The address leads to this machine, which is not followed.")
            answer = self._session.get(
                url,
                auth=_Headers({}),
                headers={"Accept-Encoding": "identity", **headers},
                timeout=(CONNECT_LIMIT, READ_LIMIT),
                allow_redirects=False,
                stream=True,
            )
            if answer.status_code not in REDIRECTS or "Location" not in answer.headers:
                with answer:
                    yield answer
                return
            answer.close()
            url = urllib.parse.urljoin(url, answer.headers["Location"])
        raise BadReply("The address redirects too often.")


def reply_of(
    status: int, headers: Mapping[str, str], data: bytearray, secrets: Secrets = NO_SECRETS
) -> Reply:
    """Read an answer's body, and empty it; without the keys, which a service may quote.

    The text of a long one is cut where it is JSON: one copy of a mesh in it is enough.
    """
    text = text_of(data, headers.get("content-type", ""))
    data.clear()
    text, found = understood(text, secrets.blank)  # guard: keys-in-answers
    if found is not None and len(text) > PIECE:
        text = text[:PIECE]
    told = {name: clean(secrets.blank(value)) for name, value in headers.items()}
    return Reply(status, told, text, found)


class BrokenOff(Exception):
    """The connection of a download could not be opened, or ended before its time."""


class _Headers(requests.auth.AuthBase):
    """Puts the key in, and keeps requests from putting a `.netrc` entry in its place."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _arriving(answer: requests.Response) -> Iterator[bytes]:
    """Yield what comes as it comes, so that a slow server cannot keep anything waiting for long.

    Ends where the connection ends, whether or not that is the end of the file.
    """
    while piece := answer.raw.read1(PIECE, decode_content=True):
        yield piece


def _pieces(answer: requests.Response, limit: int, check: Check) -> Iterator[bytes]:
    done = 0
    for piece in answer.iter_content(PIECE):
        check()
        done += len(piece)
        if done > limit:
            raise BadReply(f"The answer has more than {limit / 1e6:.0f} MB.")
        yield piece


def _delay(attempt: int, reply: Reply | None = None) -> float:
    asked = reply.asked_pause if reply else None
    if asked is not None:
        return asked
    return float(min(0.5 * 2**attempt, LONGEST_PAUSE)) * random.uniform(0.8, 1.2)


def _asks_too_long(reply: Reply) -> bool:
    return (reply.asked_pause or 0.0) > LONGEST_WAIT


def _never_connected(error: Exception) -> bool:
    """Whether the connection itself failed, so that not a byte of the request was sent."""
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else None
    inner = next(iter(getattr(cause, "args", ())), None)
    return isinstance(inner, ssl.SSLCertVerificationError) or type(cause).__name__ in (
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    )


def _unreachable(error: Exception, url: str) -> ImageToMeshError:
    host = urllib.parse.urlsplit(url).hostname
    return Unreachable(f"{host} cannot be reached: {_reason(error)}.", "Check the connection.")


def _uncertain(error: Exception) -> Uncertain:
    return Uncertain(
        f"The order was sent and no answer came ({_reason(error)}).",
        "Look at the service whether the task is there; it is never sent again by itself.",
    )


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong, without the address, which may be signed."""
    words = {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "SSLError": "its certificate cannot be verified",
        "ProxyError": "the proxy refused",
        "ConnectionError": "no connection",
        "ChunkedEncodingError": "the connection broke off",
        "ReadTimeoutError": "nothing came for a while",
        "ProtocolError": "the connection broke off",
        "IncompleteRead": "the connection broke off",
    }
    return words.get(type(error).__name__, str(error).split("http")[0].strip() or "no connection")


def _shown(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
