# SPDX-License-Identifier: GPL-3.0-or-later
"""System settings that block calls are named, and nothing is sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from fakes.failing import (
    AWAY,
    KEY,
    OK,
    Row,
    answer,
    check,
    error_of,
    hello,
    hello_then,
    nothing,
)
from fakes.lines import Act, Authority, Line, answering

from image_to_mesh.providers import Sent
from image_to_mesh.providers._shared.http import ca_bundle
from image_to_mesh.providers._shared.http.client import Http


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that the product trusts by a setting."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("kind", ["gone", "no certificate", "a folder"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "preference"])
def test_a_bundle_that_cannot_be_used_is_named(
    kind: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    if kind == "no certificate":
        bundle.write_text("no certificate", "utf-8")
    if kind == "a folder":
        bundle.mkdir()
    if variable == "preference":
        monkeypatch.setattr(ca_bundle, "_bundle", [str(bundle)])
    else:
        monkeypatch.setenv(variable, str(bundle))
    says = "its certificate" if kind == "a folder" else "bundle.pem cannot be used"
    row = Row(kind, None, Sent.NO, says, lasting=True)
    with answering(nothing, Authority(tmp_path).good()) as server:
        check(row, f"https://localhost:{server.port}", server, monkeypatch)
        error = error_of(lambda http: http.get("/"), f"https://localhost:{server.port}")
    if kind != "a folder":
        source = "Certificate Bundle" if variable == "preference" else variable
        assert source in error.hint


def test_a_closed_port_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(nothing) as gone:
        url = gone.url
    check(Row("refused", None, Sent.NO, "Connection refused"), url, None, monkeypatch)


def test_an_unknown_host_name_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    check(Row("name", None, Sent.NO, "its name cannot be resolved"), AWAY, None, monkeypatch)


def test_a_connection_timeout_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: socket.socket, place: Any) -> None:
        assert self.gettimeout()
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", never)
    row = Row("connect", None, Sent.NO, "the connection timed out")
    check(row, "http://127.0.0.1:9", None, monkeypatch)


def _connect_then(text: str, then: str = "") -> Act:
    def act(line: Line) -> None:
        line.sock.recv(65536)
        line.send(text)
        if then:
            getattr(line, then)()

    return act


def _dripping_proxy(line: Line) -> None:
    line.sock.recv(65536)
    line.drip("HTTP/1.1 200 " + "O" * 200)


PROXIES = [
    Row("asks for a password", _connect_then("HTTP/1.1 407 Authenticate\r\n\r\n"), Sent.NO, "407"),
    Row("has no way", _connect_then("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Sent.NO, "502 Bad"),
    Row("hangs up", hello, Sent.NO, "the connection was interrupted"),
    Row("resets", hello_then("reset"), Sent.NO, "the connection was interrupted"),
    Row("is silent", hello_then("wait"), Sent.NO, "the connection timed out"),
    Row("drips", _dripping_proxy, Sent.NO, "the connection timed out"),
    Row("is none", _connect_then("220 mail.example ESMTP\r\n"), Sent.NO, "cannot be read"),
    Row(
        "cuts the handshake",
        _connect_then("HTTP/1.1 200 OK\r\n\r\n", "hear"),
        Sent.NO,
        "no secure connection",
    ),
]


@pytest.mark.parametrize("row", PROXIES, ids=str)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_failing_proxy_is_named_and_gets_no_request(
    row: Row, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    with answering(row.act) as server:
        monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{server.port}")
        check(row, AWAY, None, monkeypatch)
        error = error_of(lambda http: http.get("/"), AWAY)
    assert f"through the proxy 127.0.0.1:{server.port}" in error.message
    assert error.hint == f"Check {variable}."
    assert "secret" not in str(error)
    assert not server.heads, "a request was sent"


BAD_PROXIES = [
    ("http://127.0.0.1:{gone}", "Connection refused"),
    ("127.0.0.1:{gone}", "Connection refused"),
    ("socks5://127.0.0.1:{gone}", "uses SOCKS, which requires the Python package PySocks"),
    ("socks5h://127.0.0.1:{gone}", "uses SOCKS, which requires the Python package PySocks"),
    ("http://[::1", "cannot be used: its host is not valid"),
    ("http://:3128", "cannot be used: it has no host"),
    ("http://proxy.example:port", "cannot be used: its port is not valid"),
    ("http://pro xy.example:3128", "cannot be used: it contains spaces"),
    ("ftp://proxy.example:3128", "cannot be used: it does not start with http://"),
]


@pytest.mark.parametrize(("proxy", "says"), BAD_PROXIES)
def test_a_proxy_that_cannot_be_used_is_named(
    proxy: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(nothing) as gone:
        port = gone.port
    monkeypatch.setenv("all_proxy", proxy.format(gone=port))
    check(Row(proxy, None, Sent.NO, says), AWAY, None, monkeypatch)
    assert "all_proxy" in str(error_of(lambda http: http.get("/"), AWAY))


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "127.0.0.2"])
def test_loopback_never_goes_through_a_proxy(
    variable: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = answer(f"{OK}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}")
    with answering(good) as service, answering(nothing) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        if host == "127.0.0.2":
            host = "127.0.0.1"
            monkeypatch.setenv("no_proxy", "other.example")
        http = Http(f"http://{host}:{service.port}", {"X-Key": KEY}, pause=lambda _: None)
        assert http.submit("/tasks", json={}).ok
        assert http.get("/tasks").ok
        assert http.fetch(f"http://{host}:{service.port}/a", 99) == b"{}"
        http.close()
    assert (len(service.heads), proxy.heads) == (3, [])


def test_no_proxy_hosts_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def unknown(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intern.example,.local.example")
    error = error_of(lambda http: http.get("/"), "https://api.intern.example")
    assert "proxy" not in error.message
    assert set(asked) == {"api.intern.example"}
