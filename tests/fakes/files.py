# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of result files on loopback, with the faults that storage services have."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import loopback
from .glb import triangle_glb

PIECE = 64 * 1024


@dataclass
class Trouble:
    """A fault of one answer: the connection ends after `after` bytes.

    `reset`: it ends with a reset. `stall`: seconds of silence before it ends. `status`: sent in
    place of the file. `drip`: the answer is sent in pieces of this size, with pauses.
    """

    after: int | None = None
    reset: bool = False
    stall: float = 0.0
    status: int = 0
    drip: int = 0


@dataclass
class Files:
    """The state of the host: its file, its faults, its requests. `/old…` addresses have expired."""

    data: bytes = field(default_factory=lambda: triangle_glb(5))
    etag: str = '"v1"'
    modified: str = ""
    ranges: bool = True
    length: bool = True
    redirect: str = ""
    linked_etag: str = ""
    troubles: list[Trouble] = field(default_factory=list)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    url: str = ""


def big_glb(size: int) -> bytes:
    """Return a valid GLB of about `size` bytes."""
    small = triangle_glb(1)
    head = struct.unpack("<I", small[12:16])[0]
    begin, rest = small[: 20 + head], small[28 + head :]
    more = size // 4 * 4
    binary = rest + bytes(more)
    length = len(begin) + 8 + len(binary)
    begin = begin[:8] + struct.pack("<I", length) + begin[12:]
    return begin + struct.pack("<I4s", len(binary), b"BIN\0") + binary


@contextlib.contextmanager
def serving(files: Files) -> Iterator[Files]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, files=files) as files.url:
        yield files


class _Handler(loopback.Handler):
    files: Files

    def do_GET(self) -> None:
        files = self.files
        headers = {name.lower(): value for name, value in self.headers.items()}
        files.seen.append((self.path, headers))
        if files.redirect:
            stated = {"X-Linked-Etag": files.linked_etag} if files.linked_etag else {}
            headers = {"Location": files.redirect, "Content-Length": "0", **stated}
            return self._head(302, headers)
        trouble = files.troubles.pop(0) if files.troubles else Trouble()
        if trouble.status or self.path.startswith("/old"):
            return self._head(trouble.status or 403, {"Content-Length": "0"})
        begin = self._begin(headers)
        if begin > len(files.data):
            return self._head(416, {"Content-Length": "0"})
        sent_headers = {"Content-Length": str(len(files.data) - begin)} if files.length else {}
        sent_headers |= {"ETag": files.etag} if files.etag else {}
        sent_headers |= {"Last-Modified": files.modified} if files.modified else {}
        if begin:
            sent_headers["Content-Range"] = f"bytes {begin}-{len(files.data) - 1}/{len(files.data)}"
        self.close_connection = not files.length
        self._head(206 if begin else 200, sent_headers)
        with contextlib.suppress(OSError):
            self._body(memoryview(files.data)[begin:], trouble)
        return None

    def _begin(self, headers: dict[str, str]) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        same = headers.get("if-range") in (None, self.files.etag, self.files.modified)
        return int(asked[1]) if asked and same and self.files.ranges else 0

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, data: memoryview, trouble: Trouble) -> None:
        end = len(data) if trouble.after is None else min(trouble.after, len(data))
        step = trouble.drip or PIECE
        for at in range(0, end, step):
            self.files.sent += self.connection.send(data[at : min(at + step, end)])
            if trouble.drip:
                time.sleep(0.001)
        if trouble.after is None:
            return
        self.close_connection = True
        time.sleep(trouble.stall)
        if trouble.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
