# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: every refusal, odd reply and limit becomes an error that the user can act on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.scenario import serving
from fakes.scenario_calls import PROVIDER, order, picture
from fakes.scenario_state import Fault, ScenarioFake, usual_results

from image_to_mesh.providers import (
    ImageToMeshError,
    Progress,
    RateLimited,
    Request,
    Result,
    Ticket,
    Uncertain,
    Uploaded,
)
from image_to_mesh.providers._scenario.errors import KEY_PAGE_URL, PRICING_PAGE_URL
from image_to_mesh.providers._shared.http.backoff import ATTEMPTS
from image_to_mesh.providers._shared.http.client import Http

PAGE = "<!DOCTYPE html><html><body>Our policy: 502 credits</body></html>"
RUN = "/generate/.*"


@pytest.fixture
def fake() -> Iterator[ScenarioFake]:
    """Scenario on loopback, whose jobs are done at once."""
    with serving() as running:
        usual_results(running)
        running.outcome.script = ("success",)
        yield running


def error_of(call: Callable[[], object]) -> ImageToMeshError:
    """Return the error that a call raises."""
    with pytest.raises(ImageToMeshError) as caught:
        call()
    return caught.value


# What a submit is answered: status, body, then the error's kind, words and link.
SUBMITS: list[tuple[int, Any, str, str, str]] = [
    (401, {"message": "Unauthorized"}, "bad_key", "Unauthorized", KEY_PAGE_URL),
    (401, PAGE, "bad_key", "status 401", KEY_PAGE_URL),
    (403, {"message": "Forbidden"}, "bad_key", "Forbidden", KEY_PAGE_URL),
    (
        403,
        {"message": "API Keys cannot access protected resources"},
        "bad_key",
        "protected resources",
        KEY_PAGE_URL,
    ),
    (
        402,
        {"reason": "Not enough", "trace_id": "tr_9"},
        "no_credits",
        "request ID tr_9",
        PRICING_PAGE_URL,
    ),
    (402, PAGE, "no_credits", "status 402", PRICING_PAGE_URL),
    (
        403,
        {"reason": "Insufficient creative units"},
        "no_credits",
        "creative units",
        PRICING_PAGE_URL,
    ),
    (403, {"reason": "You have no credits left"}, "no_credits", "no credits", PRICING_PAGE_URL),
    (403, {"reason": "Upgrade your plan"}, "no_credits", "Upgrade", PRICING_PAGE_URL),
    (
        403,
        {"error": "ModelAccessRestrictedError", "reason": "Model is restricted"},
        "no_credits",
        "restricted",
        PRICING_PAGE_URL,
    ),
    (
        400,
        {"reason": "Input image is required", "trace_id": "tr_1"},
        "invalid_settings",
        "tr_1",
        "",
    ),
    (400, {"error": {"message": "faceLimit is out of range"}}, "invalid_settings", "faceLimit", ""),
    (400, {"detail": [{"message": "a"}, "b"]}, "invalid_settings", "a; b", ""),
    (400, {}, "invalid_settings", "status 400", ""),
    (400, "plain words", "invalid_settings", "plain words", ""),
    (404, {"reason": "Asset asset_1 not found"}, "invalid_settings", "asset_1", ""),
    (400, {"reason": "Input plan is not allowed"}, "invalid_settings", "plan", ""),
    (413, {"message": "Request Too Long"}, "bad_image", "Too Long", ""),
    (409, {"reason": "Conflict"}, "invalid_settings", "Conflict", ""),
    (422, {"message": "Unprocessable"}, "invalid_settings", "Unprocessable", ""),
    (400, {"reason": "The image was flagged by moderation"}, "rejected", "moderation", ""),
    (403, {"reason": "Blocked by IP detection"}, "rejected", "IP detection", ""),
    (403, {"reason": "NSFW content"}, "rejected", "NSFW", ""),
    (500, {"reason": "Internal", "trace_id": "tr_5"}, "uncertain", "Internal .request ID tr_5", ""),
    (502, PAGE, "uncertain", "status 502", ""),
    (503, "", "uncertain", "status 503", ""),
    (504, {"message": "Endpoint request timed out"}, "uncertain", "timed out", ""),
    (408, "", "uncertain", "status 408", ""),
    (503, {"message": "Service Unavailable"}, "uncertain", "Unavailable", ""),
    (429, {"reason": "cooldown", "remainingSeconds": 900}, "rate_limited", "15 minutes", ""),
    (429, {"reason": "cooldown", "remainingSeconds": "130"}, "rate_limited", "2 minutes", ""),
    (429, {"message": "Too Many Requests"}, "rate_limited", "Too Many Requests", ""),
    (200, {"reason": "Input image is required"}, "invalid_settings", "required", ""),
    (200, {"message": "You have no credits left"}, "no_credits", "no credits", PRICING_PAGE_URL),
    (200, {"job": {"status": "queued"}}, "bad_reply", "contains no job ID", ""),
    (200, {}, "bad_reply", "contains no job ID", ""),
    (200, [], "bad_reply", "contains no job ID", ""),
    (200, PAGE, "bad_reply", "contains no job ID", ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "words", "link"), SUBMITS, ids=str)
