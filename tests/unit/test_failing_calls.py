# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way that a call can fail: how much of it was sent, and what is said of it.

What is sent is counted at the server. The encrypted ones speak real TLS, with an authority of
their own.
"""

from __future__ import annotations

import gzip
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.lines import Act, Authority, Line, Server, answering

from image_to_mesh.providers import ImageToMeshError, Sent, Uncertain, Unreachable, _http, _trust
from image_to_mesh.providers import _connections as connections
from image_to_mesh.providers._http import Http

KEY = "a-key-that-nobody-sees"
BODY = {"picture": "x" * 200_000}
SHORT, LONG = 0.3, 30.0
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
        return SHORT if self.says.endswith("in time") else LONG


OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONGER = f"{OK}Content-Length: 999\r\n\r\n"


def _answer(text: bytes | str, then: str = "") -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(text)
        if then:
            getattr(line, then)()

    return act


def _after(what: str, *, head: str = "") -> Act:
    """Read the request, answer the head, and then do something."""

    def act(line: Line) -> None:
        line.read()
        line.send(head)
        getattr(line, what)()

    return act


def _drips(head: str, tail: str) -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(head)
        line.drip(tail)

    return act


def _reset_at_once(line: Line) -> None:
    line.reset()
    line.server.ended.set()


def _reset_in_body(line: Line) -> None:
    line.read(body=False)
    line.reset()


def _flood(text: str) -> Act:
    def act(line: Line) -> None:
        line.read()
        line.flood(text)

    return act


PLAIN = [
    Row("reset before a byte", _reset_at_once, Sent.NO, "the connection broke off"),
    Row("closed without an answer", _answer(""), Sent.MAYBE, "broke off"),
    Row("reset in the middle of the request", _reset_in_body, Sent.MAYBE, "broke off"),
    Row("reset after the request", _after("reset"), Sent.MAYBE, "broke off"),
    Row("silence", _after("wait"), Sent.MAYBE, "no answer in time"),
    Row("status line dripping", _drips("", "HTTP/1.1 200 " + "O" * 900), Sent.MAYBE, "in time"),
    Row("headers dripping", _drips(OK, "X-A: " + "b" * 900), Sent.MAYBE, "in time"),
    Row("reset in the status line", _after("reset", head="HTTP/1.1 2"), Sent.MAYBE, "broke off"),
    Row("reset in the headers", _after("reset", head=OK), Sent.MAYBE, "broke off"),
    Row("no status line", _answer("hello, who is there?\r\n\r\n"), Sent.MAYBE, "cannot be read"),
    Row("another protocol", _answer(b"\0\0\x12\4\0\0\0\0\0\0"), Sent.MAYBE, "cannot be read"),
    Row("a status without an end", _flood("HTTP/1.1 200 " + "O" * 9000), Sent.MAYBE, "be read"),
    Row("headers without an end", _flood(f"{OK}X-A: b\r\n"), Sent.MAYBE, "cannot be read"),
    Row("a flood of 102", _flood("HTTP/1.1 102 Processing\r\n\r\n"), Sent.MAYBE, "be read"),
    Row("a flood of 100", _flood("HTTP/1.1 100 Continue\r\n\r\n"), Sent.MAYBE, "be read"),
    Row("two lengths", _answer(f"{OK}Content-Length: 2, 3\r\n\r\n{{}}"), Sent.MAYBE, "be read"),
    Row("body too short", _answer(f"{OK}Content-Length: 99\r\n\r\n{{"), Sent.YES, "broke off"),
    Row(
        "reset in the body",
        _after("reset", head=f"{OK}Content-Length: 99\r\n\r\n{{"),
        Sent.YES,
        "broke off",
    ),
    Row("body dripping", _drips(LONGER, " " * 999), Sent.YES, "in time"),
    Row("body stops", _after("wait", head=f"{LONGER}{{"), Sent.YES, "in time"),
    Row(
        "chunks dripping",
        _drips(f"{OK}Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n" * 200),
        Sent.YES,
        "in time",
    ),
    Row(
        "chunks that are none",
        _answer(f"{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Sent.YES,
        "broke off",
    ),
    Row(
        "gzip that is none",
        _answer(f"{OK}Content-Encoding: gzip\r\n\r\nnot packed at all"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "gzip that breaks off",
        _answer(f"{OK}Content-Encoding: gzip\r\n\r\n".encode() + gzip.compress(b"{}" * 99)[:20]),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "packed in a way that is not known",
        _answer(f"{OK}Content-Encoding: br\r\n\r\nabc"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "too long",
        _answer(f"{OK}\r\n" + " " * (_http.MAX_REPLY + 1)),
        Sent.YES,
        "more than 1 MB",
        lasting=True,
        kind="bad_reply",
    ),
    Row(
        "a redirect",
        _answer("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
        Sent.YES,
        "redirects",
        lasting=True,
        kind="bad_reply",
    ),
]


def _failed(call: Callable[[Http], object], url: str) -> ImageToMeshError:
    http = Http(url, {"Authorization": f"Bearer {KEY}"}, pause=lambda _: None)
    try:
        with pytest.raises(ImageToMeshError) as caught:
            call(http)
    finally:
        http.close()
    return caught.value


def _check(row: Row, url: str, server: Server | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a submit and a free call fail, and judge what is said of both."""
    monkeypatch.setattr(_http, "FREE_LIMIT", row.patience)
    monkeypatch.setattr(connections, "CONNECT_LIMIT", row.patience)
    error = _failed(lambda http: http.submit("/tasks", json=BODY, timeout=row.patience), url)
    expected = Unreachable.kind if row.sent is Sent.NO else Uncertain.kind
    assert (error.kind, error.sent) == (row.kind or expected, row.sent)
    assert row.says in error.message
    assert error.hint
    assert KEY not in str(error)
    if server:
        assert len(server.heads) == (0 if row.sent is Sent.NO else 1)
    error = _failed(lambda http: http.post("/tasks", json=BODY, timeout=row.patience), url)
    assert (error.kind, error.sent) == (row.kind or Unreachable.kind, row.sent)
    assert row.says in error.message


