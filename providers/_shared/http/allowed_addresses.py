# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which URLs may be called, both of the service itself and from its responses.

A service on the internet must not make this computer call addresses in the local network (SSRF):
routers and databases there often trust every local caller.
"""

from __future__ import annotations

import contextlib
import functools
import re
import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import unquote

from ..errors import ImageToMeshError
from .addresses import (
    NOT_ENCRYPTED,
    PUBLIC,
    BadAddress,
    WebAddress,
    is_ip_address,
    is_loopback,
    is_near,
    is_own_network,
    is_private,
    read_address,
    service_address,
)
from .verdicts import (
    OWN_NETWORK,
    offline_error,
    public_error,
    unencrypted_error,
    unusable_address,
)


class Forbidden(Exception):
    """A host must not be connected to. `reason` is a clause, for a URL that a service referred to.

    By default, it is that the host is closer to this computer than the service itself. `error` is
    set for the service's own address.
    """

    def __init__(self, reason: str = OWN_NETWORK, error: ImageToMeshError | None = None) -> None:
        super().__init__(reason)
        self._reason = reason
        self._error = error

    def as_error(self, kind: type[ImageToMeshError]) -> ImageToMeshError:
        """Return the error to raise, of class `kind` unless the service's own address is wrong."""
        return self._error or unusable_address(kind, self._reason)


def host_check_for(home: WebAddress) -> Callable[[str], None]:
    """Return a function that raises Forbidden for hosts that a service must not refer to.

    Which hosts are allowed depends on where the service's own address, `home`, is:
    - on this computer: any host;
    - in the local network: any host but this computer;
    - on the internet, or if its name cannot be resolved: public hosts only.

    The returned function does not resolve the names that it checks: except for `localhost`, they
    count as public.
    """

    # Resolved only for the first private address, which most services never refer to.
    @functools.cache
    def home_addresses() -> list[str]:
        try:
            found = socket.getaddrinfo(home.host, home.port, 0, socket.SOCK_STREAM)
        except OSError:
            return []
        return [str(socket_address[0]) for *_, socket_address in found]

    def check_host(host: str) -> None:
        if not is_private(host):
            return
        # A service may refer to hosts that are no closer to this computer than itself.
        is_as_near = _is_this_computer if _is_this_computer(host) else is_private
        if not any(map(is_as_near, home_addresses())):  # guard: own-network-not-named
            raise Forbidden

    return check_host


def _is_this_computer(host: str) -> bool:
    # Connecting to the unspecified address reaches the loopback on Linux and macOS.
    return is_loopback(host) or host in ("0.0.0.0", "::")


def _allow_any_host(_host: str) -> None:
    return None


