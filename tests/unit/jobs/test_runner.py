# SPDX-License-Identifier: GPL-3.0-or-later
"""A job from pictures to a prepared mesh, with a real service on loopback and a fake worker."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.running import Orders, end_of, order_for, spec_for
from fakes.service import KEY, Service
from PIL import Image

from image_to_mesh.jobs import Ended, Library, PictureSource, Session, State
from image_to_mesh.jobs.import_plan import ImportPlan, Placement
from image_to_mesh.jobs.steps.inputs import picture_from
from image_to_mesh.jobs.steps.polling import LONGEST, next_pause
from image_to_mesh.providers import BadKey, BadReply, Progress, Provider


def test_a_local_job_is_made_and_prepared(running: Session, tmp_path: Path, png: bytes) -> None:
    job = running.start(spec_for(tmp_path, png))
    view = end_of(running, job)
    record = Library(tmp_path).load(job)
    assert view.record == record
    assert record.state is State.READY
    assert (record.mesh, record.blend, record.preview) == (
        "mesh.glb",
        "model.blend",
        "preview.png",
    )
    assert (record.faces, record.credits, record.format) == (7, 0.0, "glb")
    assert record.notes == ("made by the fake",)
    assert (tmp_path / job / "front.png").read_bytes() == png
    assert record.settings["shape"] == "inflate"
    assert running.running() == ()


def test_progress_rises_through_the_named_phases(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    job = running.start(spec_for(tmp_path, png))
    seen: list[tuple[float, str, str]] = []
    while True:
        event = running.wait(5)
        assert event is not None
        seen.append((event.view.fraction or 0.0, event.view.phase, event.view.state))
        if isinstance(event, Ended):
            break
    fractions = [at for at, _, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {state for _, _, state in seen} >= {"queued", "running", "preparing", "ready"}
    assert [event for event in seen if not event[1]] == [], "an event has no phase"
    assert job


def test_start_returns_at_once(running: Session, tmp_path: Path, png: bytes) -> None:
    started = threading.Event()

    def slow() -> bytes:
        assert started.wait(30), "the job did not start within 30 s"
        return png

    job = running.start(spec_for(tmp_path, png, pictures=(PictureSource("cup", "front", slow),)))
    started.set()
    assert end_of(running, job).state is State.READY


def test_order_reaches_the_service_once(
    orders: Orders, running: Session, tmp_path: Path, rehearsal: Provider[Any], service: Service
) -> None:
    settings = rehearsal.settings(style="brick", face_limit=500)
    job = orders.start(settings=settings)
    record = end_of(running, job).record
    assert record is not None
    assert record.state is State.READY
    assert (record.credits, record.ticket) == (3.0, {"task": "task-1"})
    assert len(service.submits) == 1
    assert service.submits[0]["style"] == "brick"
    assert set(service.submits[0]) == {"pictures", "style", "face_limit"}
    assert (tmp_path / job / "mesh.glb").read_bytes() == service.mesh
    text = (tmp_path / job / "job.json").read_text()
    assert KEY not in text


def test_picture_that_the_service_does_not_take_is_converted_and_kept(
    running: Session,
    tmp_path: Path,
    rehearsal: Provider[Any],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = rehearsal.limits._replace(max_side=50)
    monkeypatch.setattr(type(rehearsal), "limits", limits)
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "jpeg")
    job = running.start(order_for(tmp_path, out.getvalue(), service))
    record = end_of(running, job).record
    assert record is not None
    assert record.state is State.READY
    assert (tmp_path / job / "front.jpg").read_bytes() == out.getvalue()
    picture = record.pictures[0]
    assert picture.sent == "front-sent.png"
    assert picture.info is not None
    assert (picture.info.format, picture.info.orientation) == ("png", 1)
    assert record.notes[0] == (
        "cup was converted to PNG, 40 × 60 pixels, because it is 60 × 40 pixels."
    )


def test_the_same_picture_is_uploaded_once_while_its_token_lives(
    orders: Orders,
    tmp_path: Path,
    rehearsal: Provider[Any],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(rehearsal), "token_life", 3600.0)
    for _ in range(2):
        assert orders.end().over
    assert (service.calls("POST", "/files"), len(service.submits)) == (1, 2)
    assert service.submits[0]["pictures"] == service.submits[1]["pictures"]
    assert KEY not in (tmp_path / ".uploads.json").read_text()
    monkeypatch.setattr(type(rehearsal), "token_life", 0.0)
    assert orders.end().over
    assert service.calls("POST", "/files") == 2


def test_expired_address_is_asked_for_again(
    orders: Orders, running: Session, service: Service
) -> None:
    service.expired = 1
    job = orders.start()
    assert end_of(running, job).state is State.READY
    assert len(service.submits) == 1


def test_without_blender_a_job_ends_with_the_mesh_file(orders: Orders, running: Session) -> None:
    job = orders.start(blender=None)
    record = end_of(running, job).record
    assert record is not None
    assert record.state is State.READY
    assert record.blend is None
    assert record.faces == 5
    assert "No Blender" in record.notes[0]


def test_a_local_job_without_blender_reports_that_it_needs_one(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    view = end_of(running, running.start(spec_for(tmp_path, png, blender=None)))
    assert view.failure is not None
    assert view.failure.kind == "no_blender"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fault", "kind", "state"),
    [
        ("no_credits", "no_credits", State.FAILED),
        ("fail", "failed", State.FAILED),
        ("swallow_submit", "uncertain", State.UNCERTAIN),
    ],
)
def test_service_errors_are_returned_as_values(
    orders: Orders, service: Service, fault: str, kind: str, state: State
) -> None:
    setattr(service, fault, True)
    view = orders.end()
    assert view.failure is not None
    assert view.failure.kind == kind
    assert view.over, "the job is not over"
    assert view.record is not None
    assert view.record.state is state
    assert len(service.submits) <= 1


def test_a_refused_key_is_returned_as_a_value_and_never_shown(
    orders: Orders, tmp_path: Path
) -> None:
    view = orders.end(key="wrong-key-77")
    assert view.failure is not None
    assert view.failure.kind == "bad_key"
    assert "wrong-key-77" not in repr(view) + (tmp_path / view.job / "job.json").read_text()


def test_damaged_result_stays_resumable(orders: Orders, tmp_path: Path, service: Service) -> None:
    service.mesh = service.mesh[:-1]
    view = orders.end()
    assert view.failure is not None
    assert view.failure.kind == "bad_mesh"
    assert Library(tmp_path).load(view.job).state is State.DOWNLOADING


def test_time_limit_leaves_the_job_resumable(
    orders: Orders, tmp_path: Path, service: Service
) -> None:
    service.takes = 30
    view = orders.end(timeout=1.0)
    assert view.failure is not None
    assert view.failure.kind == "timed_out"
    assert Library(tmp_path).load(view.job).state is State.RUNNING


@pytest.mark.parametrize(
    ("fault", "kind"), [("die", "failed"), ("crash", "failed"), ("refuse", "bad_image")]
)
def test_worker_errors_are_returned_as_values(
    running: Session,
    tmp_path: Path,
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    kind: str,
) -> None:
    monkeypatch.setenv("FAKE_WORKER", fault)
    view = end_of(running, running.start(spec_for(tmp_path, png)))
    assert view.failure is not None
    assert view.failure.kind == kind
    assert (view.record is None) == (kind == "bad_image")
    assert Library(tmp_path).jobs() == ([] if kind == "bad_image" else [view.job])
    said = {"die": "Segmentation fault", "crash": "no luck", "refuse": "Nothing."}
    assert said[fault] in view.failure.message


@pytest.mark.parametrize("status", [401, 404, 418])
def test_a_paid_job_is_never_given_up_without_a_verdict_of_the_service(
    orders: Orders,
    tmp_path: Path,
    rehearsal: Provider[Any],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    def refuse(*_: Any) -> Any:
        raise BadKey("No.") if status == 401 else BadReply(str(status))

    monkeypatch.setattr(type(rehearsal), "poll", refuse)
    view = orders.end()
    assert view.failure is not None
    assert Library(tmp_path).load(view.job).state is State.RUNNING


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\x89PNG\r\n\x1a\n cut"], ids=["empty", "text", "cut"]
)
def test_bad_picture_leaves_nothing_in_the_library(
    running: Session, tmp_path: Path, data: bytes
) -> None:
    view = end_of(running, running.start(spec_for(tmp_path, data)))
    assert view.failure is not None
    assert view.failure.kind == "bad_image"
    assert view.record is None
    assert not list(tmp_path.iterdir())


def test_wrong_view_is_refused(running: Session, tmp_path: Path, png: bytes) -> None:
    pictures = tuple(PictureSource("a", view, lambda: png) for view in ("front", "left"))
    view = end_of(running, running.start(spec_for(tmp_path, png, pictures=pictures)))
    assert view.failure is not None
    assert view.failure.kind == "invalid_settings"
    assert "left" in view.failure.message


def test_picture_from_an_address_is_fetched(
    running: Session, tmp_path: Path, png: bytes, service: Service
) -> None:
    service.mesh = png
    source = picture_from(f"{service.url}/download/my%20cup.png?x=1")
    assert source.name == "my cup"
    job = running.start(spec_for(tmp_path, png, pictures=(source,)))
    assert end_of(running, job).state is State.READY
    assert (tmp_path / job / "front.png").read_bytes() == png


def test_an_unwritable_library_is_returned_as_a_value(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    (tmp_path / "file").write_text("")
    view = end_of(running, running.start(spec_for(tmp_path / "file", png)))
    assert view.failure is not None
    assert view.failure.kind == "library"


def test_the_worker_gets_no_keys(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_to_mesh.jobs.process.environment import clean_environment

    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    clean = clean_environment({"PATH": "x", "TRIPO_API_KEY": "a", "AWS_SECRET": "b", "HOME": "h"})
    assert clean == {"PATH": "x", "HOME": "h"}


def test_dismissed_jobs_are_hidden(running: Session, tmp_path: Path, png: bytes) -> None:
    job = running.start(spec_for(tmp_path, png))
    running.dismiss(job)
    assert running.views()
    view = end_of(running, job)
    running.show(replace(view, phase="Import failed"))
    assert running.views()[0].phase == "Import failed"
    running.dismiss(job)
    assert running.views() == ()


def test_record_is_readable_json(running: Session, tmp_path: Path, png: bytes) -> None:
    plan = ImportPlan("token", "Scene", Placement((1.0, 2.0, 3.0), rotation=0.5, spacing=0.25))
    job = running.start(spec_for(tmp_path, png, plan=plan))
    end_of(running, job)
    written = json.loads((tmp_path / job / "job.json").read_text())
    assert written["place"] == {
        "file": "token", "scene": "Scene", "location": [1, 2, 3], "turn": 0.5, "size": 0.0,
        "measure": "height", "spacing": 0.25, "linked": False, "unpack": False, "scale": None,
        "in_parts": False, "mending": None, "free": False,
    }  # fmt: skip
    assert written["pictures"][0]["info"] == {
        "format": "png",
        "width": 64,
        "height": 48,
        "orientation": 1,
    }


def test_polling_starts_early_then_runs_every_two_seconds() -> None:
    pauses = [0.0]
    for _ in range(10):
        pauses.append(next_pause(Progress("x", 0.1), pauses[-1]))
    assert pauses[1] == 1.0
    assert max(pauses) == LONGEST < 2.0
    assert next_pause(Progress("x", 0.1, wait=100), 1.0) == 10.0
    assert next_pause(Progress("x", 0.1, wait=0.1), 1.0) <= 2.0
