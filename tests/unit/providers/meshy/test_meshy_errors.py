# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's errors: every status and code, every odd shape, what is repeated and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.meshy import KEY, Meshy
from fakes.meshy_calls import BALANCE, CREATE, POLL, PROVIDER, connection, order
from fakes.tripo_server import Fault

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
from image_to_mesh.providers._meshy import KEY_PAGE_URL
from image_to_mesh.providers._meshy.errors import PLANS_PAGE_URL
from image_to_mesh.providers._shared.http.backoff import ATTEMPTS
from image_to_mesh.providers._shared.http.client import Http

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
PATTERNS = {"create": CREATE, "poll": POLL, "balance": BALANCE}


def call(http: Http, folder: Path, name: str) -> Any:
    """Make one of the calls."""
    if name == "create":
        return order(http, folder)
    if name == "poll":
        return PROVIDER.poll(Ticket({"task": "some-task", "kind": "image-to-3d"}), http)
    return PROVIDER.balance(http)


ROWS: list[tuple[int, dict[str, Any], type[ImageToMeshError], str, str]] = [
    (400, {"message": "own words"}, InvalidSettings, "Change the settings", ""),
    (400, {"message": "Invalid image_url: own words"}, BadImage, "PNG or JPEG", ""),
    (400, {"message": "Unreachable URL own words"}, BadImage, "20 MB", ""),
    (400, {"message": "Invalid Data URI own words"}, BadImage, "20 MB", ""),
    (400, {"message": "own words: harmful content"}, Rejected, "Use another image", ""),
    (422, {"message": "own words: moderation"}, Rejected, "Use another image", ""),
    (422, {"message": "own words"}, InvalidSettings, "Change the settings", ""),
    (409, {"message": "own words"}, InvalidSettings, "Change the settings", ""),
    (401, {"message": "own words"}, BadKey, "msy_", KEY_PAGE_URL),
    (402, {"message": "own words"}, NoCredits, "Add credits", PLANS_PAGE_URL),
    (403, {"message": "own words"}, BadKey, "paid plan", KEY_PAGE_URL),
    (404, {"message": "own words"}, Unreachable, "MESHY_BASE_URL", ""),
    (405, {"message": "own words"}, Unreachable, "MESHY_BASE_URL", ""),
    (413, {"message": "own words"}, BadImage, "20 MB", ""),
    (415, {"message": "own words"}, BadImage, "PNG", ""),
    (418, {"message": "own words"}, Failed, "Try another", ""),
    # The two limits have different remedies, and their message alone tells them apart.
    (429, {"message": "own words RateLimitExceeded"}, RateLimited, "Wait a minute", ""),
    (429, {"message": "own words NoMoreConcurrentTasks"}, RateLimited, "queue", PLANS_PAGE_URL),
    (429, {"message": "own words NoMorePendingTasks"}, RateLimited, "your plan", PLANS_PAGE_URL),
    # Codes are in either of two fields, in either of two notations.
    (400, {"message": "own words", "code": "InsufficientCredits"}, NoCredits, "Add", ""),
    (400, {"message": "own words", "error_code": "INSUFFICIENT_CREDITS"}, NoCredits, "Add", ""),
    (400, {"message": "own words", "code": "TOO_MANY_PENDING_TASKS"}, RateLimited, "queue", ""),
    (400, {"message": "own words", "error_code": "TooManyPendingTasks"}, RateLimited, "plan", ""),
    (400, {"message": "own words", "code": "LIMIT_EXCEEDED"}, RateLimited, "Wait", ""),
    (400, {"message": "own words", "code": "LimitExceeded"}, RateLimited, "Wait", ""),
    (400, {"message": "own words", "code": "Forbidden"}, BadKey, "Check the key", KEY_PAGE_URL),
    (400, {"message": "own words", "code": "InternalError"}, Unreachable, "try again later", ""),
    (400, {"message": "own words", "code": "BrandNew"}, InvalidSettings, "Change", ""),
    # Shapes that are not documented.
    (400, {"error": "own words"}, InvalidSettings, "Change", ""),
    (400, {"error": {"message": "own words"}}, InvalidSettings, "Change", ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "hint", "link"), ROWS)
