# SPDX-License-Identifier: GPL-3.0-or-later
"""Records every byte that is sent to a service, and decodes base64."""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from .noted import NOTES

_PACKED = re.compile(rb"base64,([A-Za-z0-9+/=]{40,})")


class Overheard:
    """The bytes of all requests of this process."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def hear(self, data: Any) -> None:
        """Record a body or a part of one."""
        if isinstance(data, str):
            data = data.encode()
        if isinstance(data, bytes | bytearray | memoryview):
            self.sent += data
        elif hasattr(data, "read"):
            place = data.tell()
            self.sent += data.read()
            data.seek(place)
        else:
            raise TypeError(f"a body of another kind: {type(data)}")

    def pictures(self) -> bytes:
        """Return everything that was sent, followed by the decoded base64 in it."""
        plain = bytes(self.sent)
        packed = _PACKED.findall(plain.replace(b"\\/", b"/"))
        return plain + b"".join(base64.b64decode(item) for item in packed)

    def notes(self) -> list[bytes]:
        """Return the metadata that was sent."""
        heard = self.pictures()
        return [note for note in NOTES if note in heard]


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Record all requests while the block runs."""
    heard = Overheard()
    send = http.client.HTTPConnection.send

    def record_and_send(connection: Any, data: Any) -> None:
        heard.hear(data)
        send(connection, data)

    with mock.patch.object(http.client.HTTPConnection, "send", record_and_send):
        yield heard
