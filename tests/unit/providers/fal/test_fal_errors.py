# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that fal documents or users report: what it becomes, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.fal import DONE, PAGE, Fal
from fakes.fal_calls import PROVIDER, order, picture
from fakes.fal_models import problem
from fakes.png import png_of
from fakes.scenario_state import Fault

from image_to_mesh.providers import ImageToMeshError, Progress, Request, Result, Uncertain
from image_to_mesh.providers._fal.errors import REQUEST_ERRORS
from image_to_mesh.providers._shared.http.client import Http

ORDER = "/fal-ai/trellis-2"
RAPID = "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d"
STATE = "/fal-ai/trellis-2/requests/[^/]*/status"
LOCKED = "User is locked. Reason: "
KEYS, BILLING = "https://fal.ai/dashboard/keys", "https://fal.ai/dashboard/billing"


def detail(kind: str, text: str, place: str = "image_url") -> dict[str, Any]:
    """Return the body of an error of a model."""
    return {"detail": [problem(place, kind, text)]}


REFUSALS: list[tuple[int, Any, str, str, str]] = [
    (401, {"detail": "Authentication is required"}, "bad_key", "Check the key", KEYS),
    (401, PAGE, "bad_key", "Check the key", KEYS),
    (402, {"detail": "Payment required"}, "no_credits", "Add credits", BILLING),
    (403, {"detail": f"{LOCKED}Exhausted balance."}, "no_credits", "an hour", BILLING),
    (403, {"detail": f"{LOCKED}TOP_UP."}, "no_credits", "Add credits", BILLING),
    (403, {"detail": f"{LOCKED}Admin lock."}, "bad_key", "support@fal.ai", ""),
    (403, {"detail": "Forbidden"}, "bad_key", "scope API", KEYS),
    (403, PAGE, "unreachable", "FAL_BASE_URL", ""),
    (404, {"detail": "Application 'x' not found"}, "invalid_settings", "another model", ""),
    (404, PAGE, "unreachable", "FAL_BASE_URL", ""),
    (405, PAGE, "unreachable", "FAL_BASE_URL", ""),
    (413, PAGE, "bad_image", "smaller image", ""),
    (429, {"detail": "Too many requests"}, "rate_limited", "Wait a minute", ""),
    (400, {"detail": "Invalid timeout", "error_type": "bad_request"}, "invalid_settings",
     "Fix what", ""),
    (422, detail("missing", "Field required"), "invalid_settings", "Fix what", ""),
    (422, detail("image_too_small", "Too small"), "bad_image", "PNG, JPEG", ""),
    (422, detail("image_too_large", "Too large"), "bad_image", "8 MB", ""),
    (422, detail("image_load_error", "Broken"), "bad_image", "PNG, JPEG", ""),
    (422, detail("file_download_error", "No"), "bad_image", "PNG, JPEG", ""),
    (422, detail("unsupported_image_format", "No"), "bad_image", "PNG, JPEG", ""),
    (422, detail("content_policy_violation", "Flagged"), "rejected", "another image", ""),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "hint", "link"), REFUSALS)
def test_a_refused_order_says_what_to_do(
    status: int, body: Any, kind: str, hint: str, link: str,
    fake: Fal, http: Http, tmp_path: Path,
) -> None:  # fmt: skip
    fake.faults.append(Fault("POST", ORDER, status, body, times=99))
    error = error_of(lambda: order(http, tmp_path))
    assert (error.kind, error.link) == (kind, link)
    assert hint in error.hint
    assert not fake.orders


@pytest.mark.parametrize(("status", "body", "kind", "hint", "link"), REFUSALS)
def test_a_refused_poll_does_not_end_the_job(
    status: int, body: Any, kind: str, hint: str, link: str,
    fake: Fal, http: Http, tmp_path: Path,
) -> None:  # fmt: skip
    ticket = order(http, tmp_path)
    fake.faults.append(Fault("GET", STATE, status, body, times=99))
    error = error_of(lambda: PROVIDER.poll(ticket, http))
    if status == 404 and isinstance(body, dict):
        assert error.kind == "expired"
    else:
        assert error.kind == kind
    fake.faults.clear()
    assert isinstance(PROVIDER.poll(ticket, http), Progress)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 499])
