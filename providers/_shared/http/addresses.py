# SPDX-License-Identifier: GPL-3.0-or-later
r"""Parses URLs strictly, so that the host that is checked is also the host that is called.

Parsers disagree on malformed URLs: in `http://a.example\@b.example/`, each host is the right one
for some library. Therefore a URL is parsed once, ambiguous ones are refused, and requests gets a
URL that is rebuilt from the parsed components. Only the standard library is used, because the
preferences check addresses while Blender starts.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote, urljoin

from ..errors import BadReply, InvalidSettings, Sent
from ..messages import Message, as_message, join_messages

PORTS = {"http": 80, "https": 443}
LONGEST = 16_384
"""Maximum length of a URL, in characters; presigned URLs have up to about two thousand."""
LONGEST_ID = 512
"""Maximum length of an id within a path, in characters."""

OWN_NETWORKS = (
    *("127.0.0.0/8", "::1/128"),
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    *("169.254.0.0/16", "fe80::/10"),
    "100.64.0.0/10",
)
"""Networks of a user's own servers: loopback, private and link-local ones, and the range of
RFC 6598, which VPNs such as Tailscale use."""

_URL = r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?"
UNCLEAR = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
"""Unicode categories that no URL contains: control, format, unassigned, private, blank."""
_UNCLEAR = r"[\x00-\x20\x7f\\]"
_NAME = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NUMBER = r"[0-9]+|0x[0-9a-f]*"


class BadAddress(ValueError):
    """The text is not a usable URL. `reason` is a clause, such as "it contains a user name"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = Message.of(reason)


class WebAddress(NamedTuple):
    """A parsed URL. `rest` is path and query.

    `host` is in lower-case ASCII without a final dot, or an IP address without brackets.
    """

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def url(self) -> str:
        """The normalized URL, which is the one that is requested."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest or '/'}"

    @property
    def shown(self) -> str:
        """Scheme and host, for messages and logs, since the path may contain a signature."""
        return f"{self.scheme}://{self.host}"

    @property
    def server(self) -> str:
        """Scheme, host and port, which identify a server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this computer."""
        return is_loopback(self.host)


# Cached, because panels check at every draw whether an address is loopback.
@functools.lru_cache(64)
def read_address(text: str) -> WebAddress:
    """Parse an http or https URL, without its fragment. Raises BadAddress for any other text.

    URLs on which parsers could disagree are refused as well: those with white space, control
    characters, backslashes, user names, IPv4 addresses other than four decimal numbers, or zones of
    IPv6 addresses.
    """
    if not text:
        raise BadAddress("it is empty")
    if len(text) > LONGEST:
        raise BadAddress("it is too long")
    if _is_unclear(text):  # guard: unclear-addresses
        raise BadAddress("it contains spaces, backslashes, or control characters")
    match = re.fullmatch(_URL, text)
    if match is None:
        raise BadAddress("it does not start with https://")
    scheme = match[1].lower()
    if scheme not in PORTS:
        raise BadAddress("it does not start with https://")
    if "@" in match[2]:
        raise BadAddress("it contains a user name")
    host, port = _split(match[2])
    return WebAddress(scheme, _host(host), _port(port, scheme), f"{match[3]}{match[4] or ''}")


def redirect_target(address: WebAddress, target: str) -> WebAddress:
    """Return the URL that the Location header `target` refers to in a response from `address`.

    Raises BadAddress if it is not a usable URL.
    """
    try:
        joined = urljoin(address.url, target)
    except ValueError as error:
        raise BadAddress("it is not valid") from error
    return read_address(joined)


def ending_of(text: str) -> str:
    """Return the lower-case file extension of a URL's path without its dot, or an empty string."""
    path = re.split(r"[?#]", text, maxsplit=1)[0].rpartition("/")[2]
    return PurePosixPath(path).suffix[1:].lower()


def is_loopback(host: str) -> bool:
    """Return whether a host is `localhost` or a loopback IP address, without resolving names."""
    if host.lower().removesuffix(".") == "localhost":
        return True
    number = _number(host)
    return number is not None and number.is_loopback


def is_loopback_address(text: str) -> bool:
    """Return whether a URL leads to this computer; False for text that is not a URL."""
    try:
        return read_address(text).is_loopback
    except BadAddress:
        return False


def is_https_address(text: str) -> bool:
    """Return whether text is a usable https URL."""
    try:
        return read_address(text).scheme == "https"
    except BadAddress:
        return False


def is_private(host: str) -> bool:
    """Return whether a host is `localhost` or an IP address that is not public.

    Other names are not resolved, and count as public.
    """
    if is_loopback(host):
        return True
    number = _number(host)
    # `ipaddress` counts multicast as global, although it reaches the local network. In IPv6, only
    # 2000::/3 is global, and what a gateway turns into such an IPv4 address (RFC 4291, RFC 6052).
    if isinstance(number, ipaddress.IPv6Address) and int(number) >> 125 != 1:
        is_translated = int(number) >> 32 == 0x64FF9B << 64
        return not is_translated or is_private(str(ipaddress.IPv4Address(int(number) % 2**32)))
    return number is not None and (not number.is_global or number.is_multicast)


def is_ip_address(host: str) -> bool:
    """Return whether a host is an IP address, and not a name."""
    return _number(host) is not None


def is_own_network(host: str) -> bool:
    """Return whether a host is an IP address of this computer or of the user's own network.

    Unlike `is_private`, this is a list of what is allowed: `OWN_NETWORKS`. Names count as public.
    """
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address):
        number = number.ipv4_mapped or number
    return any(number in network for network in _own_networks())


@functools.cache
def _own_networks() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(map(ipaddress.ip_network, OWN_NETWORKS))


