# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's errors, both versions: every code, every odd shape, what is retried and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.tripo_calls import V2, V3, Version, connection, order, picture
from fakes.tripo_server import KEY, FakeTripo, Fault, serving

from image_to_mesh.providers import (
    BadImage,
    BadKey,
    BadReply,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    NoCredits,
    RateLimited,
    Rejected,
    Ticket,
    Uncertain,
    Unreachable,
)
from image_to_mesh.providers._shared.http.backoff import ATTEMPTS
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._tripo.errors import BILLING_PAGE_URL, KEY_PAGE_URL

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
BOTH = pytest.mark.parametrize("version", [V3, V2], ids=lambda item: item.provider.id)


@pytest.fixture
def fake(version: Version) -> Iterator[FakeTripo]:
    """Tripo on loopback."""
    with serving(version.fake()) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were made, instead of waiting."""
    return []


@pytest.fixture
def http(fake: FakeTripo, pauses: list[float]) -> Iterator[Http]:
    """A connection to it."""
    with connection(fake, pauses.append) as line:
        yield line


def error_body(code: Any, message: str = "their own words", **more: Any) -> dict[str, Any]:
    """Return an error as Tripo writes it."""
    return {"code": code, "status": "error", "message": message, "request_id": "req-9", **more}


def exactly(caught: pytest.ExceptionInfo[ImageToMeshError]) -> type[ImageToMeshError]:
    """Return the error's own kind: a subclass is another."""
    return type(caught.value)


CODES: list[tuple[int, int, type[ImageToMeshError], str, str]] = [
    (401, 2, BadKey, "tsk_", KEY_PAGE_URL),
    (401, 1002, BadKey, "tsk_", KEY_PAGE_URL),
    (400, 1003, InvalidSettings, "Change the settings", ""),
    (405, 1003, InvalidSettings, "Change the settings", ""),
    (415, 1003, InvalidSettings, "Change the settings", ""),
    (400, 1004, InvalidSettings, "Change the settings", ""),
    (403, 1005, BadKey, "Check the key", KEY_PAGE_URL),
    (429, 1007, RateLimited, "Wait a minute", ""),
    (429, 2000, RateLimited, "Wait a minute", ""),
    (404, 2001, Expired, "Check Tripo", ""),
    (400, 2002, Failed, "Try another", ""),
    (400, 2003, BadImage, "20 MB", ""),
    (400, 2004, BadImage, "PNG", ""),
    (400, 2005, Failed, "Try another", ""),
    (400, 2006, Failed, "Try another", ""),
    (400, 2007, Failed, "Try another", ""),
    (400, 2008, Rejected, "Use another image", ""),
    (400, 2009, InvalidSettings, "Change the settings", ""),
    (403, 2010, NoCredits, "Add credits", BILLING_PAGE_URL),
    (403, 2013, InvalidSettings, "Change the settings", ""),
    (400, 2014, Rejected, "Use another image", ""),
    (400, 2015, InvalidSettings, "Change the settings", ""),
    (400, 2016, InvalidSettings, "Change the settings", ""),
    (400, 2017, InvalidSettings, "Change the settings", ""),
    (400, 2018, Failed, "Try another", ""),
    (404, 2019, InvalidSettings, "generate again", ""),
    (400, 2021, BadImage, "6000 pixels", ""),
    (400, 2022, BadImage, "6000 pixels", ""),
    (400, 9999, InvalidSettings, "Change the settings", ""),
    (418, 9999, Failed, "Try another", ""),
]


@BOTH
@pytest.mark.parametrize("shape", ["status", "with 200", "text"])
@pytest.mark.parametrize(
    ("status", "code", "kind", "hint", "link"), CODES, ids=lambda item: str(item)[:12]
)
def test_every_code_of_a_refused_order_becomes_its_error(
    version: Version,
    fake: FakeTripo,
    http: Http,
    tmp_path: Path,
    shape: str,
    status: int,
    code: int,
    kind: type[ImageToMeshError],
    hint: str,
    link: str,
) -> None:
    if shape == "with 200" and code == 9999:
        kind, hint = Failed, ""
    told = error_body(str(code) if shape == "text" else code)
    fault = Fault(200 if shape == "with 200" else status, told)
    fake.fault(version.create, *[fault] * ATTEMPTS)
    with pytest.raises(kind, match=r"their own words \(request ID req-9\)\.") as caught:
        order(version, http, tmp_path)
    assert exactly(caught) is kind
    assert hint in caught.value.hint
    assert caught.value.link == link
    assert fake.creates == []
    repeated = status == 429 and shape != "with 200"
    assert len(fake.calls(version.create)) == (ATTEMPTS if repeated else 1)


