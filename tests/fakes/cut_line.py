# SPDX-License-Identifier: GPL-3.0-or-later
"""A line on loopback in front of any server, which passes bytes on as they come and can be cut."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

NO_LINGER = struct.pack("ii", 1, 0)
"""Makes a socket end with a reset in place of an orderly end."""


class Line:
    """The connections through the line; `url` is the server's address by it."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections off; new ones can be made."""
        while self._open:
            end = self._open.pop()
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Break everything off, and accept nothing more."""
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        host, port = self._upstream.hostname, self._upstream.port
        with contextlib.suppress(OSError):
            while True:
                near = self._server.accept()[0]
                far = socket.create_connection((host, port))
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def line_to(upstream: str) -> Iterator[Line]:
    """Serve a line to a server while the block runs."""
    line = Line(upstream)
    try:
        yield line
    finally:
        line.close()
