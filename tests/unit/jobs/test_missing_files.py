# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that name missing files, and meshes that cannot be used: a message and a next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import aiml
from fakes.glb import triangle_glb
from fakes.running import Orders, end_of

from image_to_mesh.cli import entry
from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import JobSpec, JobView, Library, Record, Session, State, session
from image_to_mesh.jobs.library.file_names import CANCEL
from image_to_mesh.jobs.state_after_error import can_resume
from image_to_mesh.providers import BadMesh, Ticket, Uncertain, get_provider
from image_to_mesh.providers._shared.http.client import Http

LeaveJob = Callable[..., JobSpec]
UNSENT: dict[str, Any] = {"ticket": None, "submitted": None, "request_hash": None}


@pytest.fixture
def leave_job(orders: Orders) -> LeaveJob:
    """Make a job as an earlier process left it; return the order that resumes it."""

    def make(*gone: str, **changes: Any) -> JobSpec:
        orders.service.takes = 0.0
        view = orders.end(blender=None)
        orders.session.join(5.0)
        library = Library(orders.library)
        record = replace(library.load(view.job), **{"failure": None, **changes})
        for name in gone:
            (library.folder(view.job) / name).unlink()
        library.save(record)
        orders.service.submits.clear()
        return replace(orders.spec(blender=None), pictures=(), record=record)

    return make


def resume_job(running: Session, spec: JobSpec) -> tuple[JobView, Record]:
    """Resume a job and wait for its end; return its view and its record."""
    view = end_of(running, running.start(spec))
    running.join(5.0)
    assert spec.record is not None
    return view, Library(spec.library).load(spec.record.id)


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING, State.PREPARING, State.READY])
def test_a_missing_mesh_is_downloaded_again(
    leave_job: LeaveJob, orders: Orders, running: Session, state: State
) -> None:
    spec = leave_job("mesh.glb", state=state)
    view, record = resume_job(running, spec)
    assert view.failure is None
    assert record.state is State.READY
    assert (orders.library / record.id / "mesh.glb").read_bytes() == orders.service.mesh
    assert not orders.service.submits, "an order was sent"


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING, State.PREPARING])
def test_a_missing_mesh_that_came_with_the_answer_is_uncertain(
    running: Session, tmp_path: Path, png: bytes, state: State
) -> None:
    provider = get_provider("aiml_triposr")
    with aiml.serving(aiml.Aiml(shape="data_b64")) as fake:
        from fakes.aiml_cases import job_for, source

        spec = job_for(provider, fake, tmp_path, source(png), blender=None)
        job = end_of(running, running.start(spec)).job
        running.join(5.0)
        library = Library(tmp_path)
        library.save(replace(library.load(job), state=state))
        mesh = library.folder(job) / "mesh.glb"
        data = mesh.read_bytes()
        mesh.unlink()
        again = replace(spec, pictures=(), record=library.load(job))
        for _ in range(2):
            view, record = resume_job(running, again)
            assert record.state is State.UNCERTAIN
            assert view.failure is not None
            assert view.failure.kind == "uncertain"
            assert "mesh.glb" in view.failure.message
            assert exit_code_for(view.failure, record) == 6
        mesh.write_bytes(data)  # put back, it is taken
        assert resume_job(running, again)[1].state is State.READY
        assert len(fake.orders) == 1


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING, State.PREPARING])
def test_a_record_without_a_task_is_uncertain(
    leave_job: LeaveJob, running: Session, state: State
) -> None:
    spec = leave_job("mesh.glb", state=state, ticket=None, files=())
    view, record = resume_job(running, spec)
    assert record.state is State.UNCERTAIN
    assert view.failure is not None
    assert "has no task ID" in view.failure.message
    assert get_provider(record.provider).label in view.failure.hint, "the hint names the service"


@pytest.mark.parametrize("provider", ["tripo", "tripo_v2", "scenario", "meshy"])
@pytest.mark.parametrize("call", ["poll", "cancel"])
def test_a_ticket_that_names_no_task_is_uncertain(provider: str, call: str) -> None:
    http = Http("http://127.0.0.1:9", {})
    with pytest.raises(Uncertain, match="has no task ID"):
        getattr(get_provider(provider), call)(Ticket({"other": "id"}), http)


@pytest.mark.parametrize("name", ["front.png", "front-sent.png"])
def test_a_missing_image_is_named_and_the_job_waits(
    leave_job: LeaveJob, orders: Orders, running: Session, name: str
) -> None:
    spec = leave_job("mesh.glb", state=State.QUEUED, mesh=None, **UNSENT)
    assert spec.record is not None
    folder = orders.library / spec.record.id
    kept = (folder / "front.png").read_bytes()
    if name == "front.png":
        (folder / name).unlink()
    else:
        pictures = tuple(replace(picture, sent=name) for picture in spec.record.pictures)
        Library(orders.library).save(replace(spec.record, pictures=pictures))
    view, record = resume_job(running, spec)
    assert view.failure is not None
    assert (view.failure.kind, record.state) == ("library", State.QUEUED)
    assert f"image {name} is missing" in view.failure.message
    assert exit_code_for(view.failure, record) == 2
    assert not orders.service.submits, "an order was sent"
    (folder / name).write_bytes(kept)
    assert resume_job(running, spec)[1].state is State.READY
    assert len(orders.service.submits) == 1


