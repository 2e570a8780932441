# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: whole jobs, ordered once under every fault, and keys that nobody else ever sees."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.glb import triangle_glb
from fakes.png import noisy_png, png_of
from fakes.scenario import serving
from fakes.scenario_calls import KEYS, PROVIDER, connection, end_of, job_for, picture
from fakes.scenario_state import BASIC, FBX, KEY, SECRET, Fault, ScenarioFake, usual_results

from image_to_mesh.jobs import JobView, Library, Session, State, runner
from image_to_mesh.providers import BadReply, Secret
from image_to_mesh.providers._scenario import uploads
from image_to_mesh.providers._shared.http import client
from image_to_mesh.providers._shared.http.client import Http

LARGE = noisy_png(64, 48)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between polls and attempts; count two kilobytes as large."""
    monkeypatch.setattr(uploads, "INLINE", 1000)
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    monkeypatch.setattr(client.Http, "wait", lambda *_: None)
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.02)


@pytest.fixture
def fake() -> Iterator[ScenarioFake]:
    """Scenario on loopback, with the usual results."""
    with serving() as scenario:
        usual_results(scenario)
        yield scenario


def end_with(running: Session, fake: ScenarioFake, library: Path, **how: Any) -> JobView:
    """Run a job to its end."""
    return end_of(running, running.start(job_for(fake, library, **how)))


def test_a_job_from_picture_to_mesh(running: Session, fake: ScenarioFake, tmp_path: Path) -> None:
    settings = PROVIDER.settings(faceLimit=5000, seed=11, textureSeed=12)
    view = end_with(running, fake, tmp_path, settings=settings)
    record = Library(tmp_path).load(view.job)
    assert (record.state, record.format, record.credits) == (State.READY, "glb", 40.0)
    assert (record.facts["seed"], record.facts["textureSeed"]) == (11, 12)
    assert record.facts["job"] == "job_" + "1".zfill(24)
    folder = tmp_path / view.job
    assert (folder / "mesh.glb").read_bytes() == triangle_glb(5)
    assert (folder / "preview.png").read_bytes() == png_of(8, 8)
    assert [set(body) - {"image"} for body in fake.submits] == [
        {"faceLimit", "seed", "textureSeed"}
    ]


def test_quads_arrive_as_fbx(running: Session, fake: ScenarioFake, tmp_path: Path) -> None:
    fake.outcome.metadata.clear()
    fake.add_result(FBX, "model/x-fbx")
    view = end_with(running, fake, tmp_path, settings=PROVIDER.settings(quad=True))
    assert view.state is State.READY
    assert (tmp_path / view.job / "mesh.fbx").read_bytes() == FBX
    assert not fake.conversions, "a conversion was ordered"


def test_an_fbx_of_triangles_arrives_as_glb(
    running: Session, fake: ScenarioFake, tmp_path: Path
) -> None:
    fake.outcome.metadata.clear()
    fake.add_result(FBX, "model/x-fbx")
    view = end_with(running, fake, tmp_path)
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == triangle_glb(3)


def test_a_picture_is_uploaded_once_while_scenario_has_it(
    running: Session, fake: ScenarioFake, tmp_path: Path
) -> None:
    for _ in range(2):
        assert end_with(running, fake, tmp_path).state is State.READY
    assert len(fake.calls("POST", "/assets")) == 1
    del fake.assets[fake.submits[0]["image"]]
    view = end_with(running, fake, tmp_path)
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("invalid_settings", State.FAILED)
    assert "generate again" in view.failure.hint
    assert end_with(running, fake, tmp_path).state is State.READY
    assert len(fake.calls("POST", "/assets")) == 2


def test_addresses_that_expired_are_asked_for_again(
    running: Session, fake: ScenarioFake, tmp_path: Path
) -> None:
    fake.outcome.metadata["assetIds"].pop(0)
    fake.stale = 1
    assert end_with(running, fake, tmp_path).state is State.READY
    assert len(fake.calls("GET", "/files/.*")) == 2
    assert len(fake.submits) == 1


def test_a_cancel_reaches_scenario(running: Session, fake: ScenarioFake, tmp_path: Path) -> None:
    fake.outcome.script = ("in-progress",)
    job = running.start(job_for(fake, tmp_path))
    while running.views()[0].state is not State.RUNNING:
        time.sleep(0.01)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(2.0)
    assert fake.cancelled == ["job_" + "1".zfill(24)]
    record = Library(tmp_path).load(job)
    assert (record.state, record.notes) == (State.CANCELLED, ())


def test_a_job_that_cannot_be_cancelled_is_collected(
    running: Session, fake: ScenarioFake, tmp_path: Path
) -> None:
    fake.outcome.script = ("in-progress",)
    fake.cancel_refused = True
    job = running.start(job_for(fake, tmp_path))
    while running.views()[0].state is not State.RUNNING:
        time.sleep(0.01)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    fake.outcome.script = ("success",)
    running.join(5.0)
    record = Library(tmp_path).load(job)
    assert (record.state, record.credits) == (State.READY, 40.0)
    assert record.notes == ("Scenario may still charge for this job.",)


def test_a_failed_job_keeps_scenario_s_words(
    running: Session, fake: ScenarioFake, tmp_path: Path
) -> None:
    fake.outcome.script = ("failure",)
    fake.outcome.metadata = {"error": "No subject found", "hint": "Crop it."}
    failure = end_with(running, fake, tmp_path).failure
    assert failure is not None
    assert failure.kind == "failed"
    assert failure.message.startswith("No subject found")
    assert failure.hint.startswith("Crop it.")


# -- one order under every fault


CALLS = [
    ("POST", "/assets"),
    ("POST", "/uploads"),
    ("PUT", "/parts/.*"),
    ("POST", "/uploads/.*/action"),
    ("GET", "/uploads/.*"),
    ("POST", "/generate/.*"),
    ("GET", "/jobs/.*"),
    ("GET", "/assets/.*"),
    ("GET", "/files/.*"),
]
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("500", {"status": 500, "body": {"reason": "Internal"}}),
    ("502", {"status": 502, "body": "<html>Bad Gateway</html>"}),
    ("503 told", {"status": 503, "body": {"message": "Service Unavailable"}}),
    ("503", {"status": 503, "body": ""}),
    ("504", {"status": 504, "body": {"message": "Endpoint request timed out"}}),
    ("429", {"status": 429, "body": {"message": "Too Many"}}),
    ("cooldown", {"status": 429, "body": {"reason": "cooldown", "remainingSeconds": 900}}),
    ("400", {"status": 400, "body": {"reason": "Bad"}}),
    ("403", {"status": 403, "body": {"message": "Forbidden"}}),
    ("404", {"status": 404, "body": {"reason": "Gone"}}),
    ("page", {"status": 200, "body": "<html>Sign in</html>"}),
    ("nothing", {"status": 200, "body": {}}),
    ("before", {"drop": "before"}),
    ("after", {"drop": "after"}),
]
UNCERTAIN = {"500", "502", "503", "503 told", "504", "page", "nothing", "before"}


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda item: str(item))
def test_one_order_under_every_fault_of_every_call(
    running: Session,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    large = "uploads" in path or "parts" in path
    how: dict[str, Any] = {"data": LARGE} if large else {}
    for name, fault in FAULTS:
        with serving() as fake:
            usual_results(fake)
            fake.faults.append(Fault(method, path, **{"times": 2, **fault}))
            library = tmp_path / name.replace(" ", "-")
            view = end_with(running, fake, library, blender=None, **how)
            assert fake.faults[0].times < 2, (name, "the call was never made")
            assert len(fake.submits) <= 1, name
            if path.startswith("/generate"):
                _judge_the_order(name, view, fake)
            _no_key_in(view, library, caplog, fake)


def _judge_the_order(name: str, view: JobView, fake: ScenarioFake) -> None:
    if name == "429":
        assert (view.state, len(fake.submits)) == (State.READY, 1), name
    elif name == "after":  # it was taken, so it is in the list
        assert (view.state, len(fake.submits)) == (State.READY, 1)
        assert len(fake.calls("POST", "/generate/.*")) == 1
    else:
        assert len(fake.calls("POST", "/generate/.*")) == 1, name
        uncertain = view.state is State.UNCERTAIN
        assert uncertain == (name in UNCERTAIN), (name, view)


def _no_key_in(
    view: JobView, library: Path, caplog: pytest.LogCaptureFixture, fake: ScenarioFake
) -> None:
    written = [path.read_bytes() for path in library.rglob("*") if path.is_file()]
    shown = [repr(view), repr(view.failure), caplog.text, *map(str, caplog.records)]
    elsewhere = [repr(request) for request in fake.requests if request.host != "api"]
    everything = b"\0".join([*written, *(text.encode() for text in [*shown, *elsewhere])])
    for secret in (KEY, SECRET, BASIC):
        assert secret.encode() not in everything
    assert all(
        KEY not in request.path + str(request.query) + repr(request.body)
        for request in fake.requests
    )


@pytest.mark.parametrize("path", ["/assets", "/generate/.*", "/jobs/.*", "/assets/.*"])
def test_a_redirect_is_not_followed_with_the_key(
    running: Session,
    fake: ScenarioFake,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    away = {"Location": f"{fake.storage}/files/elsewhere"}
    method = "POST" if path in ("/assets", "/generate/.*") else "GET"
    fake.faults.append(Fault(method, path, 307, "", away, times=99))
    view = end_with(running, fake, tmp_path, blender=None)
    assert view.failure is not None
    assert not [request for request in fake.requests if request.host == "storage"]
    assert len(fake.submits) <= 1
    _no_key_in(view, tmp_path, caplog, fake)


def test_a_refused_key_is_reported_and_not_shown(
    running: Session, fake: ScenarioFake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = {**KEYS, "scenario_api_secret": Secret("WrongSecret99Okapi")}
    view = end_with(running, fake, tmp_path, keys=wrong)
    assert view.failure is not None
    assert (view.failure.kind, view.failure.link) == ("bad_key", PROVIDER.key_url)
    record = json.dumps([path.read_text("utf-8") for path in tmp_path.rglob("*.json")])
    assert "WrongSecret99Okapi" not in repr(view) + caplog.text + record
    assert not fake.submits, "an order was sent"


def test_a_put_takes_no_redirect_and_no_key(fake: ScenarioFake, tmp_path: Path) -> None:
    away = {"Location": f"{fake.url}/assets"}
    fake.faults.append(Fault("PUT", "/parts/.*", 307, "", away))
    with connection(fake, lambda _: None) as http, pytest.raises(BadReply, match="redirects"):
        PROVIDER.upload((picture(tmp_path, LARGE),), http)
    [put] = fake.calls("PUT", ".*")
    assert "authorization" not in put.headers


def test_a_put_to_a_plain_address_elsewhere_is_refused() -> None:
    line = Http("https://api.example", {"Authorization": f"Basic {BASIC}"}, pause=lambda _: None)
    with pytest.raises(Exception, match="does not start with https"):
        line.put("http://storage.example/part", b"data", "image/png")
    line.close()
