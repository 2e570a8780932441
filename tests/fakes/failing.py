# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which a call fails, each with the error that it must become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from image_to_mesh.providers import ImageToMeshError, Sent, Uncertain, Unreachable
from image_to_mesh.providers._shared.http import client
from image_to_mesh.providers._shared.http import connections as connections
from image_to_mesh.providers._shared.http.client import Http

from .lines import Act, Line, Server

KEY = "a-key-that-nobody-sees"
BODY = {"picture": "x" * 200_000}
SHORT, LONG = 0.8, 30.0
"""Time limits in seconds: for tests of the limit itself, and for all others."""
AWAY = "https://service.example"
"""A host that can be reached through a proxy only."""


@dataclass(frozen=True)
class Row:
    """One way to fail. `says` is part of the message; `lasting`: a free call is not retried."""

    name: str
    act: Act | None
    sent: Sent
    says: str
    lasting: bool = False
    kind: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def patience(self) -> float:
        """How long its calls may take, in seconds."""
        return SHORT if self.says.endswith("timed out") else LONG


OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONGER = f"{OK}Content-Length: 999\r\n\r\n"


def answer(text: bytes | str, then: str = "") -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(text)
        if then:
            getattr(line, then)()

    return act


def after(method: str, *, head: str = "") -> Act:
    """Read the request, send the head, then call this method of the line."""

    def act(line: Line) -> None:
        line.read()
        line.send(head)
        getattr(line, method)()

    return act


def drips(head: str, tail: str) -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(head)
        line.drip(tail)

    return act


def error_of(call: Callable[[Http], object], url: str) -> ImageToMeshError:
    http = Http(url, {"Authorization": f"Bearer {KEY}"}, pause=lambda _: None)
    try:
        with pytest.raises(ImageToMeshError) as caught:
            call(http)
    finally:
        http.close()
    return caught.value


def check(row: Row, url: str, server: Server | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a submit and a free call fail, and check the error of each."""
    monkeypatch.setattr(client, "FREE_LIMIT", row.patience)
    monkeypatch.setattr(connections, "CONNECT_LIMIT", row.patience)
    error = error_of(lambda http: http.submit("/tasks", json=BODY, timeout=row.patience), url)
    expected = Unreachable.kind if row.sent is Sent.NO else Uncertain.kind
    assert (error.kind, error.sent) == (row.kind or expected, row.sent)
    assert row.says in error.message
    assert error.hint, f"the error has no hint: {error.message}"
    assert KEY not in str(error)
    if server:
        assert len(server.heads) == (0 if row.sent is Sent.NO else 1)
    error = error_of(lambda http: http.post("/tasks", json=BODY, timeout=row.patience), url)
    assert (error.kind, error.sent) == (row.kind or Unreachable.kind, row.sent)
    assert row.says in error.message


def nothing(line: Line) -> None:
    """Take a request and hang up."""
    line.read()


def hello(line: Line) -> None:
    """Receive the first bytes and hang up."""
    line.hear()


def hello_then(method: str) -> Act:
    """Receive the first bytes, then call this method of the line."""

    def act(line: Line) -> None:
        line.hear()
        getattr(line, method)()

    return act