@pytest.mark.parametrize("name", ["model.blend", "preview.png"])
def test_a_missing_model_or_preview_stops_nothing(
    leave_job: LeaveJob, orders: Orders, running: Session, name: str
) -> None:
    names = {"blend": "model.blend", "preview": "preview.png", "state": State.PREPARING}
    view, record = resume_job(running, leave_job(**names))
    assert view.failure is None
    assert record.state is State.READY
    assert name in record.names()
    assert not can_resume(record, orders.library / record.id)


def test_the_command_line_downloads_a_missing_mesh_again(
    leave_job: LeaveJob, orders: Orders, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(entry, "find_blender", lambda _: None)
    session.cache_clear()
    spec = leave_job("mesh.glb")
    assert spec.record is not None
    words = ["resume", spec.record.id, "--library", str(orders.library), "--quiet"]
    assert entry.main(words) == 0
    assert (orders.library / spec.record.id / "mesh.glb").read_bytes() == orders.service.mesh
    assert "mesh.glb" in capsys.readouterr().out


def test_an_old_stop_request_is_ignored(
    leave_job: LeaveJob, orders: Orders, running: Session
) -> None:
    spec = leave_job("mesh.glb", state=State.RUNNING)
    assert spec.record is not None
    (orders.library / spec.record.id / CANCEL).touch()
    view, record = resume_job(running, spec)
    assert (view.state, record.state) == (State.READY, State.READY)
    assert not (orders.library / record.id / CANCEL).exists()
    assert not orders.service.cancelled, "the service got a cancel"


def test_an_unreadable_file_is_reported_and_the_job_stays(
    leave_job: LeaveJob, running: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError(5, "Input/output error", "/somewhere/mesh.glb")

    spec = leave_job("mesh.glb", state=State.DOWNLOADING)
    monkeypatch.setattr("image_to_mesh.jobs.steps.download.MeshDownload.finish", broken)
    view, record = resume_job(running, spec)
    assert view.failure is not None
    assert (view.failure.kind, record.state) == ("library", State.DOWNLOADING)
    assert "mesh.glb" in view.failure.message
    assert "/somewhere" not in view.failure.message
    assert exit_code_for(view.failure, record) == 7


# -- a mesh that the background Blender refuses --------------------------------------------------


class Worker:
    """Stands in for the worker; refuses the chosen meshes."""

    refused: tuple[bytes, ...] = ()

    def __init__(self, command: tuple[str, ...], **_: Any) -> None:
        self.command = command

    def start(self) -> None:
        """Start nothing."""

    def ask(self, request: dict[str, Any], progress: Any, check: Any) -> dict[str, Any]:
        """Prepare a mesh, or refuse it."""
        if Path(request["mesh"]).read_bytes() in self.refused:
            raise BadMesh("The mesh file holds no faces.", "Download it again.")
        Path(request["output"]).write_bytes(b"blend")
        return {"faces": 1, "notes": []}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> type[Worker]:
    """Replace the worker by the stand-in."""
    from image_to_mesh.jobs import resources

    fresh = type("Fresh", (Worker,), {})
    monkeypatch.setattr(resources, "BackgroundBlender", fresh)
    return fresh


def test_a_refused_mesh_is_downloaded_once_more(
    orders: Orders, running: Session, worker: type[Worker]
) -> None:
    orders.service.takes, bad = 0.0, orders.service.mesh
    worker.refused = (bad,)
    view = orders.end()
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("bad_mesh", State.RUNNING)
    assert "download the mesh again" in view.failure.hint
    assert exit_code_for(view.failure, view.record) == 7
    orders.service.mesh = triangle_glb(9)
    spec = replace(orders.spec(), pictures=(), record=view.record)
    _, record = resume_job(running, spec)
    assert (record.state, record.blend) == (State.READY, "model.blend")
    assert (orders.library / record.id / "mesh.glb").read_bytes() == triangle_glb(9)
    assert not list((orders.library / record.id).glob("refused-*"))
    assert (len(orders.service.submits), orders.service.calls("GET", "/download/.*")) == (1, 2)


def test_a_mesh_refused_twice_ends_the_job_and_is_kept(
    orders: Orders, running: Session, worker: type[Worker]
) -> None:
    orders.service.takes = 0.0
    worker.refused = (orders.service.mesh,)
    first = orders.end()
    spec = replace(orders.spec(), pictures=(), record=first.record)
    view, record = resume_job(running, spec)
    assert view.failure is not None
    assert (view.failure.kind, record.state) == ("bad_mesh", State.FAILED)
    assert "has not changed" in view.failure.hint
    assert exit_code_for(view.failure, record) == 7
    folder = orders.library / record.id
    assert (folder / "mesh.glb").read_bytes() == orders.service.mesh
    assert can_resume(record, folder), "another version of the program may be able to read it"
    worker.refused = ()
    assert resume_job(running, replace(spec, record=record))[1].state is State.READY
    assert orders.service.calls("GET", "/download/.*") == 2


def test_a_refused_mesh_from_the_answer_is_not_downloaded_again(
    running: Session, tmp_path: Path, png: bytes, worker: type[Worker]
) -> None:
    from fakes.aiml_cases import job_for, source

    with aiml.serving(aiml.Aiml(shape="data_b64")) as fake:
        worker.refused = (fake.mesh,)
        spec = job_for(get_provider("aiml_triposr"), fake, tmp_path, source(png))
        view = end_of(running, running.start(spec))
        assert view.failure is not None
        assert (view.failure.kind, view.state) == ("bad_mesh", State.FAILED)
        assert "cannot be downloaded again" in view.failure.hint
        assert (tmp_path / view.job / "mesh.glb").read_bytes() == fake.mesh