def test_a_refused_submit_says_why_and_what_next(
    fake: ScenarioFake,
    http: Http,
    status: int,
    body: Any,
    kind: str,
    words: str,
    link: str,
) -> None:
    fake.faults.append(Fault("POST", RUN, status, body, times=99))
    request = Request(PROVIDER.settings(), ())
    error = error_of(lambda: PROVIDER.submit(request, Uploaded({"front": "asset_1"}), http))
    assert (error.kind, error.link) == (kind, link), error
    assert re.search(words, error.message), error
    assert error.hint or status == 200
    assert "<" not in error.message
    told_to_wait = status == 429 and "remainingSeconds" not in str(body)
    expected = ATTEMPTS if told_to_wait or kind == "unreachable" else 1
    assert len(fake.calls("POST", RUN)) == expected


# What else is answered: call, status, body, then kind and words.
OTHERS: list[tuple[str, int, Any, str, str]] = [
    ("upload", 401, {"message": "Unauthorized"}, "bad_key", "Unauthorized"),
    ("upload", 404, {"message": "Not Found"}, "unreachable", "Not Found"),
    ("upload", 413, {"message": "Request Too Long"}, "bad_image", "Too Long"),
    ("upload", 415, PAGE, "bad_image", "status 415"),
    ("upload", 400, {"reason": "Invalid image"}, "bad_image", "Invalid image"),
    ("upload", 400, {"reason": "NSFW content"}, "rejected", "NSFW"),
    ("upload", 500, PAGE, "unreachable", "status 500"),
    ("upload", 200, PAGE, "unreachable", "did not come from Scenario"),
    ("upload", 200, {}, "bad_reply", "asset"),
    ("upload", 200, {"asset": {"url": "u"}}, "bad_reply", "asset.*id"),
    ("upload", 200, {"reason": "Invalid image"}, "failed", "Invalid image"),
    ("upload", 429, {"reason": "cooldown", "remainingSeconds": 121}, "rate_limited", "2 minutes"),
    ("poll", 401, {"message": "Unauthorized"}, "bad_key", "Unauthorized"),
    ("poll", 404, {"reason": "Job not found"}, "expired", "Job not found"),
    ("poll", 404, PAGE, "unreachable", "status 404"),
    ("poll", 410, {"message": "Gone"}, "unreachable", "Gone"),
    ("poll", 400, {"message": "Bad Request"}, "bad_reply", "Bad Request"),
    ("poll", 418, PAGE, "bad_reply", "status 418"),
    ("asset", 400, {"message": "Bad Request"}, "bad_reply", "Bad Request"),
    ("poll", 500, "", "unreachable", "status 500"),
    ("poll", 503, PAGE, "unreachable", "status 503"),
    ("poll", 408, "", "unreachable", "status 408"),
    ("poll", 200, PAGE, "unreachable", "did not come from Scenario"),
    ("poll", 200, {"job": None}, "bad_reply", "contains no job ID"),
    ("poll", 200, {"error": "Job is gone"}, "failed", "Job is gone"),
    ("asset", 404, {"reason": "Asset not found"}, "bad_mesh", "Asset not found"),
    ("asset", 500, PAGE, "unreachable", "status 500"),
    ("asset", 200, {"asset": {"kind": "3d"}}, "bad_reply", "id"),
    ("balance", 401, {"message": "Unauthorized"}, "bad_key", "Unauthorized"),
    ("balance", 429, {"message": "Too Many"}, "rate_limited", "Too Many"),
    ("balance", 200, PAGE, "unreachable", "did not come from Scenario"),
    ("limits", 200, {"limits": {}}, "bad_reply", "creativeUnits"),
    ("limits", 500, "", "unreachable", "status 500"),
    ("quote", 401, {"message": "Unauthorized"}, "bad_key", "Unauthorized"),
    ("quote", 402, {"reason": "Not enough"}, "no_credits", "Not enough"),
    ("quote", 200, {"some": "thing"}, "bad_reply", "status 200"),
    ("quote", 269, {"creativeUnitsCost": "much"}, "bad_reply", "creativeUnitsCost"),
    ("cancel", 401, {"message": "Unauthorized"}, "bad_key", "Unauthorized"),
    ("cancel", 500, "", "unreachable", "status 500"),
    ("cancel", 429, {"message": "Too Many"}, "rate_limited", "Too Many"),
]
PLACES = {
    "upload": ("POST", "/assets"),
    "poll": ("GET", "/jobs/.*"),
    "asset": ("GET", "/assets/.*"),
    "balance": ("GET", "/teams"),
    "limits": ("GET", "/teams/.*"),
    "quote": ("POST", RUN),
    "cancel": ("POST", "/jobs/.*/action"),
}


