# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at Meshy: to the mesh, under every fault, cancelled, from the command line."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.meshy import KEY, LIFE, PNG, Meshy
from fakes.meshy_calls import (
    CREATE,
    DELETE,
    POLL,
    VIEWS,
    end_of,
    job_for,
)
from fakes.png import png_of
from fakes.tripo_server import FBX, Fault

from image_to_mesh.jobs import Library, PictureSource, Session, State
from image_to_mesh.jobs import runner as runner_module
from image_to_mesh.jobs.steps.inputs import picture_from
from image_to_mesh.providers._shared.http import backoff, client

HTML = "<html>502 Bad Gateway</html>"
DONE: list[dict[str, Any]] = [{"status": "SUCCEEDED", "progress": 100}]
FOREVER: list[dict[str, Any]] = [{"status": "IN_PROGRESS", "progress": 10}]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session whose pauses are short."""
    monkeypatch.setattr(runner_module, "next_pause", lambda *_: 0.01)
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    made = Session()
    yield made
    made.close(2.0)


def test_a_job_goes_from_picture_to_mesh(fake: Meshy, session: Session, tmp_path: Path) -> None:
    job = session.start(job_for(fake, tmp_path, blender=WORKER))
    record = end_of(session, job).record
    assert record is not None
    assert record.state is State.READY
    assert (record.mesh, record.blend, record.credits) == ("mesh.glb", "model.blend", 30.0)
    assert (tmp_path / job / "mesh.glb").read_bytes() == fake.mesh
    assert (tmp_path / job / "preview.png").read_bytes() == PNG
    assert record.facts == {"task": fake.creates[0].id}
    assert len(fake.creates) == 1


def test_quads_from_four_views_arrive_as_fbx(fake: Meshy, session: Session, tmp_path: Path) -> None:
    pictures = tuple(
        PictureSource("cup", view, lambda size=size: png_of(size, 64))  # type: ignore[misc]
        for size, view in enumerate(VIEWS, start=60)
    )
    chosen = {"should_remesh": True, "topology": "quad"}
    job = session.start(job_for(fake, tmp_path, pictures=pictures, settings=chosen))
    record = end_of(session, job).record
    assert record is not None
    assert (record.state, record.format) == (State.READY, "fbx")
    assert (tmp_path / job / "mesh.fbx").read_bytes() == FBX
    assert len(fake.creates[0].body["image_urls"]) == 4


def test_a_picture_at_an_address_is_never_fetched_here(
    fake: Meshy, session: Session, tmp_path: Path
) -> None:
    source = picture_from("https://example.com/cup.png")
    job = session.start(job_for(fake, tmp_path, pictures=(source,)))
    assert end_of(session, job).state is State.READY
    assert fake.creates[0].body["image_url"] == "https://example.com/cup.png"


@pytest.mark.parametrize("values", [{"ai_model": "meshy-t2.5"}, {"geometry_resolution": "4k"}])
def test_views_that_the_model_does_not_take_are_refused_before_the_order(
    fake: Meshy, session: Session, tmp_path: Path, values: dict[str, str]
) -> None:
    spec = job_for(fake, tmp_path, views=("front", "back"), settings=values)
    view = end_of(session, session.start(spec))
    assert view.failure is not None
    assert view.failure.kind in ("invalid_settings", "bad_image")
    assert fake.requests == []


def test_expired_links_are_asked_for_again(fake: Meshy, session: Session, tmp_path: Path) -> None:
    fake.states, fake.stale = DONE, 2
    record = end_of(session, session.start(job_for(fake, tmp_path))).record
    assert record is not None
    assert record.state is State.READY
    assert len(fake.calls(POLL)) == 3
    assert len(fake.creates) == 1


def test_a_lost_preview_does_not_lose_the_mesh(
    fake: Meshy, session: Session, tmp_path: Path
) -> None:
    fake.fault("GET .*preview", *[Fault(404)] * backoff.ATTEMPTS)
    job = session.start(job_for(fake, tmp_path, blender=WORKER))
    assert end_of(session, job).state is State.READY


@pytest.mark.parametrize("whole_later", [True, False])
def test_a_mesh_that_was_delivered_cut_short_is_never_taken_for_whole(
    fake: Meshy, session: Session, tmp_path: Path, whole_later: bool
) -> None:
    # Its Content-Length fits the cut file: only the length in the GLB's own head does not.
    cut = fake.mesh[: len(fake.mesh) // 2]
    fake.states, fake.meshes = DONE, [cut] * (1 if whole_later else 50)
    job = session.start(job_for(fake, tmp_path))
    view = end_of(session, job)
    assert len(fake.creates) == 1
    if view.state is State.READY:
        assert (tmp_path / job / "mesh.glb").read_bytes() == fake.mesh
        assert whole_later
    else:
        assert view.failure is not None
        assert view.failure.kind == "bad_mesh"
        assert view.record is not None
        assert not view.record.state.over, "the job cannot be resumed"


def test_a_job_that_is_resumed_after_three_days_has_expired(
    fake: Meshy, session: Session, tmp_path: Path
) -> None:
    fake.states = FOREVER
    view = end_of(session, session.start(job_for(fake, tmp_path, timeout=0.3)))
    assert view.failure is not None
    assert view.failure.kind == "timed_out"
    assert "three days" in view.failure.hint
    session.join(5.0)
    fake.now = LIFE + 60
    record = Library(tmp_path).load(view.job)
    again = end_of(session, session.start(job_for(fake, tmp_path, pictures=(), record=record)))
    assert again.failure is not None
    assert (again.failure.kind, again.state) == ("expired", State.FAILED)


@pytest.mark.parametrize("status", ["CANCELED", "CANCELLED"])
def test_both_spellings_of_a_canceled_task_end_the_job(
    fake: Meshy, session: Session, tmp_path: Path, status: str
) -> None:
    fake.states = [{"status": status}]
    view = end_of(session, session.start(job_for(fake, tmp_path)))
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("failed", State.FAILED)


def test_an_unknown_status_is_polled_until_the_time_limit(
    fake: Meshy, session: Session, tmp_path: Path
) -> None:
    fake.states = [{"status": "DREAMING"}]
    view = end_of(session, session.start(job_for(fake, tmp_path, timeout=0.5)))
    assert view.failure is not None
    assert view.failure.kind == "timed_out"
    assert view.record is not None
    assert view.record.state is State.RUNNING


# -- cancel ----------------------------------------------------------------------------------


def _until(asked: Any, limit: float = 10.0) -> None:
    until = time.monotonic() + limit
    while not asked():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


@pytest.mark.parametrize(("state", "charged"), [("PENDING", False), ("IN_PROGRESS", True)])
def test_a_cancelled_job_is_charged_if_its_task_had_begun(
    fake: Meshy, session: Session, tmp_path: Path, state: str, charged: bool
) -> None:
    fake.states = [{"status": state}]
    job = session.start(job_for(fake, tmp_path))
    _until(lambda: fake.calls(POLL))
    session.cancel(job)
    assert end_of(session, job).state is State.CANCELLED
    session.close(5.0)
    notes = Library(tmp_path).load(job).notes
    assert any("may still charge" in note for note in notes) is charged
    assert len(fake.calls(DELETE)) == (not charged)
    assert fake.balance == (970 if charged else 1000)


# -- faults ----------------------------------------------------------------------------------

FAULTS = [
    Fault(drop=True),
    Fault(drop=True, done=True),
    Fault(500, {"message": "oops"}),
    Fault(500, {"message": "oops"}, done=True),
    Fault(502, HTML, done=True),
    Fault(503, ""),
    Fault(503, "busy"),
    Fault(429, {"message": "RateLimitExceeded"}, {"Retry-After": "0"}),
    Fault(429, {"message": "NoMoreConcurrentTasks"}),
    Fault(200, HTML, done=True),
    Fault(200, {"message": "no credits", "code": "InsufficientCredits"}),
    Fault(402, {"message": "no credits"}),
    Fault(404, ""),
    Fault(404, {"message": "Task not found"}),
    Fault(302, "", {"Location": "/openapi/v1/image-to-3d"}),
]


@pytest.mark.parametrize("call", [CREATE, POLL, "GET .*glb"])
def test_under_every_fault_of_every_call_there_is_one_submit(
    fake: Meshy, session: Session, tmp_path: Path, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in FAULTS:
        if call.startswith("GET") and fault.done:
            continue
        fake.tasks.clear()
        fake.faults.clear()
        fake.fault(call, fault)
        library = tmp_path / str(FAULTS.index(fault))
        end_of(session, session.start(job_for(fake, library)))
        assert len(fake.creates) <= 1, fault
        assert fake.faults == [], fault
    _assert_no_key(fake, tmp_path, caplog)


@pytest.mark.parametrize(
    "fault", [Fault(drop=True, done=True), Fault(500, "oops", done=True), Fault(202, HTML)]
)
def test_a_submit_whose_answer_is_lost_is_found_or_uncertain(
    fake: Meshy, session: Session, tmp_path: Path, fault: Fault
) -> None:
    fake.fault(CREATE, fault)
    view = end_of(session, session.start(job_for(fake, tmp_path)))
    if fault.done:  # there is a list, and there is the task
        assert (view.state, len(fake.creates)) == (State.READY, 1)
        return
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("uncertain", State.UNCERTAIN)
    assert len(fake.calls(CREATE)) == 1


# -- the key ---------------------------------------------------------------------------------


def _assert_no_key(fake: Meshy, library: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert KEY not in caplog.text
    for path in library.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
    for seen in fake.requests:
        assert KEY not in seen.path
        assert KEY.encode() not in seen.body
        if seen.host == "files":
            assert "authorization" not in seen.headers


@pytest.mark.parametrize("call", [CREATE, POLL, "GET .*glb"])
def test_a_redirect_never_gets_the_key(
    fake: Meshy, session: Session, tmp_path: Path, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.fault(call, Fault(307, "", {"Location": f"{fake.files_url}/stolen/model.glb"}))
    view = end_of(session, session.start(job_for(fake, tmp_path)))
    assert KEY not in repr(view)
    assert [item.host for item in fake.calls("stolen")] == (["files"] if "glb" in call else [])
    _assert_no_key(fake, tmp_path, caplog)


def test_a_refused_key_is_reported_and_never_shown(
    fake: Meshy, session: Session, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "msy_wrong-key-7777777"
    view = end_of(session, session.start(job_for(fake, tmp_path, key=wrong)))
    assert view.failure is not None
    assert view.failure.kind == "bad_key"
    assert wrong not in repr(view) + caplog.text
    assert fake.creates == []
