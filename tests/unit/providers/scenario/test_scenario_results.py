# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: states, results sorted out of several assets, costs, prices, balances, cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.glb import triangle_glb
from fakes.png import png_of
from fakes.scenario import serving
from fakes.scenario_calls import PROVIDER, order
from fakes.scenario_state import FBX, Fault, ScenarioFake, usual_results

from image_to_mesh.providers import (
    BadKey,
    BadMesh,
    BadReply,
    Balance,
    CancelOutcome,
    Cost,
    Failed,
    Progress,
    Request,
    Result,
    Ticket,
)
from image_to_mesh.providers._shared.http.client import Http

GLB = (triangle_glb(5), "model/gltf-binary")
BOOKED = {"cuCost": 45, "cuDiscount": 5}


@pytest.fixture
def fake() -> Iterator[ScenarioFake]:
    """Scenario on loopback, whose jobs are done at once."""
    with serving() as running:
        running.outcome.script = ("success",)
        yield running


def result_of(fake: ScenarioFake, http: Http, folder: Path, **values: Any) -> Result:
    """Order, poll once and return the result."""
    answer = PROVIDER.poll(order(fake, http, folder, **values), http)
    assert isinstance(answer, Result)
    return answer


def test_known_states_are_reported_and_unknown_ones_are_polled(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    usual_results(fake)
    fake.outcome.script = (
        *("queued", "pending", "warming-up", "in-progress", "finalizing", "reticulating-splines"),
        "success",
    )
    ticket = order(fake, http, tmp_path)
    seen = [PROVIDER.poll(ticket, http) for _ in range(7)]
    told = [(item.phase, item.fraction) for item in seen if isinstance(item, Progress)]
    assert told == [
        ("Waiting in queue", None),
        ("Waiting in queue", None),
        ("Warming up", None),
        ("In progress", 0.3),
        ("Finalizing", None),
        ("Reticulating splines", None),
    ]
    assert isinstance(seen[-1], Result)


@pytest.mark.parametrize("state", ["success", "succeeded", "completed"])
def test_every_name_of_success_counts_as_success(
    fake: ScenarioFake, http: Http, tmp_path: Path, state: str
) -> None:
    usual_results(fake)
    fake.outcome.script = (state,)
    assert result_of(fake, http, tmp_path).files


def test_the_mesh_comes_with_its_preview(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    usual_results(fake)
    preview, mesh = fake.outcome.metadata["assetIds"]
    result = result_of(fake, http, tmp_path)
    found = [(file.role, file.format, file.url) for file in result.files]
    assert found == [
        ("mesh", "glb", fake.signed_address(f"/files/{mesh}")),
        ("preview", None, fake.signed_address(f"/files/{preview}")),
    ]
    asked = fake.calls("GET", "/assets/.*")
    assert [call.query for call in asked] == [{"originalAssets": "true"}] * 2
    assert result.facts["asset"] == mesh
    assert result.notes == ()


def test_a_mesh_is_distinguished_from_its_textures(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    other: dict[str, Any] = {
        "source": "3d:texture:mtl",
        "metadata": {"type": "3d-texture-mtl", "kind": "3d"},
    }
    fake.add_result(b"mtl", "model/mtl", "3d", **other)
    skin: dict[str, Any] = {
        "source": "3d:texture:albedo",
        "metadata": {"type": "3d-texture-albedo"},
    }
    fake.add_result(png_of(8, 8), "image/png", "image", **skin)
    plain = fake.add_result(*GLB, source="unknown", metadata={"type": "unknown"})
    second = fake.add_result(*GLB, metadata={"type": "img23d", "outputIndex": 2})
    first = fake.add_result(*GLB, metadata={"type": "img23d", "outputIndex": 1})
    result = result_of(fake, http, tmp_path)
    assert [file.role for file in result.files] == ["mesh"]
    assert first in result.files[0].url
    assert plain != first != second
    assert result.notes == ("More mesh files in your Scenario project: 2.",)


@pytest.mark.parametrize("more", ["preview", "thumbnail"])
def test_the_preview_of_the_mesh_is_used(
    fake: ScenarioFake, http: Http, tmp_path: Path, more: str
) -> None:
    linked: dict[str, Any] = {more: {"assetId": "a", "url": "https://cdn.example/p.png"}}
    fake.add_result(*GLB, **linked)
    files = result_of(fake, http, tmp_path).files
    assert [(file.role, file.url) for file in files[1:]] == [
        ("preview", "https://cdn.example/p.png")
    ]


FILES: list[tuple[str, bool, dict[str, Any], str, str, str]] = [
    # quad, the asset, then: format, where it comes from, what was converted to
    ("glb", False, {"mimeType": "model/gltf-binary"}, "glb", "files", ""),
    ("old name of glb", False, {"mimeType": "model/glb"}, "glb", "files", ""),
    ("fbx becomes glb", False, {"mimeType": "model/x-fbx"}, "glb", "-glb.glb", "glb"),
    ("obj becomes glb", False, {"mimeType": "model/obj"}, "glb", "-glb.glb", "glb"),
    ("stl becomes glb", False, {"mimeType": "model/stl"}, "glb", "-glb.glb", "glb"),
    ("quads keep fbx", True, {"mimeType": "model/x-fbx"}, "fbx", "files", ""),
    ("fbx by another name", True, {"mimeType": "application/vnd.autodesk.fbx"}, "fbx", "files", ""),
    ("quads keep obj", True, {"mimeType": "model/obj"}, "obj", "files", ""),
    ("quads that came as glb", True, {"mimeType": "model/gltf-binary"}, "glb", "files", ""),
    ("quads out of usdz", True, {"mimeType": "model/vnd.usdz+zip"}, "fbx", "-fbx.fbx", "fbx"),
    (
        "quads converted on arrival: the original",
        True,
        {
            "mimeType": "model/gltf-binary",
            "originalMimeType": "model/x-fbx",
            "originalFileUrl": "https://cdn.example/original",
        },
        "fbx",
        "example/original",
        "",
    ),
    (
        "triangles converted on arrival: the glb",
        False,
        {
            "mimeType": "model/gltf-binary",
            "originalMimeType": "model/x-fbx",
            "originalFileUrl": "https://cdn.example/original",
        },
        "glb",
        "files",
        "",
    ),
    (
        "a nameless type with a format",
        False,
        {"mimeType": "application/octet-stream", "properties": {"format": "GLB"}},
        "glb",
        "files",
        "",
    ),
    (
        "a nameless type with an ending",
        True,
        {"mimeType": "application/octet-stream", "url": "https://cdn.example/a/m.FBX?Policy=e"},
        "fbx",
        "m.FBX",
        "",
    ),
    ("a nameless type", False, {"mimeType": "application/octet-stream"}, "", "files", ""),
    ("no kind, but a mesh's type", False, {"kind": None}, "glb", "files", ""),
]


@pytest.mark.parametrize(
    ("quad", "asset", "format_", "place", "converted"),
    [pytest.param(*row[1:], id=row[0]) for row in FILES],
)
def test_the_best_file_of_a_mesh_is_taken(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    quad: bool,
    asset: dict[str, Any],
    format_: str,
    place: str,
    converted: str,
) -> None:
    made = fake.add_result(FBX, "model/gltf-binary", **asset)
    file = result_of(fake, http, tmp_path, quad=quad).files[0]
    assert (file.format or "") == format_
    assert place in file.url
    assert fake.conversions == ([(made, converted)] if converted else [])


def test_a_file_that_cannot_be_converted_is_used_as_it_is(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    fake.conversion_refused = True
    made = fake.add_result(FBX, "model/x-fbx")
    file = result_of(fake, http, tmp_path).files[0]
    assert (file.format, file.url) == ("fbx", fake.signed_address(f"/files/{made}"))


def test_the_matching_one_of_two_files_is_used(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    glb = fake.add_result(*GLB)
    fbx = fake.add_result(FBX, "model/x-fbx")
    assert glb in result_of(fake, http, tmp_path).files[0].url
    assert fbx in result_of(fake, http, tmp_path, quad=True).files[0].url


def test_the_ordered_format_is_preferred(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    fake.add_result(*GLB, source="unknown", metadata={"type": "unknown"})
    ordered = fake.add_result(FBX, "model/x-fbx")
    assert result_of(fake, http, tmp_path).facts["asset"] == ordered
    assert fake.conversions == [(ordered, "glb")]


def test_a_mesh_that_is_still_stored_is_waited_for(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    mesh = fake.add_result(*GLB, status="pending")
    ticket = order(fake, http, tmp_path)
    assert PROVIDER.poll(ticket, http) == Progress("Finalizing", 1.0)
    fake.assets[mesh]["status"] = "success"
    assert isinstance(PROVIDER.poll(ticket, http), Result)
    fake.assets[mesh]["status"] = "error"
    with pytest.raises(Failed, match="failed to store"):
        PROVIDER.poll(ticket, http)


@pytest.mark.parametrize("case", ["nothing", "only pictures", "deleted", "no download URL"])
def test_a_result_without_a_mesh_stays_resumable(
    fake: ScenarioFake, http: Http, tmp_path: Path, case: str
) -> None:
    if case == "only pictures":
        fake.add_result(png_of(8, 8), "image/png", "image")
    if case == "deleted":
        del fake.assets[fake.add_result(*GLB)]
    if case == "no download URL":
        fake.add_result(*GLB, url=None)
    with pytest.raises(BadMesh):
        result_of(fake, http, tmp_path)


BILLS: list[tuple[Any, Any]] = [
    (BOOKED, 40.0),
    ({"cuCost": "45", "cuDiscount": "5.5"}, 39.5),
    ({**BOOKED, "cuCostDetails": {"quality-gate": 3, "ip-detection": None}}, 43.0),
    ({"cuCost": 45, "cuDiscount": None}, 45.0),
    (None, 40.0),  # what the submit said
]


@pytest.mark.parametrize(("billing", "credits_"), BILLS, ids=str)
def test_the_cost_is_the_figure_that_scenario_reports(
    fake: ScenarioFake, http: Http, tmp_path: Path, billing: Any, credits_: float
) -> None:
    usual_results(fake)
    fake.outcome.billing = billing
    assert result_of(fake, http, tmp_path).credits == credits_


def test_the_seeds_that_were_used_are_facts(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    fake.add_result(*GLB, metadata={"type": "img23d", "seed": "4711"})
    facts = result_of(fake, http, tmp_path).facts
    assert (facts["job"], facts["seed"]) == ("job_" + "1".zfill(24), "4711")
    assert "textureSeed" not in facts
    facts = result_of(fake, http, tmp_path, seed=0, textureSeed=9).facts
    assert (facts["seed"], facts["textureSeed"]) == (0, 9)


def test_the_documented_minimal_answer_is_enough(fake: ScenarioFake, http: Http) -> None:
    """The job of the reference page, which has three fields."""
    mesh = fake.add_result(*GLB)
    done = {"jobId": "job_abc123", "status": "success", "metadata": {"assetIds": [mesh]}}
    fake.faults.append(Fault("GET", "/jobs/.*", 200, {"job": done}))
    result = PROVIDER.poll(Ticket({"job": "job_abc123"}), http)
    assert isinstance(result, Result)
    assert (result.credits, len(result.files)) == (None, 1)


# -- prices and balances


def test_the_price_is_asked_in_the_address_and_no_picture_is_sent(
    fake: ScenarioFake, http: Http
) -> None:
    settings = PROVIDER.settings(quad=True, textureQuality="extreme")
    assert PROVIDER.quote(Request(settings, ()), http) == Cost(75.0, "Compute Units")
    [call] = fake.requests
    assert call.query == {"dryRun": "true"}
    assert call.json == {
        "image": "asset_0000000000000000000000",
        "textureQuality": "extreme",
        "quad": True,
    }
    assert not fake.submits, "an order was sent"


def test_no_price_is_invented_if_the_service_needs_the_real_image(
    fake: ScenarioFake, http: Http
) -> None:
    fake.dry_run_wants_assets = True
    assert PROVIDER.quote(Request(PROVIDER.settings(), ()), http) is None
    assert not fake.submits, "an order was sent"


def test_a_dry_run_that_starts_a_job_is_cancelled_and_reported(
    fake: ScenarioFake, http: Http
) -> None:
    job = {"jobId": "job_x", "status": "queued"}
    fake.jobs["job_x"] = {**job, "looks": 0}
    fake.faults.append(Fault("POST", "/generate/.*", 200, {"job": job, "creativeUnitsCost": 40}))
    with pytest.raises(BadReply, match=r"started a job.*at no charge"):
        PROVIDER.quote(Request(PROVIDER.settings(), ()), http)
    assert fake.cancelled == ["job_x"]


def test_the_balance_adds_the_plan_and_purchased_credits(fake: ScenarioFake, http: Http) -> None:
    assert PROVIDER.balance(http) == Balance(5000 - 1200.5 + 300, "Compute Units")
    assert [call.path for call in fake.requests] == ["/teams", "/teams/team_1/limits"]
    fake.limits = {"values": {"creativeUnits": "5100"}, "oneShotCreativeUnits": None}
    assert PROVIDER.balance(http) == Balance(0.0, "Compute Units")


UNTOLD: list[tuple[str, list[Fault], dict[str, Any]]] = [
    ("limits are not for keys", [Fault("GET", "/teams/.*", 403, {"message": "no"})], {}),
    ("limits are not there", [Fault("GET", "/teams/.*", 404, {"message": "no"})], {}),
    ("teams are not for keys", [Fault("GET", "/teams", 403, {"message": "no"})], {}),
    ("no team", [Fault("GET", "/teams", 200, {"teams": []})], {}),
    ("a plan without an end", [], {"limits": {"creativeUnits": -1}}),
]


@pytest.mark.parametrize(
    ("faults", "limits"), [pytest.param(*row[1:], id=row[0]) for row in UNTOLD]
)
def test_a_valid_key_without_access_to_the_balance_is_still_valid(
    fake: ScenarioFake, http: Http, faults: list[Fault], limits: dict[str, Any]
) -> None:
    fake.faults += faults
    fake.limits = limits
    assert PROVIDER.balance(http) is None


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("GET", "/teams", 401, {"message": "Unauthorized"})],
        [Fault("GET", "/teams", 403, {}), Fault("GET", "/models/.*", 403, {"message": "no"})],
        [Fault("GET", "/teams", 403, {}), Fault("GET", "/models/.*", 401, {"message": "no"})],
    ],
    ids=["teams", "model", "model 401"],
)
def test_the_balance_tests_the_key(fake: ScenarioFake, http: Http, faults: list[Fault]) -> None:
    fake.faults += faults
    with pytest.raises(BadKey) as caught:
        PROVIDER.balance(http)
    assert caught.value.link == PROVIDER.key_url


# -- cancelling


def test_a_successful_cancel_is_free(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    ticket = order(fake, http, tmp_path)
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.FREE
    [call] = fake.calls("POST", "/jobs/.*/action")
    assert call.json == {"action": "cancel"}
    with pytest.raises(Failed, match="was canceled at Scenario"):
        PROVIDER.poll(ticket, http)


def test_after_a_refused_cancel_the_job_continues_and_is_charged(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    fake.cancel_refused = True
    assert PROVIDER.cancel(order(fake, http, tmp_path), http) is CancelOutcome.CHARGED


def test_a_cancel_without_refund_is_charged(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    fake.outcome.billing = {**BOOKED, "disableRefund": True}
    assert PROVIDER.cancel(order(fake, http, tmp_path), http) is CancelOutcome.CHARGED


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("canceled", CancelOutcome.FREE), ("in-progress", CancelOutcome.UNKNOWN)],
)
def test_a_slow_cancel_is_checked_once_more(
    fake: ScenarioFake, http: Http, tmp_path: Path, state: str, outcome: CancelOutcome
) -> None:
    fake.cancel_late = True
    fake.outcome.script = (state,)
    assert PROVIDER.cancel(order(fake, http, tmp_path), http) is outcome
