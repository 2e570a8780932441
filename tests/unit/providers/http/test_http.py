# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls and downloads against a server on loopback: what is retried, what is not, where keys go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from fakes.service import KEY, Service, serving

from image_to_mesh.providers import BadImage, InvalidSettings, Uncertain, Unreachable
from image_to_mesh.providers._shared.http.addresses import is_loopback
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.http.reply import Reply

HEADERS = {"Authorization": f"Bearer {KEY}"}


OPEN: list[Http] = []


@pytest.fixture(autouse=True)
def closed_at_the_end() -> Iterator[None]:
    """Close every connection that a test opened."""
    yield
    while OPEN:
        OPEN.pop().close()


def http_for(service: Service, **kwargs: Any) -> Http:
    """Return a connection that does not sleep."""
    OPEN.append(Http(service.url, HEADERS, pause=lambda _: None, **kwargs))
    return OPEN[-1]


def test_get_is_retried_and_carries_the_key(service: Service) -> None:
    service.errors = [503, 429]
    assert http_for(service).get("/balance").json == {"balance": 42.0}
    assert service.calls("GET", "/balance") == 3
    keys = {headers["authorization"] for _, _, headers in service.requests}
    assert keys <= {f"Bearer {KEY}"}


def test_get_gives_up_with_the_last_answer(service: Service) -> None:
    service.errors = [503] * 20
    assert http_for(service).get("/balance").status == 503
    assert service.calls("GET", "/balance") == 5


def test_submit_without_an_answer_is_uncertain_and_sent_once(service: Service) -> None:
    service.swallow_submit = True
    with pytest.raises(Uncertain, match="no response"):
        http_for(service).submit("/tasks", json={})
    assert len(service.submits) == 1


def test_submit_that_times_out_is_uncertain_and_sent_once(service: Service) -> None:
    service.submit_takes = 1.0
    with pytest.raises(Uncertain):
        http_for(service).submit("/tasks", json={}, timeout=0.2)
    assert service.calls("POST", "/tasks") == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_submit_is_not_repeated_after_a_server_error(service: Service, status: int) -> None:
    service.errors = [status]
    assert http_for(service).submit("/tasks", json={}).status == status
    assert service.calls("POST", "/tasks") == 1


def test_submit_that_was_refused_is_sent_again(service: Service) -> None:
    service.errors = [429]
    assert http_for(service).submit("/tasks", json={}).ok
    assert len(service.submits) == 1


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [("7", 7.0, 7.0), ("1.5", 1.5, 1.5), ("in", 40.0, 60.0), ("ago", 0.0, 0.0)],
)
def test_retry_after_is_read_as_seconds_or_a_date(told: str, least: float, most: float) -> None:
    shift = {"in": 60, "ago": -60}.get(told)
    said = told if shift is None else formatdate(time.time() + shift, usegmt=True)
    pause = Reply(429, {"retry-after": said}, "").asked_pause
    assert pause is not None
    assert least <= pause <= most


ABSURD = (
    "1e999",
    "Fri, 31 Dec 9999 23:59:59 -9999",
    "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
)
"""Values for which Python's own parsers raise OverflowError or ValueError, or return infinity."""


@pytest.mark.parametrize("told", ["soon", "nan", "inf", "-3", "", "Wed, 99 Foo 2026", *ABSURD])
def test_an_unreadable_retry_after_is_ignored(told: str) -> None:
    assert Reply(429, {"retry-after": told}, "").asked_pause is None


def test_a_submit_to_a_closed_port_did_not_arrive() -> None:
    with serving(Service()) as gone:
        url = gone.url
    with pytest.raises(Unreachable):
        Http(url, HEADERS, pause=lambda _: None).submit("/tasks", json={})


def test_a_submit_can_carry_the_images_as_a_form(service: Service) -> None:
    files = {"image": ("cup.png", b"the pixels", "image/png")}
    assert http_for(service).submit("/files", form={"detail": "low"}, files=files).ok
    ((_, _, headers),) = service.requests
    kind = {name.lower(): value for name, value in headers.items()}["content-type"]
    assert kind.startswith("multipart/form-data; boundary=")
    for piece in (b'name="detail"\r\n\r\nlow', b'filename="cup.png"', b"the pixels"):
        assert piece in service.last_body


def test_plain_http_and_offline_are_refused_before_anything_is_sent(service: Service) -> None:
    with pytest.raises(InvalidSettings, match="https"):
        Http("http://example.com", HEADERS).get("/")
    with pytest.raises(Unreachable, match="Allow Online Access"):
        Http("https://example.com", HEADERS, online=False).get("/")
    assert http_for(service, online=False).get("/balance").ok


def test_a_netrc_entry_does_not_replace_the_key(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert http_for(service).get("/balance").ok
    http_for(service).fetch(f"{service.url}/download/a", 10**6)
    assert "authorization" not in service.requests[-1][2]


def test_picture_is_fetched_with_a_limit(service: Service) -> None:
    assert http_for(service).fetch(f"{service.url}/download/a", 10**6) == service.mesh
    with pytest.raises(BadImage, match="larger than"):
        http_for(service).fetch(f"{service.url}/download/a", 10)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("localhost", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_hosts_are_recognized(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_a_secret_quoted_by_the_service_is_redacted(service: Service) -> None:
    service.quotes = "your key s3cr_PLAIN_1 is not good"
    http = http_for(service, secrets=["s3cr_PLAIN_1"])
    assert http.get("/balance").text == '{"error": "your key … is not good"}'
