# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address a text means. What judges an address here is what connects to it.

An address is taken apart once, put together again from its parts, and only that is connected to:
no second parser can read another host out of it. Light to import: no library is needed.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, urljoin

from ..errors import BadReply, InvalidSettings, Message, Sent

PORTS = {"http": 80, "https": 443}
LONGEST = 16_384
LONGEST_ID = 512

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?")
UNCLEAR = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
"""Kinds of characters that no address has: what cannot be seen, and what stands for nothing."""
_UNCLEAR = re.compile(r"[\x00-\x20\x7f\\]")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadAddress(ValueError):
    """A text is not an address that can be connected to; it reads as a reason: “… is missing”."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = Message.of(reason)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An address in its parts. `host` is lower case ASCII without a dot at its end."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def url(self) -> str:
        """The address as it is connected to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest or '/'}"

    @property
    def shown(self) -> str:
        """The address for people: without its path, which may be signed."""
        return f"{self.scheme}://{self.host}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine itself."""
        return is_loopback(self.host)

    @property
    def is_private(self) -> bool:
        """Whether it names this machine or its network: by number, or a name that stays here."""
        return is_private(self.host) or self.host.endswith((".localhost", ".local", ".internal"))


@functools.lru_cache(64)
def read_address(text: str) -> WebAddress:
    """Take an http or https address apart. Raises BadAddress for what two parsers could differ on.

    Refused are blanks, control characters, backslashes, user names, numbers that are not four in
    decimal, and zones of IPv6 addresses.
    """
    if not text:
        raise BadAddress("it is empty")
    if len(text) > LONGEST:
        raise BadAddress("it is too long")
    if _is_unclear(text):  # guard: unclear-addresses
        raise BadAddress("it holds blanks, backslashes or control characters")
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise BadAddress("it does not begin with https://")
    scheme = parts[1].lower()
    if scheme not in PORTS:
        raise BadAddress("it does not begin with https://")
    if "@" in parts[2]:
        raise BadAddress("it holds a user name")
    host, port = _split(parts[2])
    return WebAddress(scheme, _host(host), _port(port, scheme), f"{parts[3]}{parts[4] or ''}")


def redirect_target(address: WebAddress, target: str) -> WebAddress:
    """Return where a redirect from an address leads. Raises BadAddress."""
    try:
        return read_address(urljoin(address.url, target))
    except BadAddress:
        raise
    except ValueError as error:
        raise BadAddress("it cannot be read") from error


def ending_of(text: str) -> str:
    """Return what the path of an address ends in, in lower case: `glb`; empty for none."""
    path = re.split(r"[?#]", text, maxsplit=1)[0].rpartition("/")[2]
    return PurePosixPath(path).suffix[1:].lower()


def is_loopback(host: str) -> bool:
    """Say whether a host's name or number is this machine itself."""
    if host.lower().removesuffix(".") == "localhost":
        return True
    number = _number(host)
    return number is not None and number.is_loopback


def is_loopback_address(text: str) -> bool:
    """Say whether an address leads to this machine itself; one that is none leads nowhere."""
    try:
        return read_address(text).is_loopback
    except BadAddress:
        return False


def is_https_address(text: str) -> bool:
    """Say whether a text is an https address that can be connected to."""
    try:
        return read_address(text).scheme == "https"
    except BadAddress:
        return False


def is_private(host: str) -> bool:
    """Say whether a number is of this machine or of its own network; names are not looked up."""
    if is_loopback(host):
        return True
    number = _number(host)
    return number is not None and (not number.is_global or number.is_multicast)


def segment(text: object) -> str:
    """Return an id as one part of a path. Raises BadReply for what cannot be one."""
    is_one = isinstance(text, str) and text.strip(".") and len(text) <= LONGEST_ID
    if not isinstance(text, str) or not is_one:  # guard: no-path-out-of-a-path
        shown = str(text)[:40].encode("ascii", "replace").decode()
        raise BadReply(Message("The service cannot be asked for the id “{id}”.", id=shown))
    return quote(text, safe="", errors="replace")


def _is_unclear(text: str) -> bool:
    if text.isascii():
        return _UNCLEAR.search(text) is not None
    kinds = {unicodedata.category(letter) for letter in text}
    return "\\" in text or not kinds.isdisjoint(UNCLEAR)


def _split(place: str) -> tuple[str, str]:
    """Return host and port of what stands between `//` and the path."""
    if place.startswith("["):
        number, closed, port = place[1:].partition("]")
        if not closed or (port and not port.startswith(":")) or ":" not in number:
            raise BadAddress("its host cannot be read")
        return number, port[1:]
    host, _, port = place.partition(":")
    return host, port


def _port(text: str, scheme: str) -> int:
    if not text:
        return PORTS[scheme]
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 0 < int(text) < 65_536:
        raise BadAddress("its port cannot be read")
    return int(text)


def _host(text: str) -> str:
    """Return a host in lower case ASCII, a number in its usual form."""
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address("" if "%" in text else text))
        except ValueError as error:
            raise BadAddress("its host cannot be read") from error
    try:
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise BadAddress("its host cannot be read") from error
    labels = host.split(".")
    if len(host) > 253 or not all(_NAME.fullmatch(label) for label in labels):
        raise BadAddress("its host cannot be read" if host else "it names no host")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise BadAddress("its host is a number, but not four from 0 to 255") from error
    return host


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return a host's number; that of IPv4 where an IPv6 address only wraps it."""
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(number, ipaddress.IPv6Address):
        return number.ipv4_mapped or number.sixtofour or number
    return number


# -- a service's own -----------------------------------------------------------------------------

NOT_ENCRYPTED = "it does not begin with https://"


def service_address(text: str, *, self_hosted: bool = False, origin: str = "") -> WebAddress:
    """Return a service's address; `origin` is the preference or variable that has it.

    Raises InvalidSettings for one that cannot be called: plain http is for this machine alone, and
    for self-hosted services in the local network.
    """
    try:
        address = read_address(text)
        plain = address.is_loopback or (self_hosted and address.is_private)
        if address.scheme != "https" and not plain:  # guard: service-address-encrypted
            raise BadAddress(NOT_ENCRYPTED)
    except BadAddress as error:
        message = Message(
            "The address “{address}” cannot be called: {reason}.",
            address=text[:60],
            reason=error.reason,
        )
        hint = Message("Change it in {origin}.", origin=origin) if origin else "Change it."
        refused = InvalidSettings(message, hint)
        refused.sent = Sent.NO
        raise refused from error
    return address
