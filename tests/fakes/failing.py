# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that fail, and what has to be known and said of each."""

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
"""Seconds that calls have where their end is what is looked at, and where nothing waits for it."""
AWAY = "https://service.example"
"""A host that only a proxy leads to."""


@dataclass(frozen=True)
class Row:
    """One way to fail. `says` is in the message; `lasting`: a free call is not tried again."""

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


def after(what: str, *, head: str = "") -> Act:
    """Read the request, answer the head, and then do something."""

    def act(line: Line) -> None:
        line.read()
        line.send(head)
        getattr(line, what)()

    return act


def drips(head: str, tail: str) -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(head)
        line.drip(tail)

    return act


def failed(call: Callable[[Http], object], url: str) -> ImageToMeshError:
    http = Http(url, {"Authorization": f"Bearer {KEY}"}, pause=lambda _: None)
    try:
        with pytest.raises(ImageToMeshError) as caught:
            call(http)
    finally:
        http.close()
    return caught.value


def check(row: Row, url: str, server: Server | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a submit and a free call fail, and judge what is said of both."""
    monkeypatch.setattr(client, "FREE_LIMIT", row.patience)
    monkeypatch.setattr(connections, "CONNECT_LIMIT", row.patience)
    error = failed(lambda http: http.submit("/tasks", json=BODY, timeout=row.patience), url)
    expected = Unreachable.kind if row.sent is Sent.NO else Uncertain.kind
    assert (error.kind, error.sent) == (row.kind or expected, row.sent)
    assert row.says in error.message
    assert error.hint
    assert KEY not in str(error)
    if server:
        assert len(server.heads) == (0 if row.sent is Sent.NO else 1)
    error = failed(lambda http: http.post("/tasks", json=BODY, timeout=row.patience), url)
    assert (error.kind, error.sent) == (row.kind or Unreachable.kind, row.sent)
    assert row.says in error.message


def nothing(line: Line) -> None:
    """Take a request and hang up."""
    line.read()


def hello(line: Line) -> None:
    """Take what comes first and hang up."""
    line.hear()


def hello_then(what: str) -> Act:
    """Take what comes first, then do something."""

    def act(line: Line) -> None:
        line.hear()
        getattr(line, what)()

    return act
