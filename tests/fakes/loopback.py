# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP servers on free loopback ports, which every fake service is served by."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 and logs nothing. `serve` sets the annotated attributes of a subclass."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # More than the default of 5: a batch opens dozens of connections at once.
    request_queue_size = 128


class _QuietServer(_Server):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback for a client that was killed."""


@contextlib.contextmanager
def serve(
    handler: type[Handler], *, poll: float = 0.02, quiet: bool = False, **attributes: Any
) -> Iterator[str]:
    """Serve while the block runs; yield the address.

    `attributes` become the handler's. `poll`: seconds between checks for the end of the block.
    `quiet`: clients may vanish without a traceback.
    """
    bound = type(handler.__name__, (handler,), attributes)
    server = (_QuietServer if quiet else _Server)(("127.0.0.1", 0), bound)
    threading.Thread(target=server.serve_forever, args=(poll,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class FormField(NamedTuple):
    """One field of a multipart form; `filename` is empty for a value that is not a file."""

    name: str
    data: bytes
    filename: str
    content_type: str


def form_fields(headers: Mapping[str, str], body: bytes) -> list[FormField]:
    """Return the fields of a multipart form; none for any other body.

    `headers` are those of the request, with names in lower case.
    """
    head = f"Content-Type: {headers.get('content-type', '')}\r\n\r\n".encode()
    pieces: Any = BytesParser().parsebytes(head + body).get_payload()
    if not isinstance(pieces, list):
        return []
    return [
        FormField(
            str(piece.get_param("name", header="content-disposition")),
            piece.get_payload(decode=True),
            piece.get_filename() or "",
            piece.get_content_type(),
        )
        for piece in pieces
    ]