@BOTH
@pytest.mark.parametrize("call", ["upload", "poll", "balance"])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(401, 2, BadKey), (500, 1000, Unreachable), (200, 2010, NoCredits), (404, 2001, Expired)],
)
def test_free_calls_are_refused_the_same_way(
    version: Version,
    fake: FakeTripo,
    http: Http,
    tmp_path: Path,
    call: str,
    status: int,
    code: int,
    kind: type[ImageToMeshError],
) -> None:
    fake.fault(getattr(version, call), *[Fault(status, error_body(code))] * 2)
    with pytest.raises(kind, match="their own words"):
        _call(version, http, tmp_path, call)


def _call(version: Version, http: Http, folder: Path, call: str) -> Any:
    if call == "upload":
        return version.provider.upload((picture(folder),), http)
    if call == "create":
        return order(version, http, folder)
    if call == "poll":
        return version.provider.poll(Ticket({"task": "some-task"}), http)
    return version.provider.balance(http)


ODD: list[tuple[str, Fault, type[ImageToMeshError], str]] = [
    ("poll", Fault(502, HTML), Unreachable, "returned status 502"),
    ("poll", Fault(200, HTML), Unreachable, "The response did not come from"),
    ("poll", Fault(200, ""), Unreachable, "The response did not come from"),
    ("poll", Fault(200, "[1]"), Unreachable, "The response did not come from"),
    ("poll", Fault(200, {"code": 0}), BadReply, "task"),
    ("poll", Fault(404, "not here"), Unreachable, "not here"),
    ("poll", Fault(404, error_body(4001)), Unreachable, "their own words"),
    ("poll", Fault(403, HTML), Unreachable, "returned status 403"),
    ("poll", Fault(429, "Too Many Requests"), RateLimited, "Too Many Requests"),
    ("poll", Fault(200, {"status": "error", "message": "no"}), BadReply, "no"),
    ("poll", Fault(200, {"code": "soon", "message": "odd"}), BadReply, "odd"),
    ("poll", Fault(302, "", {"Location": "/elsewhere"}), BadReply, "redirects"),
    ("balance", Fault(200, {"code": 0, "data": {}}), BadReply, r"is not valid \(balance: balance"),
    ("balance", Fault(200, {"code": 0, "data": {"balance": "none"}}), BadReply, "balance"),
    ("upload", Fault(413, HTML), BadImage, "returned status 413"),
    ("upload", Fault(200, {"code": 0, "data": {"token": "x"}}), BadReply, "_token"),
    ("upload", Fault(504, HTML), Unreachable, "returned status 504"),
    ("create", Fault(402, "pay"), NoCredits, "pay"),
    ("create", Fault(200, {"code": 2010, "message": "Insufficient"}), NoCredits, "Insufficient"),
    ("create", Fault(422, {"detail": "x"}), InvalidSettings, "returned status 422"),
    ("create", Fault(404, HTML), Unreachable, "returned status 404"),
    ("create", Fault(405, HTML), Unreachable, "returned status 405"),
    ("create", Fault(403, HTML), Unreachable, "returned status 403"),
    ("create", Fault(503, error_body(1000)), Uncertain, "their own words"),
    ("create", Fault(429, "slow down"), RateLimited, "slow down"),
    ("create", Fault(500, error_body(1000)), Uncertain, "their own words"),
    ("create", Fault(500, error_body(1001)), Uncertain, "their own words"),
    ("create", Fault(200, error_body(1000)), Uncertain, "their own words"),
    ("create", Fault(500, "Internal Server Error"), Uncertain, "Internal Server Error"),
    ("create", Fault(502, HTML), Uncertain, "returned status 502"),
    ("create", Fault(503, ""), Uncertain, "returned status 503"),
    ("create", Fault(504, HTML), Uncertain, "returned status 504"),
    ("create", Fault(408, ""), Uncertain, "returned status 408"),
    ("create", Fault(drop=True), Uncertain, "no response was received"),
    ("create", Fault(drop=True, done=True), Uncertain, "no response was received"),
    ("create", Fault(200, HTML), BadReply, "cannot be read"),
    ("create", Fault(200, {"code": 0, "data": {}}), BadReply, "task_id"),
    ("create", Fault(302, "", {"Location": "/elsewhere"}), BadReply, "redirects"),
    (
        "create",
        Fault(429, error_body(2000, "invalid model 'x'")),
        InvalidSettings,
        "invalid model",
    ),
]


