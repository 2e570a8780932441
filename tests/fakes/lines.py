# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that a test scripts byte by byte, with or without TLS."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER that ends a connection with a reset."""

Act = Callable[["Line"], None]


@dataclass
class Server:
    """The received requests: the head of each, and the size of its body."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """The address for plain HTTP."""
        return f"http://127.0.0.1:{self.port}"


class Line:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.sock = sock
        self.server = server

    def read(self, *, body: bool = True) -> str:
        """Read a request, its body too; return its head."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += (piece := self.sock.recv(65536))
            if not piece:
                return ""
        head, _, rest = data.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        self.server.heads.append(text)
        length = re.search(r"(?i)content-length: (\d+)", text)
        missing = int(length[1]) - len(rest) if length and body else 0
        while missing > 0 and (piece := self.sock.recv(65536)):
            missing -= len(piece)
        self.server.bodies.append(len(rest))
        return text

    def hear(self) -> None:
        """Receive the next bytes."""
        self.sock.recv(65536)

    def send(self, data: bytes | str) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def drip(self, data: bytes | str, pause: float = 0.02) -> None:
        """Send byte by byte, until all is sent or the test is over."""
        for byte in data.encode("latin-1") if isinstance(data, str) else data:
            self.send(bytes([byte]))
            if self.server.closing.wait(pause):
                return

    def flood(self, data: str) -> None:
        """Send the same data until the client hangs up."""
        while not self.server.closing.is_set():
            self.send(data * 100)

    def wait(self) -> None:
        """Send nothing until the test is over."""
        self.server.closing.wait(30)

    def reset(self) -> None:
        """End with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()


@contextlib.contextmanager
def answering(act: Act, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Call `act` for every connection while the block runs; with a context, over TLS."""
    server = Server()
    listening = socket.create_server(("127.0.0.1", 0))
    server.port = listening.getsockname()[1]

    def speak(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            sock.settimeout(30)
            if context is None:
                act(Line(sock, server))
            else:
                with context.wrap_socket(sock, server_side=True) as encrypted:
                    act(Line(encrypted, server))
        server.ended.set()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listening.accept()
                threading.Thread(target=speak, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


class Authority:
    """A certificate authority for tests, with valid and invalid certificates."""

    def __init__(self, folder: Path) -> None:
        self._own = trustme.CA()
        self._other = trustme.CA()
        self.bundle = folder / "authority.pem"
        self._own.cert_pem.write_to_path(str(self.bundle))

    def good(self) -> ssl.SSLContext:
        """A certificate for this machine."""
        return _serving(self._own.issue_cert("localhost", "127.0.0.1"))

    def of_another_host(self) -> ssl.SSLContext:
        """A certificate for another host."""
        return _serving(self._own.issue_cert("other.example"))

    def out_of_date(self) -> ssl.SSLContext:
        """A certificate that expired two days ago."""
        until = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
        return _serving(
            self._own.issue_cert(
                "localhost",
                "127.0.0.1",
                not_before=until - dt.timedelta(days=30),
                not_after=until,
            )
        )

    def of_another_authority(self) -> ssl.SSLContext:
        """A certificate of an authority that nobody trusts."""
        return _serving(self._other.issue_cert("localhost", "127.0.0.1"))

    def signed_by_itself(self) -> ssl.SSLContext:
        """The certificate of an authority that nobody trusts, as a server's own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._other.configure_trust(context)
        with self._other.private_key_pem.tempfile() as key, self._other.cert_pem.tempfile() as own:
            context.load_cert_chain(own, key)
        return context


def _serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
