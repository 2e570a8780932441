# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which URLs may be called, both of the service itself and from its responses.

A service on the internet must not make this computer call addresses in the local network (SSRF):
routers and databases there often trust every local caller.
"""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable

from ..errors import ImageToMeshError, Sent, Unreachable
from .addresses import (
    NOT_ENCRYPTED,
    BadAddress,
    WebAddress,
    is_loopback,
    is_private,
    read_address,
    service_address,
)
from .verdicts import OWN_NETWORK, unusable_address, with_sent


class Forbidden(Exception):
    """A URL from a service leads closer to this computer than the service itself is."""


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
    `self_hosted` also allows plain http in private networks.
    """

    def __init__(self, base: str, *, online: bool, self_hosted: bool) -> None:
        self._base = base
        self._online = online
        self._self_hosted = self_hosted

    def at_home(self, path: str) -> WebAddress:
        """Return the URL of a path at the service.

        Raises InvalidSettings for a base URL that must not be called, Unreachable if online access
        is off and the service is not on this computer.
        """
        service_address(self._base, self_hosted=self._self_hosted)
        address = service_address(f"{self._base}/{path.lstrip('/')}", self_hosted=self._self_hosted)
        self._allow(address)
        return address

    def elsewhere(
        self, url: str, check_host: Callable[[str], None], kind: type[ImageToMeshError]
    ) -> WebAddress:
        """Return the parsed address of a URL that came from a response or the user.

        `check_host` raises Forbidden for hosts that are not allowed. Raises `kind` for a URL that
        is invalid, has a forbidden host, or is plain http. Plain http is allowed for this computer,
        and for self-hosted services in private networks. Raises Unreachable for a host other than
        this computer while online access is off.
        """
        try:
            address = read_address(url)
            check_host(address.host)
        except BadAddress as error:
            raise unusable_address(kind, error.reason) from error
        except Forbidden as error:
            raise unusable_address(kind, OWN_NETWORK) from error
        plain = address.is_loopback or (self._self_hosted and address.is_private)
        if address.scheme != "https" and not plain:
            raise unusable_address(kind, NOT_ENCRYPTED)
        self._allow(address)
        return address

    def check_host(self, url: str) -> Callable[[str], None]:
        """Return the host check for a URL and its redirects; see `host_check_for`.

        The check is based on the service's base URL if there is one, otherwise on `url`. If that
        URL is invalid, any host is allowed.
        """
        with contextlib.suppress(BadAddress):
            return host_check_for(read_address(self._base or url))
        return _allow_any_host

    def _allow(self, address: WebAddress) -> None:
        """Raise Unreachable for any host but this computer while online access is off."""
        if not self._online and not address.is_loopback:  # guard: offline-calls-nobody
            raise with_sent(
                Unreachable(
                    "Online access is turned off in Blender.",
                    "Enable Allow Online Access in Preferences › System, or start "
                    "Blender with --online-mode.",
                ),
                Sent.NO,
            )
