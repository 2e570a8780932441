# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a call fails: how much was sent, and the message.

What is sent is counted at the server. The encrypted ones speak real TLS, with an authority of
their own.
"""

from __future__ import annotations

import gzip
import logging
from typing import Any

import pytest
from fakes.failing import (
    BODY,
    LONGER,
    OK,
    Row,
    after,
    answer,
    check,
    drips,
    hello,
    hello_then,
    nothing,
)
from fakes.lines import Act, Authority, Line, Server, answering

from image_to_mesh.providers import Sent
from image_to_mesh.providers._shared.http import client
from image_to_mesh.providers._shared.http import connections as connections
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.http.download_stream import Interrupted


def _reset_at_once(line: Line) -> None:
    line.reset()
    line.server.ended.set()


def _reset_in_body(line: Line) -> None:
    line.read(body=False)
    line.reset()


def _flood(start: str, text: str = "") -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(start)
        line.flood(text or start)

    return act


CHUNKED = f"{OK}Transfer-Encoding: chunked\r\n\r\n"
EMPTY = gzip.compress(b"")[:10].decode("latin-1")
"""How a packed body begins."""

PLAIN = [
    Row("reset before a byte", _reset_at_once, Sent.NO, "the connection was interrupted"),
    Row("closed without an answer", answer(""), Sent.MAYBE, "was interrupted"),
    Row("reset in the middle of the request", _reset_in_body, Sent.MAYBE, "was interrupted"),
    Row("reset after the request", after("reset"), Sent.MAYBE, "was interrupted"),
    Row("silence", after("wait"), Sent.MAYBE, "the response timed out"),
    Row("status line dripping", drips("", "HTTP/1.1 200 " + "O" * 200), Sent.MAYBE, "timed out"),
    Row("headers dripping", drips(OK, "X-A: " + "b" * 200), Sent.MAYBE, "timed out"),
    Row(
        "reset in the status line", after("reset", head="HTTP/1.1 2"), Sent.MAYBE, "was interrupted"
    ),
    Row("reset in the headers", after("reset", head=OK), Sent.MAYBE, "was interrupted"),
    Row("no status line", answer("hello, who is there?\r\n\r\n"), Sent.MAYBE, "cannot be read"),
    Row("another protocol", answer(b"\0\0\x12\4\0\0\0\0\0\0"), Sent.MAYBE, "cannot be read"),
    Row("a status without an end", _flood("HTTP/1.1 200 " + "O" * 2000), Sent.MAYBE, "be read"),
    Row("headers without an end", _flood(f"{OK}X-A: b\r\n"), Sent.MAYBE, "cannot be read"),
    Row("a flood of 102", _flood("HTTP/1.1 102 Processing\r\n\r\n"), Sent.MAYBE, "be read"),
    Row("a flood of 100", _flood("HTTP/1.1 100 Continue\r\n\r\n"), Sent.MAYBE, "be read"),
    Row("two lengths", answer(f"{OK}Content-Length: 2, 3\r\n\r\n{{}}"), Sent.MAYBE, "be read"),
    Row("body too short", answer(f"{OK}Content-Length: 99\r\n\r\n{{"), Sent.YES, "was interrupted"),
    Row(
        "reset in the body",
        after("reset", head=f"{OK}Content-Length: 99\r\n\r\n{{"),
        Sent.YES,
        "was interrupted",
    ),
    Row("body dripping", drips(LONGER, " " * 999), Sent.YES, "timed out"),
    Row("body stops", after("wait", head=f"{LONGER}{{"), Sent.YES, "timed out"),
    Row(
        "chunks dripping",
        drips(f"{OK}Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n" * 200),
        Sent.YES,
        "timed out",
    ),
    Row(
        "chunks that are none",
        answer(f"{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Sent.YES,
        "was interrupted",
    ),
    Row(
        "a trailer without an end",
        _flood(f"{CHUNKED}2\r\n{{}}\r\n0\r\n", "X-A: b\r\n"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "chunks of next to nothing",
        _flood(CHUNKED, f"1;{'x' * 30_000}\r\n \r\n"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "gzip that never holds anything",
        _flood(f"{OK}Content-Encoding: gzip\r\n\r\n{EMPTY}", "\0\0\0\xff\xff" * 1000),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "gzip that is none",
        answer(f"{OK}Content-Encoding: gzip\r\n\r\nnot packed at all"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "gzip that breaks off",
        answer(f"{OK}Content-Encoding: gzip\r\n\r\n".encode() + gzip.compress(b"{}" * 99)[:20]),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "packed in a way that is not known",
        answer(f"{OK}Content-Encoding: br\r\n\r\nabc"),
        Sent.YES,
        "cannot be read",
    ),
    Row(
        "too long",
        answer(f"{OK}\r\n" + " " * (client.MAX_REPLY + 1)),
        Sent.YES,
        "larger than 1 MB",
        lasting=True,
        kind="bad_reply",
    ),
    Row(
        "a redirect",
        answer("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
        Sent.YES,
        "redirects",
        lasting=True,
        kind="bad_reply",
    ),
]


@pytest.mark.parametrize("row", PLAIN, ids=str)
def test_a_call_that_fails_says_how_much_was_sent(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    with answering(row.act) as server:
        if row.sent is Sent.NO:
            _begin_after(server, monkeypatch)
        check(row, server.url, server, monkeypatch)


def _begin_after(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests begin once the server has reset their connection."""
    real = connections._TrackedConnection.connect

    def connect(self: Any) -> None:
        server.ended.clear()
        real(self)
        assert server.ended.wait(5), "the connection is still open after 5 s"

    monkeypatch.setattr(connections._TrackedConnection, "connect", connect)