@pytest.mark.parametrize(("call", "status", "body", "kind", "words"), OTHERS, ids=str)
def test_any_other_refusal_says_why(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    call: str,
    status: int,
    body: Any,
    kind: str,
    words: str,
) -> None:
    ticket = Ticket({}) if call == "upload" else order(fake, http, tmp_path)
    fake.faults.append(Fault(*PLACES[call], status, body, times=99))
    calls: dict[str, Callable[[], object]] = {
        "upload": lambda: PROVIDER.upload((picture(tmp_path),), http),
        "poll": lambda: PROVIDER.poll(ticket, http),
        "asset": lambda: PROVIDER.poll(ticket, http),
        "balance": lambda: PROVIDER.balance(http),
        "limits": lambda: PROVIDER.balance(http),
        "quote": lambda: PROVIDER.quote(Request(PROVIDER.settings(), ()), http),
        "cancel": lambda: PROVIDER.cancel(ticket, http),
    }
    error = error_of(calls[call])
    assert error.kind == kind, error
    assert status != 404 or kind != "unreachable" or "SCENARIO_BASE_URL" in error.hint
    assert re.search(words, error.message), error
    assert "<" not in error.message


@pytest.mark.parametrize(
    "body",
    [
        {"job": {"jobId": "job_7", "metadata": 7, "billing": "?"}},
        {"job": {"id": "job_7"}},
        {"jobId": "job_7"},
        {"job": None, "jobId": "job_7", "message": "Created"},
    ],
    ids=str,
)
def test_an_order_is_known_by_its_id_alone(fake: ScenarioFake, http: Http, body: Any) -> None:
    fake.faults.append(Fault("POST", RUN, 201, body))
    request = Request(PROVIDER.settings(), ())
    ticket = PROVIDER.submit(request, Uploaded({"front": "asset_1"}), http)
    assert ticket.data["job"] == "job_7"


FAILURES: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    (
        {"error": "The model crashed", "hint": "Use a clearer picture."},
        {},
        "failed",
        r"The model crashed \(job job_0*1\)\.",
        "Use a clearer picture. The Compute Units are refunded.",
    ),
    ({"error": "Bad topology"}, {}, "failed", "Bad topology", "other settings. The"),
    ({"error": "Lost.", "hint": "Retry"}, {}, "failed", r"Lost \(job", "Retry. The Compute"),
    ({"error": None, "hint": None}, {}, "failed", "gave no reason", "refunded"),
    ({"error": "x"}, {"disableRefund": True}, "failed", "x", "are not refunded"),
    ({"error": "Content policy violation"}, {}, "banned", "policy", "refunded"),
    ({"error": "Refused", "hint": "Moderation refused it."}, {}, "banned", "Refused", "refused"),
]