def segment(text: object) -> str:
    """Return an id quoted as one segment of a path.

    Raises BadReply if it is not a string, is empty or too long, or consists of dots.
    """
    # `..` would climb to another endpoint, even percent-encoded.
    is_segment = isinstance(text, str) and text.strip(".") and len(text) <= LONGEST_ID
    if not isinstance(text, str) or not is_segment:  # guard: no-path-out-of-a-path
        shown = str(text)[:40].encode("ascii", "replace").decode()
        raise BadReply(
            Message("The service returned an invalid ID: “{id}”.", id=shown),
            "Try again later. If it happens again, contact the service's support.",
        )
    return quote(text, safe="", errors="replace")


def _is_unclear(text: str) -> bool:
    if text.isascii():
        return re.search(_UNCLEAR, text) is not None
    kinds = {unicodedata.category(letter) for letter in text}
    return "\\" in text or not kinds.isdisjoint(UNCLEAR)


def _split(authority: str) -> tuple[str, str]:
    """Split the part between `//` and the path into host and port; a missing port is empty.

    The host is returned without brackets. Raises BadAddress if brackets do not contain an IPv6
    address, or more than a port follows them.
    """
    if authority.startswith("["):
        number, closed, port = authority[1:].partition("]")
        if not closed or (port and not port.startswith(":")) or ":" not in number:
            raise BadAddress("its host is not valid")
        return number, port[1:]
    host, _, port = authority.partition(":")
    return host, port


def _port(text: str, scheme: str) -> int:
    if not text:
        return PORTS[scheme]
    # int() would accept signs, spaces, underscores and digits of other scripts.
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 0 < int(text) < 65_536:
        raise BadAddress("its port is not valid")
    return int(text)


def _host(text: str) -> str:
    """Return the normalized host: IDNA for names, the canonical form of an IP address.

    Raises BadAddress if it is neither.
    """
    if ":" in text:
        try:
            return str(ipaddress.IPv6Address("" if "%" in text else text))
        except ValueError as error:
            raise BadAddress("its host is not valid") from error
    try:
        # The form that gets resolved, so that two spellings of a host are equal in all checks.
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise BadAddress("its host is not valid") from error
    labels = host.split(".")
    if len(host) > 253 or not all(re.fullmatch(_NAME, label) for label in labels):
        raise BadAddress("its host is not valid" if host else "it has no host")
    # Like browsers, sockets take 127.1, 0x7f.1 and 2130706433 for 127.0.0.1. All forms that the
    # `ipaddress` module does not accept are refused.
    if re.fullmatch(_NUMBER, labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise BadAddress("its host is not a valid IP address") from error
    return host


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address of a host, or None for a name. The zone of an IPv6 address is ignored.

    For an IPv6 address that stands for an IPv4 address (mapped or 6to4), return the latter.
    """
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(number, ipaddress.IPv6Address):
        return number.ipv4_mapped or number.sixtofour or number
    return number


# -- base URLs of services -----------------------------------------------------------------------

NOT_ENCRYPTED = "it does not start with https://"
PUBLIC = "it is not in your own network"
OWN_HINT = (
    "Use an address in your own network. Reach a server elsewhere through a VPN or an SSH tunnel."
)
CONSENT_HINT = "Use an https address, or click Send Unencrypted in the add-on preferences."
EVERYWHERE = ("0.0.0.0", "::")
"""Addresses on which servers say that they listen; they mean all addresses of that computer."""


def service_address(
    text: str, *, self_hosted: bool = False, may_be_public: bool = False, source: str = ""
) -> WebAddress:
    """Parse the base URL of a service. `source` names the preference or variable that sets it.

    Raises InvalidSettings if it is invalid or must not be called. Plain http is accepted for this
    computer only; elsewhere it would expose the API key. `self_hosted`: plain http is accepted, but
    an IP address must be one of the user's own network. What a name leads to is checked when the
    connection is made, because it may change. `may_be_public`: by https, any host is accepted.
    """
    try:
        address = read_address(text)
        plain = not (self_hosted or address.is_loopback)
        if address.scheme != "https" and plain:  # guard: service-address-encrypted
            raise BadAddress(NOT_ENCRYPTED)
        if self_hosted:
            _check_own(address, may_be_public=may_be_public)
    except BadAddress as error:
        raise _refuse_address(text, error.reason, source) from error
    return address


def is_near(address: WebAddress, *, may_be_public: bool) -> bool:
    """Return whether a user's own server must be in the user's own network.

    That is so unless it `may_be_public`, and is called by https under a name or a public number.
    """
    hidden = address.scheme == "https" and not is_own_network(address.host)
    return not (may_be_public and hidden)  # guard: public-servers-are-encrypted


def _check_own(address: WebAddress, *, may_be_public: bool) -> None:
    """Raise BadAddress for an IP address that cannot be that of a user's own server."""
    host = address.host
    if host in EVERYWHERE:
        raise BadAddress("for a server on this computer, use 127.0.0.1")
    near = is_near(address, may_be_public=may_be_public)
    if near and is_ip_address(host) and not is_own_network(host):  # guard: own-servers-are-near
        raise BadAddress(PUBLIC)


def _refuse_address(text: str, reason: str, source: str) -> InvalidSettings:
    message = Message(
        "The address “{address}” cannot be used: {reason}.", address=text[:60], reason=reason
    )
    hint: str = (
        Message("Correct it in {origin}.", origin=as_message(source)) if source else "Correct it."
    )
    refused = InvalidSettings(message, join_messages(OWN_HINT, hint) if reason == PUBLIC else hint)
    refused.sent = Sent.NO
    return refused
