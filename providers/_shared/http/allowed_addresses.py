# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses are called for a service: its own, and those that it may name.

A service elsewhere names nothing on this machine or in its network.
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
    """An address leads into this machine's own network, where it may not."""


def host_check_for(home: WebAddress) -> Callable[[str], None]:
    """Return what raises Forbidden for a host or number that a service at `home` may not name.

    A service on this machine may name anything; one in the local network all but this machine.
    """

    @functools.cache
    def neighbors() -> list[str]:
        try:
            found = socket.getaddrinfo(home.host, home.port, 0, socket.SOCK_STREAM)
        except OSError:
            return []
        return [str(place[0]) for *_, place in found]

    def check_host(number: str) -> None:
        if not is_private(number):
            return
        here = _is_here if _is_here(number) else is_private
        if not any(here(one) for one in neighbors()):  # guard: own-network-not-named
            raise Forbidden

    return check_host


def _is_here(number: str) -> bool:
    return is_loopback(number) or number in ("0.0.0.0", "::")


def _anything(_number: str) -> None:
    return None


class AddressPolicy:
    """The addresses of one service. `online`: other machines than this one may be called."""

    def __init__(self, base: str, *, online: bool, self_hosted: bool) -> None:
        self._base = base
        self._online = online
        self._self_hosted = self_hosted

    def at_home(self, path: str) -> WebAddress:
        """Return a path's address at the service; raises InvalidSettings where it has none."""
        service_address(self._base, self_hosted=self._self_hosted)
        address = service_address(f"{self._base}/{path.lstrip('/')}", self_hosted=self._self_hosted)
        self._allow(address)
        return address

    def elsewhere(
        self, url: str, check_host: Callable[[str], None], kind: type[ImageToMeshError]
    ) -> WebAddress:
        """Return an address that was named; raises `kind` for one that is not to be used."""
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
        """Return what judges where an address may lead: as the service itself, or the first one."""
        with contextlib.suppress(BadAddress):
            return host_check_for(read_address(self._base or url))
        return _anything

    def _allow(self, address: WebAddress) -> None:
        """Refuse the network while Blender is offline."""
        if not self._online and not address.is_loopback:  # guard: offline-calls-nobody
            raise with_sent(
                Unreachable(
                    "Blender's online access is off.",
                    "Turn on “Allow Online Access” in Preferences > System, or use --online-mode.",
                ),
                Sent.NO,
            )
