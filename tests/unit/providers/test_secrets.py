# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that a service quotes back: blanked in every spelling, wherever the text goes."""

from __future__ import annotations

import base64
import json
import logging
import time
import urllib.parse
from typing import Any

import pytest
from fakes.running import Orders
from fakes.service import KEY, Service

from image_to_mesh.jobs.diagnostics import anonymize
from image_to_mesh.jobs.resources import Resources
from image_to_mesh.providers import Failed, get_provider
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.redaction import BULK, Redactor, redact
from image_to_mesh.providers._shared.untrusted_text import clean

ODD = "tsk_a-b/c+D.4f1geheim/0123"
OTHER = "sec/ret+0987-zyxwv"
PAIR = f"{ODD}:{OTHER}"


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLED = {
    "plain": ODD,
    "upper case": ODD.upper(),
    "JSON, slashes": ODD.replace("/", "\\/"),
    "JSON, a dash": ODD.replace("-", "\\u002d"),
    "JSON, every letter": "".join(f"\\u{ord(item):04X}" for item in ODD),
    "JSON in JSON": json.dumps(json.dumps(ODD.replace("/", "\\/")))[3:-3],
    "JSON in JSON, a dash": json.dumps(ODD.replace("-", "\\u002d"))[1:-1],
    "address": urllib.parse.quote(ODD, safe=""),
    "address in address": urllib.parse.quote(urllib.parse.quote(ODD, safe=""), safe=""),
    "address, every letter": "".join(f"%{ord(item):02x}" for item in ODD),
    "HTML": ODD.replace("-", "&#45;").replace("/", "&#x2F;"),
    "base64": _in_base64(ODD),
    "base64, later in a text": _in_base64(f"x{ODD}yz"),
    "base64, later still": _in_base64(f"xy{ODD}"),
    "base64, safe in addresses": base64.urlsafe_b64encode(ODD.encode()).decode(),
    "Basic": _in_base64(PAIR),
    "Basic, in an address": urllib.parse.quote(_in_base64(PAIR), safe=""),
    "Basic, in JSON": _in_base64(PAIR).replace("/", "\\/"),
    "hexadecimal": ODD.encode().hex(),
    "hexadecimal, upper case": ODD.encode().hex().upper(),
}


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_every_spelling_of_a_key_is_redacted(spelled: str) -> None:
    shown = Redactor([ODD, OTHER]).redact(f"refused: {spelled} (sorry)")
    assert shown == "refused: … (sorry)"
    value = {spelled: [f"a {spelled}", {"b": spelled}], "n": [1, None, True, 2.5]}
    told = {"…": ["a …", {"b": "…"}], "n": [1, None, True, 2.5]}
    assert redact(value, [ODD, OTHER]) == told


def test_short_keys_are_redacted_as_whole_words() -> None:
    secrets = Redactor(["ab+1", "x7"])
    assert secrets.redact("The key ab+1 is bad.") == "The key … is bad."
    assert secrets.redact('key="x7". And ab+1.') == 'key="…". And ….'
    for text in ("crab+12", "https://a.test/x7/y", "x7y", "files.x7.glb"):
        assert secrets.redact(text) == text


def test_ordinary_texts_and_addresses_are_not_redacted() -> None:
    secrets = Redactor([ODD, "test"])
    for text in ("The mesh is ready.", "https://cdn.test/a/b.glb?X-Sig=abc%2Fdef&n=1", ""):
        assert secrets.redact(text) is text
    assert repr(secrets) == "Redactor(…)"
    assert ODD not in repr(vars(secrets).get("_values", ""))


def test_redacting_large_answers_is_quick() -> None:
    secrets = Redactor([ODD, OTHER])
    began = time.process_time()
    mesh = "A" * (16 * BULK)
    assert secrets.redact(mesh) is mesh
    assert secrets.redact("\\u0041%41&#65;" * 20_000)
    assert secrets.redact(mesh + ODD + mesh) == f"{mesh}…{mesh}"
    assert time.process_time() - began < 3.0