@BOTH
@pytest.mark.parametrize(("call", "fault", "kind", "sentence"), ODD)
def test_every_odd_shape_becomes_its_error(
    version: Version,
    fake: FakeTripo,
    http: Http,
    tmp_path: Path,
    call: str,
    fault: Fault,
    kind: type[ImageToMeshError],
    sentence: str,
) -> None:
    fake.fault(getattr(version, call), *[fault] * ATTEMPTS)
    with pytest.raises(kind, match=sentence) as caught:
        _call(version, http, tmp_path, call)
    assert exactly(caught) is kind
    assert "<" not in str(caught.value)
    assert len(fake.creates) <= 1
    if kind in (Uncertain, BadReply) and call == "create":
        assert len(fake.calls(version.create)) == 1


@BOTH
def test_suggestions_and_the_trace_id_of_the_service_are_shown(
    version: Version, fake: FakeTripo, http: Http, tmp_path: Path
) -> None:
    told = {"code": 1004, "message": "invalid model", "suggestion": "use v3.0"}
    fake.fault(version.create, Fault(400, told, {"X-Tripo-Trace-ID": "trace-5"}))
    with pytest.raises(InvalidSettings, match=r"invalid model \(request ID trace-5\)") as caught:
        order(version, http, tmp_path)
    assert caught.value.hint.startswith("use v3.0")


@BOTH
@pytest.mark.parametrize("call", ["create", "upload", "poll"])
def test_a_limit_is_waited_for_as_long_as_asked(
    version: Version,
    fake: FakeTripo,
    http: Http,
    pauses: list[float],
    tmp_path: Path,
    call: str,
) -> None:
    ticket = order(version, http, tmp_path)
    fake.requests.clear()
    limits = [
        Fault(429, error_body(2000), {"Retry-After": "7"}),
        Fault(429, "Too Many Requests", {"Retry-After": "3"}),
        Fault(429, error_body(1007)),
    ]
    fake.fault(getattr(version, call), *limits)
    if call == "poll":
        version.provider.poll(ticket, http)
    else:
        order(version, http, tmp_path)
    assert pauses[:2] == [7.0, 3.0]
    assert len(pauses) == 3
    assert 0 < pauses[2] < 10
    assert len(fake.calls(getattr(version, call))) == 4


@BOTH
def test_a_rate_limit_that_outlasts_the_job_says_when_to_resume(
    version: Version, fake: FakeTripo, http: Http, pauses: list[float], tmp_path: Path
) -> None:
    fake.fault(version.create, Fault(429, error_body(2000), {"Retry-After": "900"}))
    with pytest.raises(RateLimited) as caught:
        order(version, http, tmp_path)
    assert "Wait 900 s" in caught.value.hint
    assert pauses == []


@BOTH
def test_the_fake_itself_refuses_a_wrong_key_everywhere(
    version: Version, fake: FakeTripo, tmp_path: Path
) -> None:
    wrong = "tsk_another-key-000000000"
    with connection(fake, lambda _: None, wrong) as http:
        for call in ("upload", "create", "poll", "balance"):
            with pytest.raises(BadKey) as caught:
                _call(version, http, tmp_path, call)
            assert wrong not in repr(caught.value) + str(caught.value)
            assert caught.value.link == KEY_PAGE_URL


@BOTH
def test_a_quoted_key_is_not_passed_on(
    version: Version, fake: FakeTripo, http: Http, tmp_path: Path
) -> None:
    fake.fault(version.create, Fault(401, json.dumps(error_body(2, f"key {KEY} is unknown"))))
    with pytest.raises(BadKey, match="key … is unknown") as caught:
        order(version, http, tmp_path)
    assert KEY not in str(caught.value)


@BOTH
def test_the_fake_reports_an_empty_account_and_too_many_tasks(
    version: Version, fake: FakeTripo, http: Http, pauses: list[float], tmp_path: Path
) -> None:
    fake.balance = "3.5"
    with pytest.raises(NoCredits, match="more credits") as caught:
        order(version, http, tmp_path)
    assert caught.value.link == BILLING_PAGE_URL
    fake.balance, fake.most_running = 100, 0
    with pytest.raises(RateLimited, match="too many tasks") as limited:
        order(version, http, tmp_path)
    assert "Wait 7 s" in limited.value.hint
    assert pauses == [7.0] * (ATTEMPTS - 1)
    assert fake.creates == []
