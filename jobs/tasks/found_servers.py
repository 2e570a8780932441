# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for servers of the user's own on this computer, on the ports that they usually have."""

from __future__ import annotations

import functools
import threading
from typing import NamedTuple

from ...providers import Message, all_providers

LIMIT = 30.0
"""Seconds after which the search ends in any case; a single request has a shorter limit."""


class FoundServer(NamedTuple):
    """A server on this computer.

    `provider` is the id of the provider that can use it, empty if no provider can. `shown` names
    the server, and its version if it states one.
    """

    address: str
    provider: str
    shown: Message


class ServerSearch:
    """The search, and what it found last. It is started by a click only."""

    def __init__(self) -> None:
        self._found: dict[int, FoundServer | None] = {}
        self._threads: list[threading.Thread] = []
        # Several threads report to the same search, and a new search forgets their reports.
        self._lock = threading.Lock()
        self._number = 0

    def start(self) -> None:
        """Look at each port on a thread of its own, unless a search is running."""
        from ...providers._shared.servers.probe import usual_ports

        if self.is_running:
            return
        with self._lock:
            self._number += 1
            self._found = {}
        # Some systems take seconds to refuse a connection.
        self._threads = [
            threading.Thread(target=self._inspect, args=(port, self._number), daemon=True)
            for port in usual_ports()
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the search has not ended yet."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def found(self) -> tuple[FoundServer, ...] | None:
        """The servers that were found, by port; None before the first search, and during one."""
        if not self._threads or self.is_running:
            return None
        with self._lock:
            return tuple(server for _, server in sorted(self._found.items()) if server)

    def join(self) -> None:
        """Wait until the search has ended."""
        for thread in self._threads:
            thread.join(LIMIT)

    def _inspect(self, port: int, number: int) -> None:
        found = _server_on(port)
        with self._lock:
            if number == self._number:
                self._found[port] = found


def _server_on(port: int) -> FoundServer | None:
    """Return the server on a port of this computer; None if nothing answers."""
    from ...providers._shared.servers.probe import Kind, answering_on

    address, seen = answering_on(port)
    if seen.kind == Kind.NOTHING:
        return None
    known = seen.kind if seen.kind in all_providers() else ""
    return FoundServer(address, known, seen.shown)


@functools.cache
def server_search() -> ServerSearch:
    """Return this process's search."""
    return ServerSearch()