# -- wherever it ends up -------------------------------------------------------------------------


def test_no_reply_holds_the_key_in_its_text_its_json_or_its_headers(service: Service) -> None:
    pair = _in_base64(f"{KEY}:{OTHER}")
    http = Http(service.url, {"Authorization": f"Basic {pair}"}, secrets=[KEY, OTHER])
    for spelled in (KEY, KEY.replace("-", "\\u002d"), OTHER.replace("/", "\\/"), pair,
                    urllib.parse.quote(OTHER, safe="")):  # fmt: skip
        service.quotes = f"refused {spelled} here"
        reply = http.get("/balance")
        assert reply.json == {"error": "refused … here"}
        assert json.loads(reply.text) == reply.json
        assert KEY not in reply.text
    http.close()


def test_raw_json_escapes_hide_no_key(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from fakes import service as fake

    escaped = "".join(f"\\u{ord(item):04x}" for item in KEY)

    def raw(self: Any, status: int, value: Any, headers: Any = None) -> None:
        body = f'{{"error": "{escaped}", "{escaped}": ["x{escaped}"]}}'.encode()
        self.send_response(400)
        self.send_header("X-Echo", f"Bearer {KEY}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    monkeypatch.setattr(fake._Handler, "_answer", raw)
    http = Http(service.url, {"Authorization": f"Bearer {KEY}"}, secrets=[KEY])
    reply = http.get("/balance")
    assert reply.json == {"error": "…", "…": ["x…"]}
    assert reply.headers["x-echo"] == "…"
    assert escaped not in reply.text
    http.close()


SHOWN = {"plain": KEY, "escaped": KEY.replace("-", "\\u002d"), "Basic": _in_base64(f"u:{KEY}"),
         "address": "".join(f"%{ord(item):02x}" for item in KEY)}  # fmt: skip


@pytest.mark.parametrize("spelled", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("kind", [Failed, ValueError])
def test_no_key_in_the_record_the_view_or_the_log_for_any_error(
    orders: Orders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    kind: type[Exception], spelled: str,
) -> None:  # fmt: skip
    def poll(*_: object) -> None:
        raise kind(f"it says {spelled}!")

    monkeypatch.setattr(type(get_provider("rehearsal")), "poll", poll)
    with caplog.at_level(logging.DEBUG):
        view = orders.end()
    assert view.failure is not None
    assert "it says …!" in view.failure.message
    record = (orders.library / view.job / "job.json").read_text("utf-8")
    for text in (record, repr(view), caplog.text):
        assert spelled not in text


def test_a_failure_of_a_tool_keeps_its_template_unless_it_holds_a_key(orders: Orders) -> None:
    provider = get_provider("rehearsal")
    tools = Resources(orders.spec(), provider, lambda: None, lambda _: None)
    error = Failed("Nothing secret.", "Go on.", "https://a.test")
    assert tools.failure_of(error).message is error.message
    secret = tools.failure_of(Failed("x", KEY, f"https://a.test/?k={KEY}"))
    assert (secret.hint, secret.link) == ("…", "https://a.test/?k=…")


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_the_zip_for_bug_reports_blanks_every_spelling_also_as_json(spelled: str) -> None:
    text = json.dumps({"note": f"refused: {spelled} (sorry)"})
    assert json.loads(anonymize(text, [ODD, OTHER])) == {"note": "refused: … (sorry)"}


@pytest.mark.parametrize(
    "between", ["\0", "\x1b[31m", "\x7f", "\xad", "\u200b", "\u200d", "\u202e", "\ufeff"]
)
def test_a_key_is_blanked_that_cleaning_would_put_together(between: str) -> None:
    key = "tsk_AbC/dEf+gh1jKlMn"
    blanked = redact(f"refused: {between.join(key)} it is", [key])
    assert clean(blanked) == "refused: … it is"
    text = f"two\nlines {between} without a key"
    assert redact(text, [key]) == text