def test_every_refused_order_becomes_its_error(
    fake: Meshy,
    http: Http,
    tmp_path: Path,
    status: int,
    body: dict[str, Any],
    kind: type[ImageToMeshError],
    hint: str,
    link: str,
) -> None:
    fake.fault(CREATE, *[Fault(status, body)] * ATTEMPTS)
    with pytest.raises(kind, match="own words") as caught:
        order(http, tmp_path)
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert not link or caught.value.link == link
    assert fake.creates == []
    assert len(fake.calls(CREATE)) == (ATTEMPTS if status == 429 else 1)


@pytest.mark.parametrize("name", ["poll", "balance"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidSettings),
        (401, BadKey),
        (402, NoCredits),
        (403, BadKey),
        (429, RateLimited),
        (418, BadReply),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
def test_free_calls_are_refused_the_same_way(
    fake: Meshy, http: Http, tmp_path: Path, name: str, status: int, kind: type[ImageToMeshError]
) -> None:
    fake.fault(PATTERNS[name], *[Fault(status, {"message": "own words"})] * ATTEMPTS)
    with pytest.raises(kind, match="own words") as caught:
        call(http, tmp_path, name)
    assert type(caught.value) is kind


ODD: list[tuple[str, Fault, type[ImageToMeshError], str]] = [
    ("poll", Fault(502, HTML), Unreachable, "returned status 502"),
    ("poll", Fault(200, HTML), Unreachable, "The response did not come from"),
    ("poll", Fault(200, ""), Unreachable, "The response did not come from"),
    ("poll", Fault(200, "[1]"), Unreachable, "The response did not come from"),
    ("poll", Fault(200, {"status": 7}), BadReply, "task"),
    ("poll", Fault(200, {"status": "FAILED", "task_error": "x"}), BadReply, "task_error"),
    ("poll", Fault(404, {"message": "Task not found"}), Expired, "three days"),
    # A gateway's page and a wrong address say nothing of the task.
    ("poll", Fault(404, HTML), Unreachable, "returned status 404"),
    ("poll", Fault(404, "not here"), Unreachable, "not here"),
    ("poll", Fault(404, {}), Unreachable, "returned status 404"),
    ("poll", Fault(404, {"message": "NoMatchingRoute"}), Unreachable, "NoMatchingRoute"),
    ("poll", Fault(403, HTML), Unreachable, "returned status 403"),
    ("poll", Fault(302, "", {"Location": "/elsewhere"}), BadReply, "redirects"),
    ("balance", Fault(200, {}), BadReply, r"is not valid \(balance: balance"),
    ("balance", Fault(200, {"balance": "none"}), BadReply, "balance"),
    ("balance", Fault(404, HTML), Unreachable, "returned status 404"),
    ("create", Fault(402, "pay"), NoCredits, "pay"),
    ("create", Fault(401, HTML), BadKey, "returned status 401"),
    ("create", Fault(403, HTML), Unreachable, "returned status 403"),
    ("create", Fault(404, HTML), Unreachable, "returned status 404"),
    ("create", Fault(413, HTML), BadImage, "returned status 413"),
    ("create", Fault(200, {"message": "no", "code": "InsufficientCredits"}), NoCredits, "no"),
    ("create", Fault(429, "slow down"), RateLimited, "slow down"),
    ("create", Fault(500, {"message": "own words"}), Uncertain, "own words"),
    ("create", Fault(502, HTML), Uncertain, "returned status 502"),
    ("create", Fault(503, ""), Uncertain, "returned status 503"),
    ("create", Fault(503, {"message": "own words"}), Uncertain, "own words"),
    ("create", Fault(504, HTML), Uncertain, "returned status 504"),
    ("create", Fault(408, ""), Uncertain, "returned status 408"),
    ("create", Fault(500, {"message": "x", "code": "InternalError"}), Uncertain, "x"),
    ("create", Fault(drop=True), Uncertain, "no response was received"),
    ("create", Fault(drop=True, done=True), Uncertain, "no response was received"),
    ("create", Fault(202, HTML), BadReply, "cannot be read"),
    ("create", Fault(202, {}), BadReply, "result"),
    ("create", Fault(202, {"result": ".."}), BadReply, "ID"),
    ("create", Fault(302, "", {"Location": "/elsewhere"}), BadReply, "redirects"),
]


@pytest.mark.parametrize(("name", "fault", "kind", "sentence"), ODD)
def test_every_odd_shape_becomes_its_error(
    fake: Meshy,
    http: Http,
    tmp_path: Path,
    name: str,
    fault: Fault,
    kind: type[ImageToMeshError],
    sentence: str,
) -> None:
    fake.fault(PATTERNS[name], *[fault] * ATTEMPTS)
    with pytest.raises(kind, match=sentence) as caught:
        call(http, tmp_path, name)
    assert type(caught.value) is kind
    assert "<" not in str(caught.value)
    assert len(fake.creates) <= 1
    if name == "create" and fault.status != 429:
        assert len(fake.calls(CREATE)) == 1


def test_a_quoted_picture_does_not_fill_the_message(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    fake.fault(CREATE, Fault(400, {"message": f"bad data:image/png;base64,{'A' * 5000} there"}))
    with pytest.raises(BadImage) as caught:
        order(http, tmp_path)
    assert caught.value.message == "bad data:… there."


@pytest.mark.parametrize("name", ["create", "poll", "balance"])
def test_a_limit_is_waited_for_as_long_as_asked(
    fake: Meshy, http: Http, pauses: list[float], tmp_path: Path, name: str
) -> None:
    # Only the limit on requests says how long; that of the queue does not.
    limits = [
        Fault(429, {"message": "RateLimitExceeded"}, {"Retry-After": "7"}),
        Fault(429, {"message": "NoMoreConcurrentTasks"}),
    ]
    fake.fault(PATTERNS[name], *limits)
    if name == "poll":
        with pytest.raises(Expired):
            call(http, tmp_path, name)
    else:
        call(http, tmp_path, name)
    assert pauses[0] == 7.0
    assert len(pauses) == 2
    assert 0 < pauses[1] < 10
    assert len(fake.calls(PATTERNS[name])) == 3


def test_a_rate_limit_that_outlasts_the_job_says_when_to_resume(
    fake: Meshy, http: Http, pauses: list[float], tmp_path: Path
) -> None:
    fake.fault(CREATE, Fault(429, {"message": "RateLimitExceeded"}, {"Retry-After": "900"}))
    with pytest.raises(RateLimited) as caught:
        order(http, tmp_path)
    assert "Wait 900 s" in caught.value.hint
    assert pauses == []


def test_the_fake_itself_refuses_a_wrong_key_everywhere(fake: Meshy, tmp_path: Path) -> None:
    wrong = "msy_another-key-000000000"
    with connection(fake, lambda _: None, wrong) as http:
        for name in PATTERNS:
            with pytest.raises(BadKey) as caught:
                call(http, tmp_path, name)
            assert wrong not in repr(caught.value) + str(caught.value)
            assert caught.value.link == KEY_PAGE_URL


def test_a_quoted_key_is_not_passed_on(fake: Meshy, http: Http, tmp_path: Path) -> None:
    fake.fault(CREATE, Fault(401, {"message": f"key {KEY} is unknown"}))
    with pytest.raises(BadKey, match="key … is unknown") as caught:
        order(http, tmp_path)
    assert KEY not in str(caught.value)


def test_the_fake_reports_an_empty_account_and_a_full_queue(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    fake.balance = 29
    with pytest.raises(NoCredits, match="Insufficient credits"):
        order(http, tmp_path)
    fake.balance, fake.most_queued = 30, 0
    with pytest.raises(RateLimited, match="NoMoreConcurrentTasks") as limited:
        order(http, tmp_path)
    assert "queue of your plan is full" in limited.value.hint
    assert fake.creates == []