@pytest.mark.parametrize("body", [PAGE, "", {"detail": "Internal"}, {}])
def test_an_order_that_may_have_arrived_is_uncertain(
    status: int, body: Any, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.faults.append(Fault("POST", ORDER, status, body, times=99))
    error = error_of(lambda: order(http, tmp_path))
    assert isinstance(error, Uncertain)
    assert "dashboard" in error.hint
    assert len(fake.calls("POST", ORDER)) == 1


@pytest.mark.parametrize("body", [PAGE, {}, {"request_id": None}, {"request_id": 5}, []])
def test_an_order_without_an_id_is_uncertain(
    body: Any, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.faults.append(Fault("POST", ORDER, 200, body))
    assert isinstance(error_of(lambda: order(http, tmp_path)), Uncertain)


def error_of(call: Any) -> ImageToMeshError:
    """Return the error of a call; it always has a next step."""
    with pytest.raises(ImageToMeshError) as caught:
        call()
    assert caught.value.hint, caught.value.message
    return caught.value


# -- orders that ended without a mesh


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
def test_every_error_of_the_queue_is_explained_and_free(
    kind: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.script, fake.error, fake.error_type = (DONE,), "Something happened", kind
    error = error_of(lambda: PROVIDER.poll(order(http, tmp_path), http))
    assert error.kind == "failed"
    assert error.message == f"{REQUEST_ERRORS[kind]} Something happened."
    assert "does not charge" in error.hint
    assert "Generate again" in error.hint


FAILURES: list[tuple[int, Any, str, str]] = [
    (422, detail("content_policy_violation", "Flagged"), "banned", "may charge"),
    (422, detail("image_too_small", "Too small"), "failed", "may charge"),
    (422, {"detail": "Bad input"}, "failed", "may charge"),
    (400, {"detail": "Bad input"}, "failed", "may charge"),
    (500, {"detail": "Out of memory"}, "failed", "does not charge"),
    (504, {"detail": "Timed out", "error_type": "request_timeout"}, "failed", "does not charge"),
    (503, {"detail": "Gone", "error_type": "runner_disconnected"}, "failed", "does not charge"),
    (404, {"detail": "Request not found"}, "expired", "an hour"),
    (410, {"detail": "Gone"}, "expired", "six minutes"),
    (403, {"detail": f"{LOCKED}Exhausted balance."}, "no_credits", "Add credits"),
    (401, {"detail": "no"}, "bad_key", "Check the key"),
    # Of a gateway: the result may be there the next time.
    (502, PAGE, "unreachable", "Resume"),
    (503, {"message": "busy"}, "unreachable", "Resume"),
    (404, PAGE, "unreachable", "Resume"),
    (200, PAGE, "unreachable", "Resume"),
    (200, [], "unreachable", "Resume"),
]


@pytest.mark.parametrize(("status", "body", "kind", "hint"), FAILURES)
def test_a_completed_request_may_have_failed(
    status: int, body: Any, kind: str, hint: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.script, fake.refusal = (DONE,), (status, body)
    error = error_of(lambda: PROVIDER.poll(order(http, tmp_path), http))
    assert error.kind == kind
    assert hint in error.hint


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("Plain text", "Plain text."),
        ([problem("seed", "int_type", "Not a number")], "seed: Not a number."),
        ({"message": "Nested"}, "Nested."),
        (["odd"], "['odd']."),
    ],
)
def test_an_error_of_any_shape_is_passed_on(
    given: Any, says: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.script, fake.error = (DONE,), given
    assert error_of(lambda: PROVIDER.poll(order(http, tmp_path), http)).message == says


def test_the_request_id_is_named_for_support(fake: Fal, http: Http, tmp_path: Path) -> None:
    headers = {"x-fal-request-id": "r-1", "x-fal-error-type": "bad_request"}
    fake.faults.append(Fault("POST", ORDER, 400, {"detail": "Bad"}, headers))
    assert error_of(lambda: order(http, tmp_path)).message == "Bad (request ID r-1)."


def test_a_locked_account_is_reported_before_the_order(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.locked = "Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
    error = error_of(lambda: order(http, tmp_path))
    assert error.kind == "no_credits"
    assert not fake.calls("POST", ORDER)


def test_the_size_that_one_model_refuses_is_its_own_matter(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    small = picture(tmp_path, data=png_of(64, 64))
    uploaded = PROVIDER.upload((small,), http)
    PROVIDER.submit(Request(PROVIDER.settings(model="fal-ai/triposr"), (small,)), uploaded, http)
    request = Request(PROVIDER.settings(model=RAPID), (small,))
    error = error_of(lambda: PROVIDER.submit(request, uploaded, http))
    assert error.kind == "bad_image"
    assert len(fake.orders) == 1


def test_a_short_fault_of_a_poll_is_outlasted(fake: Fal, http: Http, tmp_path: Path) -> None:
    fake.script = (DONE,)
    ticket = order(http, tmp_path)
    fake.faults += [Fault("GET", STATE, 503, PAGE, times=1), Fault("GET", ".*", 429, {}, times=1)]
    assert isinstance(PROVIDER.poll(ticket, http), Result)
