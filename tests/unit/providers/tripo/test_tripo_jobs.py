# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at Tripo, both versions: to the mesh, with every fault, cancelled, leaking no key."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.png import png_of
from fakes.tripo_calls import V2, V3, VIEWS, Version, end_of, job_for
from fakes.tripo_server import FBX, KEY, FakeTripo, Fault, serving

from image_to_mesh.jobs import Library, PictureSource, Session, State
from image_to_mesh.jobs import runner as runner_module
from image_to_mesh.jobs.steps.inputs import picture_from
from image_to_mesh.providers._shared.http import backoff, client

HTML = "<html>502 Bad Gateway</html>"
BOTH = pytest.mark.parametrize("version", [V3, V2], ids=lambda item: item.provider.id)
FOREVER = [{"status": "running", "progress": 10}]
DONE = [{"status": "success", "progress": 100}]


@pytest.fixture
def fake(version: Version) -> Iterator[FakeTripo]:
    """Tripo on loopback."""
    with serving(version.fake()) as running:
        yield running


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session whose pauses are short."""
    monkeypatch.setattr(runner_module, "next_pause", lambda *_: 0.01)
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    made = Session()
    yield made
    made.close(2.0)


@BOTH
def test_a_job_goes_from_picture_to_mesh(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    job = session.start(job_for(version, fake, tmp_path, blender=WORKER))
    record = end_of(session, job).record
    assert record is not None
    assert record.state is State.READY
    assert (record.mesh, record.blend, record.credits) == ("mesh.glb", "model.blend", 30.0)
    assert (tmp_path / job / "mesh.glb").read_bytes() == fake.mesh
    assert (tmp_path / job / "preview.png").read_bytes().startswith(b"RIFF")
    assert record.facts == {"task": fake.creates[0].id}
    assert len(fake.creates) == 1
    assert len(fake.calls(version.upload)) == 1


@BOTH
def test_quads_from_four_views_arrive_as_fbx(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    pictures = tuple(
        PictureSource("cup", view, lambda size=size: png_of(size, 64))  # type: ignore[misc]
        for size, view in enumerate(VIEWS, start=60)
    )
    spec = job_for(version, fake, tmp_path, pictures=pictures, settings={"quad": True})
    job = session.start(spec)
    record = end_of(session, job).record
    assert record is not None
    assert (record.state, record.format) == (State.READY, "fbx")
    assert (tmp_path / job / "mesh.fbx").read_bytes() == FBX
    assert fake.creates[0].kind == "multiview_to_model"
    assert len(fake.uploads) == 4


@BOTH
def test_a_picture_is_not_uploaded_twice_while_its_token_lives(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    for _ in range(2):
        view = end_of(session, session.start(job_for(version, fake, tmp_path)))
        assert view.state is State.READY
    assert len(fake.calls(version.upload)) == 1
    assert len(fake.creates) == 2


@BOTH
def test_an_upload_token_that_expired_early_is_dropped(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    end_of(session, session.start(job_for(version, fake, tmp_path)))
    fake.uploads.clear()
    view = end_of(session, session.start(job_for(version, fake, tmp_path)))
    assert view.failure is not None
    assert view.failure.kind == "invalid_settings"
    assert end_of(session, session.start(job_for(version, fake, tmp_path))).state is State.READY
    assert len(fake.creates) == 2


@BOTH
def test_a_picture_at_an_address_is_never_fetched_here(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    source = picture_from("https://example.com/cup.png")
    job = session.start(job_for(version, fake, tmp_path, pictures=(source,)))
    assert end_of(session, job).state is State.READY
    assert fake.calls(version.upload) == []


@BOTH
def test_expired_links_are_asked_for_again(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    fake.states, fake.stale = DONE, 2
    job = session.start(job_for(version, fake, tmp_path))
    record = end_of(session, job).record
    assert record is not None
    assert record.state is State.READY
    assert len(fake.calls(version.poll)) == 3
    assert len(fake.creates) == 1


@BOTH
def test_a_lost_preview_does_not_lose_the_mesh(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    fake.fault("GET .*rendered", *[Fault(404)] * backoff.ATTEMPTS)
    job = session.start(job_for(version, fake, tmp_path, blender=WORKER))
    assert end_of(session, job).state is State.READY
    assert (tmp_path / job / "preview.png").read_bytes() == b"\x89PNG"


@BOTH
@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ([{"status": "failed", "error_code": 2008}], "banned"),
        ([{"status": "banned"}], "banned"),
        ([{"status": "expired"}], "expired"),
        ([{"status": "failed"}], "failed"),
    ],
)
def test_jobs_that_end_without_a_mesh_report_why(
    version: Version,
    fake: FakeTripo,
    session: Session,
    tmp_path: Path,
    states: list[dict[str, Any]],
    kind: str,
) -> None:
    fake.states = states
    view = end_of(session, session.start(job_for(version, fake, tmp_path)))
    assert view.failure is not None
    assert (view.failure.kind, view.state) == (kind, State.FAILED)


@BOTH
def test_an_unknown_status_is_polled_until_the_time_limit(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    fake.states = [{"status": "dreaming"}]
    view = end_of(session, session.start(job_for(version, fake, tmp_path, timeout=0.5)))
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


@BOTH
@pytest.mark.parametrize("collect", [True, False])
def test_a_cancelled_job_is_charged_and_collected_if_wanted(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path, collect: bool
) -> None:
    fake.states = FOREVER
    job = session.start(job_for(version, fake, tmp_path))
    _until(lambda: fake.calls(version.poll))
    session.cancel(job, collect=collect)
    assert end_of(session, job).state is State.CANCELLED
    fake.states = DONE
    end = State.READY if collect else State.CANCELLED
    _until(lambda: any("may still charge" in note for note in Library(tmp_path).load(job).notes))
    _until(lambda: Library(tmp_path).load(job).state is end)
    assert (tmp_path / job / "mesh.glb").exists() is collect
    assert len(fake.creates) == 1


@BOTH
def test_a_task_that_failed_by_itself_costs_nothing_when_cancelled(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path
) -> None:
    fake.states = FOREVER
    job = session.start(job_for(version, fake, tmp_path))
    _until(lambda: fake.calls(version.poll))
    fake.fault(version.poll, *[Fault(200, {"code": 0, "data": {"status": "failed"}})] * 3)
    session.cancel(job)
    end_of(session, job)
    session.close(2.0)
    notes = Library(tmp_path).load(job).notes
    assert [note for note in notes if "charge" in note] == []


# -- faults ----------------------------------------------------------------------------------

FAULTS = [
    Fault(drop=True),
    Fault(drop=True, done=True),
    Fault(500, {"code": 1000, "message": "oops"}),
    Fault(500, {"code": 1000, "message": "oops"}, done=True),
    Fault(502, HTML, done=True),
    Fault(503, ""),
    Fault(503, "busy"),
    Fault(429, {"code": 2000, "message": "slow"}, {"Retry-After": "0"}),
    Fault(200, HTML, done=True),
    Fault(200, {"code": 2010, "message": "no credits"}),
    Fault(404, ""),
    Fault(302, "", {"Location": "/v3/files"}),
]


@BOTH
@pytest.mark.parametrize("call", ["upload", "create", "poll", "GET .*glb"])
def test_under_every_fault_of_every_call_there_is_one_submit(
    version: Version,
    fake: FakeTripo,
    session: Session,
    tmp_path: Path,
    call: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    pattern = getattr(version, call, call)
    for fault in FAULTS:
        if call.startswith("GET") and fault.done:
            continue
        fake.tasks.clear()
        fake.faults.clear()
        fake.fault(pattern, fault)
        library = tmp_path / str(FAULTS.index(fault))
        end_of(session, session.start(job_for(version, fake, library)))
        assert len(fake.creates) <= 1, fault
        assert fake.faults == [], fault
    _assert_no_key(fake, tmp_path, caplog)


@BOTH
@pytest.mark.parametrize(
    "fault", [Fault(drop=True, done=True), Fault(500, "oops", done=True), Fault(200, HTML)]
)
def test_a_submit_whose_answer_is_lost_is_found_or_uncertain(
    version: Version, fake: FakeTripo, session: Session, tmp_path: Path, fault: Fault
) -> None:
    fake.fault(version.create, fault)
    view = end_of(session, session.start(job_for(version, fake, tmp_path)))
    if version is V3 and fault.done:  # it has a list, and there is the task
        assert (view.state, len(fake.creates)) == (State.READY, 1)
        return
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("uncertain", State.UNCERTAIN)
    assert len(fake.calls(version.create)) == 1


# -- the key ---------------------------------------------------------------------------------


def _assert_no_key(fake: FakeTripo, library: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert KEY not in caplog.text
    for path in library.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
    for seen in fake.requests:
        assert KEY not in seen.path
        assert KEY.encode() not in seen.body
        if seen.host == "files":
            assert not re.search(KEY, str(dict(seen.headers)))
            assert "authorization" not in seen.headers


@BOTH
@pytest.mark.parametrize("call", ["upload", "create", "poll", "GET .*glb"])
def test_a_redirect_never_gets_the_key(
    version: Version,
    fake: FakeTripo,
    session: Session,
    tmp_path: Path,
    call: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    away = {"Location": f"{fake.files_url}/stolen/model.glb"}
    fake.fault(getattr(version, call, call), Fault(307, "", away))
    view = end_of(session, session.start(job_for(version, fake, tmp_path)))
    assert KEY not in repr(view)
    assert [item.host for item in fake.calls("stolen")] == (["files"] if "glb" in call else [])
    _assert_no_key(fake, tmp_path, caplog)


@BOTH
def test_a_refused_key_is_reported_and_never_shown(
    version: Version,
    fake: FakeTripo,
    session: Session,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "tsk_wrong-key-7777777"
    view = end_of(session, session.start(job_for(version, fake, tmp_path, key=wrong)))
    assert view.failure is not None
    assert view.failure.kind == "bad_key"
    assert wrong not in repr(view) + caplog.text
    assert fake.creates == []