@pytest.mark.parametrize(("metadata", "billing", "kind", "words", "hint"), FAILURES, ids=str)
@pytest.mark.parametrize("state", ["failure", "failed", "error"])
def test_a_failed_job_tells_scenario_s_reason_and_hint(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    state: str,
    metadata: dict[str, Any],
    billing: dict[str, Any],
    kind: str,
    words: str,
    hint: str,
) -> None:
    fake.outcome.script, fake.outcome.metadata = (state,), metadata
    fake.outcome.billing = {"cuCost": 40, "cuDiscount": 0, **billing}
    ticket = order(fake, http, tmp_path)
    error = error_of(lambda: PROVIDER.poll(ticket, http))
    assert error.kind == kind
    assert re.search(words, error.message), error
    assert hint in error.hint


@pytest.mark.parametrize("state", ["canceled", "cancelled"])
def test_a_job_cancelled_elsewhere_is_over(
    fake: ScenarioFake, http: Http, tmp_path: Path, state: str
) -> None:
    fake.outcome.script = (state,)
    ticket = order(fake, http, tmp_path)
    assert error_of(lambda: PROVIDER.poll(ticket, http)).kind == "failed"


# -- limits of the rate


LIMITED = [("POST", "/assets"), ("POST", RUN), ("GET", "/jobs/.*"), ("GET", "/assets/.*")]
WAITS: list[tuple[str, dict[str, Any], dict[str, str], float]] = [
    ("header", {"message": "Too Many"}, {"Retry-After": "7"}, 7.0),
    ("body", {"reason": "cooldown", "remainingSeconds": 12}, {}, 12.0),
    ("body first", {"reason": "cooldown", "remainingSeconds": 12}, {"Retry-After": "3"}, 12.0),
    ("longest", {"reason": "cooldown", "remainingSeconds": 120}, {}, 120.0),
]


@pytest.mark.parametrize(("method", "path"), LIMITED)
@pytest.mark.parametrize(
    ("body", "headers", "wait"), [pytest.param(*row[1:], id=row[0]) for row in WAITS]
)
def test_a_limit_is_waited_for_as_long_as_it_says(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    pauses: list[float],
    method: str,
    path: str,
    body: dict[str, Any],
    headers: dict[str, str],
    wait: float,
) -> None:
    fake.faults.append(Fault(method, path, 429, body, headers))
    answer = PROVIDER.poll(order(fake, http, tmp_path), http)
    assert isinstance(answer, Result)
    assert pauses == [wait]
    assert len(fake.submits) == 1


def test_a_limit_without_a_time_is_waited_for_longer_and_longer(
    fake: ScenarioFake, http: Http, tmp_path: Path, pauses: list[float]
) -> None:
    fake.faults.append(Fault("POST", RUN, 429, {"message": "Too Many"}, times=4))
    order(fake, http, tmp_path)
    assert pauses == sorted(pauses)
    assert (len(pauses), len(fake.submits)) == (4, 1)
    assert pauses[-1] > 4 * pauses[0] > 0


def test_a_long_cooldown_is_reported_and_not_waited_for(
    fake: ScenarioFake, http: Http, tmp_path: Path, pauses: list[float]
) -> None:
    body = {"reason": "cooldown", "remainingSeconds": 900}
    fake.faults.append(Fault("POST", RUN, 429, body, {"Retry-After": "1"}, times=99))
    error = error_of(lambda: order(fake, http, tmp_path))
    assert isinstance(error, RateLimited)
    assert error.message == "cooldown: Scenario asks you to wait 15 minutes."
    assert "resume the job" in error.hint
    assert (pauses, len(fake.calls("POST", RUN))) == ([], 1)


def test_a_paid_job_outlasts_any_limit(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    ticket = order(fake, http, tmp_path)
    body = {"reason": "cooldown", "remainingSeconds": 900}
    fake.faults += [Fault("GET", "/jobs/.*", 429, body), Fault("GET", "/assets/.*", 429, body)]
    for _ in range(2):
        waiting = PROVIDER.poll(ticket, http)
        assert isinstance(waiting, Progress)
        assert waiting.wait == 60.0
    assert isinstance(PROVIDER.poll(ticket, http), Result)


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_submit_whose_answer_is_lost_is_uncertain(
    fake: ScenarioFake, http: Http, tmp_path: Path, drop: str
) -> None:
    fake.faults.append(Fault("POST", RUN, drop=drop))
    assert isinstance(error_of(lambda: order(fake, http, tmp_path)), Uncertain)
    assert len(fake.calls("POST", RUN)) == 1
