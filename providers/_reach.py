# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a service may send us: one elsewhere names nothing on this machine or in its network."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable

from ._addresses import WebAddress, is_loopback, is_private


class Forbidden(Exception):
    """An address leads into this machine's own network, where it may not."""


def judge_for(home: WebAddress) -> Callable[[str], None]:
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

    def judge(number: str) -> None:
        if not is_private(number):
            return
        here = _is_here if _is_here(number) else is_private
        if not any(here(one) for one in neighbors()):  # guard: own-network-not-named
            raise Forbidden

    return judge


def _is_here(number: str) -> bool:
    return is_loopback(number) or number in ("0.0.0.0", "::")