class AddressPolicy:
    """The rules for the URLs of one service.

    `base` is the service's base URL, which may be empty. `online` allows calls to other computers.
    `self_hosted`: the service is the user's own server, which is in the user's own network, or
    `may_be_public` and is reached by https. `confidential`: calls to it carry a secret, which must
    not leave this computer unencrypted. `beside` has the base URLs of the service's other servers,
    and what is called in their place.
    """

    def __init__(
        self,
        base: str,
        *,
        online: bool,
        self_hosted: bool,
        may_be_public: bool = False,
        confidential: bool = False,
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.base = base
        self._beside = beside
        self._online = online
        self._confidential = confidential
        self._may_be_public = may_be_public
        # Without a base URL, files are fetched for the user, from anywhere.
        self._self_hosted = self_hosted and bool(base)
        self.is_own = self._self_hosted and self._is_near()
        """Whether only the user's own network is called, directly and never through a proxy."""

    def is_home(self, address: WebAddress) -> bool:
        """Return whether a file is at the user's own server, which may require the secret for it.

        It has to be below the base URL's path, which may be one of several users' on that server.
        Other services sign the addresses of their files instead, and never get it.
        """
        if not self._self_hosted:
            return False
        return _is_below(address, read_address(self.base))  # guard: secrets-stay-at-home

    def at_home(self, path: str, *, secret: bool = True) -> WebAddress:
        """Return the URL of a path at the service. `secret`: the call carries the secret, if any.

        `path` may be a URL below one of the service's other servers, that are declared `beside`.

        Raises InvalidSettings for a base URL that must not be called, or not with a secret,
        Unreachable if online access is off and the service is not on this computer.
        """
        for url in (self.base, self._url_of(path)):
            address = service_address(
                url, self_hosted=self._self_hosted, may_be_public=self._may_be_public
            )
        self._allow(address)
        hidden = address.scheme == "https" or address.is_loopback
        if secret and self._confidential and not hidden:
            raise unencrypted_error(address)
        return address

    def _url_of(self, path: str) -> str:
        for server, called in self._beside.items():
            if path.startswith(f"{server}/"):  # guard: keys-to-declared-servers
                return f"{called}{path.removeprefix(server)}"
        return f"{self.base}/{path.lstrip('/')}"

    def home_check(self, address: WebAddress, *, secret: bool = True) -> Callable[[str], None]:
        """Return a function that raises Forbidden for IP addresses that a call must not reach.

        `address` is one of the service's own, and `secret` is as in `at_home`. Its name has been
        judged; this judges what it leads to at the moment of the connection.
        """
        plain_secret = secret and self._confidential and address.scheme != "https"

        def check_host(number: str) -> None:
            if self.is_own and not is_own_network(number):
                raise Forbidden(error=public_error(address.host))  # guard: own-servers-stay-near
            if is_loopback(number):
                return
            if not self._online:
                raise Forbidden(error=offline_error())  # guard: offline-reaches-nobody
            if plain_secret:
                raise Forbidden(error=unencrypted_error(address))  # guard: secrets-stay-here

        return check_host

    def elsewhere(
        self, url: str, check_host: Callable[[str], None], kind: type[ImageToMeshError]
    ) -> WebAddress:
        """Return the parsed address of a URL that came from a response or the user.

        `check_host` raises Forbidden for hosts that are not allowed. Raises `kind` for a URL that
        is invalid, has a forbidden host, or is plain http. Plain http is allowed for this computer,
        and for the user's own servers. Raises Unreachable for a host other than this computer while
        online access is off.
        """
        try:
            address = read_address(url)
            check_host(address.host)
        except BadAddress as error:
            raise unusable_address(kind, error.reason) from error
        except Forbidden as error:
            raise error.as_error(kind) from error
        if address.scheme != "https" and not (address.is_loopback or self.is_own):
            raise unusable_address(kind, NOT_ENCRYPTED)
        self._allow(address)
        return address

    def check_host(self, url: str) -> Callable[[str], None]:
        """Return the host check for a URL and its redirects; see `host_check_for`.

        The check is based on the service's base URL if there is one, otherwise on `url`. If that
        URL is invalid, any host is allowed. The user's own servers may only refer to hosts in the
        user's own network, or to public hosts if they are on the internet.
        """
        with contextlib.suppress(BadAddress):
            check = host_check_for(read_address(self.base or url))
            if self.is_own:
                return _own_hosts_only(check)
            return _check_public if self._self_hosted else check
        return _allow_any_host

    def _is_near(self) -> bool:
        with contextlib.suppress(BadAddress):
            return is_near(read_address(self.base), may_be_public=self._may_be_public)
        return True

    def _allow(self, address: WebAddress) -> None:
        """Raise Unreachable for any host but this computer while online access is off."""
        if not self._online and not address.is_loopback:  # guard: offline-calls-nobody
            raise offline_error()


def has_dot_segments(rest: str) -> bool:
    """Return whether a path, with or without a query, has `.` or `..` as a segment, even quoted.

    Clients and servers resolve them (RFC 3986, section 5.2.4), so it leads out of its folder.
    """
    path = unquote(re.split(r"[?#]", rest, maxsplit=1)[0])
    return any(part in (".", "..") for part in re.split(r"[/\\]", path))


def _is_below(address: WebAddress, base: WebAddress) -> bool:
    prefix = base.rest.rstrip("/")
    is_inside = not prefix or address.rest == prefix or address.rest.startswith(f"{prefix}/")
    # Without a path in the base, the whole server is the user's.
    stays = not prefix or not has_dot_segments(address.rest)
    return address.server == base.server and is_inside and stays


def _check_public(host: str) -> None:
    """Raise Forbidden for a host in a private network.

    For a user's own server on the internet: its name is a stranger's, who decides what it leads to.
    """
    if is_private(host):  # guard: public-servers-name-nobody-near
        raise Forbidden


def _own_hosts_only(check: Callable[[str], None]) -> Callable[[str], None]:
    def check_host(host: str) -> None:
        # A name is judged again by the IP address that the connection would reach.
        if is_ip_address(host) and not is_own_network(host):  # guard: own-servers-name-nobody
            raise Forbidden(PUBLIC)
        check(host)

    return check_host