@pytest.mark.parametrize("row", PLAIN, ids=str)
def test_a_call_that_fails_says_how_much_was_sent(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    with answering(row.act) as server:
        if row.sent is Sent.NO:
            _begin_after(server, monkeypatch)
        _check(row, server.url, server, monkeypatch)


def _begin_after(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests begin once the server has reset their connection."""
    real = connections._Watched.connect

    def connect(self: Any) -> None:
        server.ended.clear()
        real(self)
        assert server.ended.wait(5)

    monkeypatch.setattr(connections._Watched, "connect", connect)


# -- encrypted -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the product is told to trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


def _nothing(line: Line) -> None:
    line.read()


CERTIFICATES = [
    ("of_another_host", "its certificate is for another host"),
    ("expired", "its certificate has expired"),
    ("of_another_authority", "an authority that is not trusted here"),
    ("signed_by_itself", "its certificate is signed by itself"),
]


@pytest.mark.parametrize(("certificate", "says"), CERTIFICATES)
def test_a_certificate_that_cannot_be_trusted_gets_no_request(
    authority: Authority, certificate: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    row = Row(certificate, None, Sent.NO, says, lasting=True)
    with answering(_nothing, getattr(authority, certificate)()) as server:
        _check(row, f"https://localhost:{server.port}", server, monkeypatch)


def _hello(line: Line) -> None:
    line.sock.recv(65536)


def _hello_then(what: str) -> Act:
    def act(line: Line) -> None:
        _hello(line)
        getattr(line, what)()

    return act


def _speaks_plainly(line: Line) -> None:
    _hello(line)
    line.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _drips_its_hello(line: Line) -> None:
    _hello(line)
    line.drip(b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc" + b"\0" * 900)


UNENCRYPTED = [
    Row("handshake never finished", _hello_then("wait"), Sent.NO, "no connection in time"),
    Row("handshake dripping", _drips_its_hello, Sent.NO, "no connection in time"),
    Row("reset in the handshake", _hello_then("reset"), Sent.NO, "the connection broke off"),
    Row("closed in the handshake", _hello, Sent.NO, "no encrypted connection"),
    Row("no encryption there", _speaks_plainly, Sent.NO, "no encrypted connection"),
]


@pytest.mark.parametrize("row", UNENCRYPTED, ids=str)
def test_a_handshake_is_no_request(
    row: Row, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with answering(row.act) as server:
        _check(row, f"https://localhost:{server.port}", None, monkeypatch)


ENCRYPTED = [
    Row("reset after the request", _after("reset"), Sent.MAYBE, "broke off"),
    Row("closed without an answer", _nothing, Sent.MAYBE, "broke off"),
    Row("silence", _after("wait"), Sent.MAYBE, "no answer in time"),
    Row("headers dripping", _drips(OK, "X-A: " + "b" * 900), Sent.MAYBE, "in time"),
    Row("body dripping", _drips(LONGER, " " * 999), Sent.YES, "in time"),
    Row("body too short", _answer(f"{OK}Content-Length: 99\r\n\r\n{{"), Sent.YES, "broke off"),
]


@pytest.mark.parametrize("row", ENCRYPTED, ids=str)
def test_an_encrypted_call_that_fails_says_how_much_was_sent(
    row: Row, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with answering(row.act, authority.good()) as server:
        _check(row, f"https://localhost:{server.port}", server, monkeypatch)


def test_a_good_certificate_is_taken(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.bundle))
    with answering(_answer(f"{OK}Content-Length: 2\r\n\r\n{{}}"), authority.good()) as server:
        http = Http(f"https://localhost:{server.port}", {}, pause=lambda _: None)
        assert http.submit("/tasks", json=BODY).json == {}
        assert http.get("/tasks").json == {}
        http.close()
    assert len(server.heads) == 2


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
        monkeypatch.setattr(_trust, "_bundle", [str(bundle)])
    else:
        monkeypatch.setenv(variable, str(bundle))
    says = "its certificate" if kind == "a folder" else "bundle.pem cannot be used"
    row = Row(kind, None, Sent.NO, says, lasting=True)
    with answering(_nothing, Authority(tmp_path).good()) as server:
        _check(row, f"https://localhost:{server.port}", server, monkeypatch)
        error = _failed(lambda http: http.get("/"), f"https://localhost:{server.port}")
    if kind != "a folder":
        origin = "Certificate Bundle" if variable == "preference" else variable
        assert origin in error.hint


# -- names, proxies ------------------------------------------------------------------------------


def test_nobody_there_is_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(_nothing) as gone:
        url = gone.url
    _check(Row("refused", None, Sent.NO, "Connection refused"), url, None, monkeypatch)


def test_a_name_that_nobody_knows_is_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _check(Row("name", None, Sent.NO, "its name is not known"), AWAY, None, monkeypatch)


def test_a_connection_that_is_never_made_is_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: socket.socket, place: Any) -> None:
        assert self.gettimeout()
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", never)
    row = Row("connect", None, Sent.NO, "no connection in time")
    _check(row, "http://127.0.0.1:9", None, monkeypatch)


def _connect_then(text: str, then: str = "") -> Act:
    def act(line: Line) -> None:
        line.sock.recv(65536)
        line.send(text)
        if then:
            getattr(line, then)()

    return act


def _dripping_proxy(line: Line) -> None:
    line.sock.recv(65536)
    line.drip("HTTP/1.1 200 " + "O" * 900)


PROXIES = [
    Row("asks for a password", _connect_then("HTTP/1.1 407 Authenticate\r\n\r\n"), Sent.NO, "407"),
    Row("has no way", _connect_then("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Sent.NO, "502 Bad"),
    Row("hangs up", _hello, Sent.NO, "the connection broke off"),
    Row("resets", _hello_then("reset"), Sent.NO, "the connection broke off"),
    Row("is silent", _hello_then("wait"), Sent.NO, "no connection in time"),
    Row("drips", _dripping_proxy, Sent.NO, "no connection in time"),
    Row("is none", _connect_then("220 mail.example ESMTP\r\n"), Sent.NO, "cannot be read"),
    Row(
        "cuts the handshake",
        _connect_then("HTTP/1.1 200 OK\r\n\r\n", "hear"),
        Sent.NO,
        "no encrypted connection",
    ),
]


@pytest.mark.parametrize("row", PROXIES, ids=str)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_in_the_way_is_named_and_gets_no_request(
    row: Row, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    with answering(row.act) as server:
        monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{server.port}")
        _check(row, AWAY, None, monkeypatch)
        error = _failed(lambda http: http.get("/"), AWAY)
    assert f"through the proxy 127.0.0.1:{server.port}" in error.message
    assert error.hint == f"Check {variable}."
    assert "secret" not in str(error)
    assert not server.heads


BAD_PROXIES = [
    ("http://127.0.0.1:{gone}", "Connection refused"),
    ("127.0.0.1:{gone}", "Connection refused"),
    ("socks5://127.0.0.1:{gone}", "speaks SOCKS, which needs PySocks"),
    ("socks5h://127.0.0.1:{gone}", "speaks SOCKS, which needs PySocks"),
    ("http://[::1", "cannot be used: its host cannot be read"),
    ("http://:3128", "cannot be used: it names no host"),
    ("http://proxy.example:port", "cannot be used: its port cannot be read"),
    ("http://pro xy.example:3128", "cannot be used: it holds blanks"),
    ("ftp://proxy.example:3128", "cannot be used: it does not begin with http://"),
]


@pytest.mark.parametrize(("proxy", "says"), BAD_PROXIES)
def test_a_proxy_that_cannot_be_used_is_named(
    proxy: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(_nothing) as gone:
        port = gone.port
    monkeypatch.setenv("all_proxy", proxy.format(gone=port))
    _check(Row(proxy, None, Sent.NO, says), AWAY, None, monkeypatch)
    assert "all_proxy" in str(_failed(lambda http: http.get("/"), AWAY))


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "127.0.0.2"])
def test_no_proxy_leads_to_this_machine(
    variable: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = _answer(f"{OK}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}")
    with answering(answer) as service, answering(_nothing) as proxy:
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


def test_what_is_exempt_from_the_proxy_is_reached_without(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def unknown(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intern.example,.local.example")
    error = _failed(lambda http: http.get("/"), "https://api.intern.example")
    assert "proxy" not in error.message
    assert set(asked) == {"api.intern.example"}


# -- what is no failure --------------------------------------------------------------------------


def test_answers_before_the_answer_are_passed_over() -> None:
    first = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n"
    hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with answering(_answer(f'{first}{hints}{OK}Content-Length: 8\r\n\r\n{{"a":1}} ')) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        reply = http.submit("/tasks", json={})
        http.close()
    assert (reply.status, reply.json) == (200, {"a": 1})


@pytest.mark.parametrize("status", [401, 402, 403, 422])
def test_a_refusal_counts_also_where_its_body_breaks_off(status: int) -> None:
    with answering(_answer(f"HTTP/1.1 {status} No\r\nContent-Length: 99\r\n\r\nbecause")) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        reply = http.submit("/tasks", json={})
        http.close()
    assert (reply.status, reply.text) == (status, "because")
    assert len(server.heads) == 1


def test_a_kept_connection_that_was_closed_does_not_make_an_order_uncertain() -> None:
    closed: list[bool] = []

    def act(line: Line) -> None:
        line.read()
        line.send(f"{OK}Content-Length: 2\r\n\r\n{{}}")
        if not closed:
            closed.append(True)
            line.reset()

    with answering(act) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        assert http.get("/balance").ok
        assert server.ended.wait(5)
        assert http.submit("/tasks", json={}).ok
        http.close()
    assert len(server.heads) == 2


def test_malformed_headers_are_passed_over_in_silence(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    text = f"{OK}this is no header\r\nContent-Length: 2\r\n\r\n{{}}"
    with answering(_answer(text)) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        assert http.get("/file?signature=s1gned").ok
        assert http.fetch(f"{server.url}/file?signature=s1gned", 99)
        http.close()
    assert "s1gned" not in caplog.text + capfd.readouterr().err


def test_cookies_are_not_kept() -> None:
    text = f"{OK}Set-Cookie: track=me; Path=/\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    with answering(_answer(text)) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        for _ in range(2):
            assert http.get("/tasks").ok
        assert http.fetch(f"{server.url}/a", 99)
        http.close()
    assert len(server.heads) == 3
    assert "cookie" not in "".join(server.heads).lower()


def test_there_are_enough_ways_to_fail() -> None:
    names = [*PLAIN, *UNENCRYPTED, *ENCRYPTED, *PROXIES, *CERTIFICATES, *BAD_PROXIES]
    assert len(names) >= 25 + 25