# -- encrypted -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that the product trusts by a setting."""
    return Authority(tmp_path_factory.mktemp("authority"))


CERTIFICATES = [
    ("of_another_host", "its certificate is for a different host"),
    ("out_of_date", "its certificate has expired"),
    ("of_another_authority", "issued by an untrusted authority"),
    ("signed_by_itself", "its certificate is self-signed"),
]


@pytest.mark.parametrize(("certificate", "says"), CERTIFICATES)
def test_a_certificate_that_cannot_be_trusted_gets_no_request(
    authority: Authority, certificate: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    row = Row(certificate, None, Sent.NO, says, lasting=True)
    with answering(nothing, getattr(authority, certificate)()) as server:
        check(row, f"https://localhost:{server.port}", server, monkeypatch)


def _speaks_plainly(line: Line) -> None:
    hello(line)
    line.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _drips_its_hello(line: Line) -> None:
    hello(line)
    line.drip(b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc" + b"\0" * 200)


UNENCRYPTED = [
    Row("handshake never finished", hello_then("wait"), Sent.NO, "the connection timed out"),
    Row("handshake dripping", _drips_its_hello, Sent.NO, "the connection timed out"),
    Row("reset in the handshake", hello_then("reset"), Sent.NO, "the connection was interrupted"),
    Row("closed in the handshake", hello, Sent.NO, "no secure connection"),
    Row("no encryption there", _speaks_plainly, Sent.NO, "no secure connection"),
]


@pytest.mark.parametrize("row", UNENCRYPTED, ids=str)
def test_a_failed_tls_handshake_sends_no_request(
    row: Row, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with answering(row.act) as server:
        check(row, f"https://localhost:{server.port}", None, monkeypatch)


ENCRYPTED = [
    Row("reset after the request", after("reset"), Sent.MAYBE, "was interrupted"),
    Row("closed without an answer", nothing, Sent.MAYBE, "was interrupted"),
    Row("silence", after("wait"), Sent.MAYBE, "the response timed out"),
    Row("headers dripping", drips(OK, "X-A: " + "b" * 200), Sent.MAYBE, "timed out"),
    Row("body dripping", drips(LONGER, " " * 999), Sent.YES, "timed out"),
    Row("body too short", answer(f"{OK}Content-Length: 99\r\n\r\n{{"), Sent.YES, "was interrupted"),
]


@pytest.mark.parametrize("row", ENCRYPTED, ids=str)
def test_an_encrypted_call_that_fails_says_how_much_was_sent(
    row: Row, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert row.act is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with answering(row.act, authority.good()) as server:
        check(row, f"https://localhost:{server.port}", server, monkeypatch)


def test_a_valid_certificate_is_accepted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.bundle))
    with answering(answer(f"{OK}Content-Length: 2\r\n\r\n{{}}"), authority.good()) as server:
        http = Http(f"https://localhost:{server.port}", {}, pause=lambda _: None)
        assert http.submit("/tasks", json=BODY).json == {}
        assert http.get("/tasks").json == {}
        http.close()
    assert len(server.heads) == 2


def test_a_download_is_not_kept_waiting_by_its_trailer() -> None:
    trailer = "X-A: b\r\n" * 200
    with answering(answer(f"{CHUNKED}2\r\n{{}}\r\n0\r\n{trailer}\r\n")) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        with (
            pytest.raises(Interrupted, match="cannot be read"),
            http.open_download(f"{server.url}/mesh.glb", {}) as stream,
        ):
            list(stream.pieces)
        http.close()


# -- what is no failure --------------------------------------------------------------------------


def test_interim_responses_are_skipped() -> None:
    first = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n"
    hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with answering(answer(f'{first}{hints}{OK}Content-Length: 8\r\n\r\n{{"a":1}} ')) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        reply = http.submit("/tasks", json={})
        http.close()
    assert (reply.status, reply.json) == (200, {"a": 1})


@pytest.mark.parametrize("status", [401, 402, 403, 422])
def test_a_refusal_counts_also_where_its_body_breaks_off(status: int) -> None:
    with answering(answer(f"HTTP/1.1 {status} No\r\nContent-Length: 99\r\n\r\nbecause")) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        reply = http.submit("/tasks", json={})
        http.close()
    assert (reply.status, reply.text) == (status, "because")
    assert len(server.heads) == 1


def test_a_closed_keep_alive_connection_does_not_make_an_order_uncertain() -> None:
    def act(line: Line) -> None:
        line.read()
        line.send(f"{OK}Content-Length: 2\r\n\r\n{{}}")
        line.read()
        line.reset()

    with answering(act) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        assert http.get("/balance").ok
        assert http.submit("/tasks", json={}).ok
        http.close()
    assert [head.split(" ")[0] for head in server.heads] == ["GET", "POST"]


def test_malformed_headers_are_ignored(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    text = f"{OK}this is no header\r\nContent-Length: 2\r\n\r\n{{}}"
    with answering(answer(text)) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        assert http.get("/file?signature=s1gned").ok
        assert http.fetch(f"{server.url}/file?signature=s1gned", 99)
        http.close()
    assert "s1gned" not in caplog.text + capfd.readouterr().err


def test_cookies_are_not_kept() -> None:
    text = f"{OK}Set-Cookie: track=me; Path=/\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    with answering(answer(text)) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        for _ in range(2):
            assert http.get("/tasks").ok
        assert http.fetch(f"{server.url}/a", 99)
        http.close()
    assert len(server.heads) == 3
    assert "cookie" not in "".join(server.heads).lower()


def test_enough_kinds_of_failure_are_tested() -> None:
    names = [*PLAIN, *UNENCRYPTED, *ENCRYPTED, *CERTIFICATES]
    assert len(names) >= 25
