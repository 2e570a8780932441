# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves for a service, as it leaves: every byte of every request, base64 unpacked."""

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
    """The requests of this process, one after the other."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def hear(self, data: Any) -> None:
        """Keep what goes out."""
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
        """Return all that was sent, with what was packed as base64 behind it."""
        plain = bytes(self.sent)
        packed = _PACKED.findall(plain.replace(b"\\/", b"/"))
        return plain + b"".join(base64.b64decode(item) for item in packed)

    def notes(self) -> list[bytes]:
        """Return the notes that were told."""
        heard = self.pictures()
        return [note for note in NOTES if note in heard]


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Listen to all requests while the block runs."""
    heard = Overheard()
    send = http.client.HTTPConnection.send

    def listened(connection: Any, data: Any) -> None:
        heard.hear(data)
        send(connection, data)

    with mock.patch.object(http.client.HTTPConnection, "send", listened):
        yield heard
