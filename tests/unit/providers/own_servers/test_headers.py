# SPDX-License-Identifier: GPL-3.0-or-later
"""Optional keys and headers: what is accepted, what is sent, and what is never shown."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from image_to_mesh.cli.entry import main
from image_to_mesh.providers import (
    CONSENT_HINT,
    UNENCRYPTED,
    BadKey,
    KeyField,
    Provider,
    Secret,
    get_provider,
    keys_for,
    parts_to_hide,
    unencrypted_problem,
)
from image_to_mesh.providers._shared.credentials import headers_of
from image_to_mesh.providers._shared.redaction import Redactor, redactor_for

SERVER: Provider[Any] = get_provider("hunyuan3d")
NAME = "hunyuan3d_header"
HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
LOGIN = "jürgen:correct-horse"
KEY = KeyField("some_api_key", "SOME_API_KEY")
FIELDS = (KEY, KeyField("some_header", "SOME_HEADER", optional=True, kind="header"))


def test_an_optional_header_may_be_missing() -> None:
    assert keys_for(SERVER, {}, {}) == {}
    assert SERVER.headers({}) == {}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (HEADER, {"Authorization": "Basic dXNlcjpzZWNyZXQ="}),
        ("X-Api-Key:abc def", {"X-Api-Key": "abc def"}),
        ("  CF-Access-Client-Id: a.b  ", {"CF-Access-Client-Id": "a.b"}),
    ],
)
def test_a_header_is_sent_as_entered(text: str, sent: dict[str, str]) -> None:
    keys = keys_for(SERVER, {NAME: text}, {"HUNYUAN3D_HEADER": "X-Other: 1"})
    assert SERVER.headers(keys) == sent
    assert "dXNlcj" not in repr(keys)


@pytest.mark.parametrize(
    "text",
    [
        "secret",
        "Authorization",
        "Authorization:",
        ": value",
        "Host: example.com",
        "content-length: 5",
        "Transfer-Encoding: chunked",
        "Origin: http://example.com",
        "X-A: b\r\nX-C: d",
        "X-A: b\x00c",
        "X-Ä: b",
        "X-A: ä",
        "X A: b",
    ],
)
def test_a_text_that_is_no_header_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(BadKey, match="not a header") as caught:
        keys_for(SERVER, {NAME: text}, {})
    assert "Name" not in str(caught.value) or text not in str(caught.value)


def test_a_key_and_a_header_go_together() -> None:
    keys = {"some_api_key": Secret("k"), "some_header": Secret("X-Token: t")}
    assert headers_of(FIELDS, keys) == {"Authorization": "Bearer k", "X-Token": "t"}
    keys["some_header"] = Secret(HEADER)
    assert headers_of(FIELDS, keys)["Authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert headers_of(FIELDS, {}) == {}


def test_all_parts_of_a_header_are_hidden() -> None:
    assert parts_to_hide(FIELDS[1], HEADER) == (
        HEADER,
        "Basic dXNlcjpzZWNyZXQ=",
        "dXNlcjpzZWNyZXQ=",
        "user:secret",
        "secret",
    )
    assert parts_to_hide(KEY, "a: b") == ("a: b",)


@pytest.mark.parametrize(
    ("header", "quoted"),
    [
        (f"Authorization: Basic {base64.b64encode(LOGIN.encode()).decode()}", LOGIN),
        (
            f"Authorization: Basic {base64.b64encode(LOGIN.encode()).decode()}",
            "pass: correct-horse",
        ),
        (f"Authorization: Basic {base64.b64encode(LOGIN.encode('latin-1')).decode()}", LOGIN),
        ("Cookie: theme=dark; session=0123456789ab; x=1", "session 0123456789ab"),
        ('X-Login: user="me", response="0123456789ab"', "0123456789ab"),
    ],
)
def test_a_part_that_a_server_quotes_is_redacted(header: str, quoted: str) -> None:
    hidden = parts_to_hide(FIELDS[1], header)
    name, _, value = header.partition(": ")
    for redactor in (Redactor(hidden), redactor_for((), {name: value})):
        shown = redactor.redact(f"refused: {quoted}")
        assert "…" in shown
        assert not any(part in shown for part in ("correct", "0123456789ab"))
        assert redactor.redact("a dark theme") == "a dark theme"


@pytest.mark.parametrize(
    ("base", "agreed", "refused"),
    [
        ("http://192.168.1.5:8081", "", True),
        ("http://192.168.1.5:8081/sub", "http://192.168.1.5:8081", False),
        ("http://192.168.1.5:8081", "http://192.168.1.5:8080 http://192.168.1.6:8081", True),
        ("http://workshop.local", "http://workshop.local:80", False),
        ("https://192.168.1.5", "", False),
        ("http://127.0.0.1:8081", "", False),
        ("", "", False),
    ],
)
def test_consent_is_for_one_server(base: str, agreed: str, refused: bool) -> None:
    keys = keys_for(SERVER, {NAME: HEADER, UNENCRYPTED: agreed}, {})
    problem = unencrypted_problem(base, keys)
    assert (problem is not None) is refused
    assert problem is None or problem.hint == CONSENT_HINT
    assert unencrypted_problem(base, {}) is None


def test_the_list_of_providers_hides_the_header(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["providers"]) == 0
    assert "hunyuan3d: Hunyuan3D (no key needed)" in capsys.readouterr().out
    monkeypatch.setenv("HUNYUAN3D_HEADER", HEADER)
    assert main(["providers"]) == 0
    out = capsys.readouterr().out
    assert "hunyuan3d: Hunyuan3D (key set)" in out
    assert "dXNlcj" not in out
