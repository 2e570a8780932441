# SPDX-License-Identifier: GPL-3.0-or-later
"""fal: whole jobs, ordered once under every fault, and a key that nobody else ever sees."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.fal import DONE, KEY, PAGE, Fal, serving
from fakes.fal_calls import MODELS, end_of, job_for, required_values, settings_of, views_for
from fakes.fal_models import file
from fakes.scenario_state import FBX, Fault

from image_to_mesh.cli import main
from image_to_mesh.jobs import JobView, Library, Session, State, runner
from image_to_mesh.providers import Secret
from image_to_mesh.providers._shared.http import client

OBJ = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between polls and attempts."""
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.02)


def end_with(running: Session, fake: Fal, library: Path, **how: Any) -> JobView:
    """Run a job to its end."""
    return end_of(running, running.start(job_for(fake, library, **how)))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_from_picture_to_mesh(
    running: Session, fake: Fal, tmp_path: Path, model: str
) -> None:
    settings = settings_of(None, {"model": model, **required_values(model)})
    view = end_with(running, fake, tmp_path, settings=settings, views=views_for(model))
    record = Library(tmp_path).load(view.job)
    assert (record.state, record.format) == (State.READY, "glb")
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == fake.mesh
    assert record.facts["model"] == model
    assert len(fake.orders) == 1


@pytest.mark.parametrize("model", MODELS)
def test_every_model_from_the_command_line(
    fake: Fal, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], model: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("FAL_KEY", KEY)
    monkeypatch.setenv("FAL_BASE_URL", fake.url)
    monkeypatch.setenv("BLENDER", " ".join(WORKER))
    image = tmp_path / "cup.png"
    from fakes.png import png_of

    image.write_bytes(png_of(160, 140))
    views = [part for view in views_for(model)[1:] for part in ("--view", f"{view}={image}")]
    given = {"model": model, **required_values(model)}
    values = [part for name, value in given.items() for part in ("--set", f"{name}={value}")]
    library = tmp_path / "library"
    code = main(["generate", str(image), "--provider", "fal", "--library", str(library), "--json",
                 "--output", str(tmp_path / "mesh.glb"), *views, *values])  # fmt: skip
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (code, told["state"], told["format"]) == (0, "ready", "glb"), told
    assert (tmp_path / "mesh.glb").read_bytes() == fake.mesh


@pytest.mark.parametrize(
    ("data", "name", "format_"),
    [(OBJ, "model.glb", "obj"), (FBX, "model.glb", "fbx"), (None, "model.obj", "glb")],
)
def test_a_name_that_lies_does_not_decide(
    running: Session, fake: Fal, tmp_path: Path, data: bytes | None, name: str, format_: str
) -> None:
    fake.mesh = data or fake.mesh
    fake.output = {"model_glb": file(fake.media, name)}
    view = end_with(running, fake, tmp_path, blender=None)
    assert Library(tmp_path).load(view.job).format == format_
    assert (tmp_path / view.job / f"mesh.{format_}").read_bytes() == fake.mesh


def test_a_cancel_reaches_fal(running: Session, fake: Fal, tmp_path: Path) -> None:
    fake.script = ("IN_QUEUE",)
    job = running.start(job_for(fake, tmp_path))
    while running.views()[0].state is not State.RUNNING:
        time.sleep(0.01)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(2.0)
    assert fake.cancelled == list(fake.orders)


def test_a_failed_job_keeps_the_words_of_the_model(
    running: Session, fake: Fal, tmp_path: Path
) -> None:
    fake.script, fake.error, fake.error_type = (DONE,), "No runner", "runner_scheduling_failure"
    failure = end_with(running, fake, tmp_path).failure
    assert failure is not None
    assert failure.kind == "failed"
    assert "No runner" in failure.message
    assert "does not charge" in failure.hint


# -- one order under every fault

ORDER = "/fal-ai/trellis-2"
CALLS = [
    ("POST", "/storage/upload/initiate"),
    ("PUT", "/upload/.*"),
    ("POST", ORDER),
    ("GET", ".*/status"),
    ("GET", f"{ORDER}/requests/[^/]*"),
    ("GET", "/files/.*"),
]
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("500", {"status": 500, "body": {"detail": "Internal"}}),
    ("502", {"status": 502, "body": PAGE}),
    ("503", {"status": 503, "body": ""}),
    ("504", {"status": 504, "body": {"detail": "late", "error_type": "request_timeout"}}),
    ("429", {"status": 429, "body": {"detail": "Too Many"}}),
    ("400", {"status": 400, "body": {"detail": "Bad"}}),
    ("403", {"status": 403, "body": {"detail": "User is locked. Reason: Exhausted balance."}}),
    ("404", {"status": 404, "body": {"detail": "Gone"}}),
    ("page", {"status": 200, "body": "<html>Sign in</html>"}),
    ("nothing", {"status": 200, "body": {}}),
    ("before", {"drop": "before"}),
    ("after", {"drop": "after"}),
]
UNCERTAIN = {"500", "502", "503", "504", "page", "nothing", "before"}


@pytest.mark.parametrize(("method", "path"), CALLS, ids=lambda item: str(item))
def test_one_order_under_every_fault_of_every_call(
    running: Session, tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for name, fault in FAULTS:
        with serving() as fake:
            fake.script = (DONE,) if path == ORDER else fake.script  # then it is listed
            fake.faults.append(Fault(method, path, **{"times": 2, **fault}))
            library = tmp_path / name
            view = end_with(running, fake, library, blender=None)
            assert fake.faults[0].times < 2, (name, "the call was never made")
            assert len(fake.orders) <= 1, name
            if path == ORDER:
                _judge_the_order(name, view, fake)
            _no_key_in(view, library, caplog, fake)


def test_a_lost_order_that_runs_is_found_by_resuming_the_job(
    running: Session, fake: Fal, tmp_path: Path
) -> None:
    fake.faults.append(Fault("POST", ORDER, drop="after"))
    view = end_with(running, fake, tmp_path)
    assert view.state is State.UNCERTAIN
    fake.script = (DONE,)
    record = Library(tmp_path).load(view.job)
    spec = replace(job_for(fake, tmp_path), pictures=(), record=record)
    assert end_of(running, running.start(spec)).state is State.READY
    assert len(fake.calls("POST", ORDER)) == 1


def _judge_the_order(name: str, view: JobView, fake: Fal) -> None:
    if name == "429":
        assert (view.state, len(fake.orders)) == (State.READY, 1), name
    elif name == "after":  # it was taken, so it is in the list
        assert (view.state, len(fake.orders)) == (State.READY, 1)
        assert len(fake.calls("POST", ORDER)) == 1
    else:
        assert len(fake.calls("POST", ORDER)) == 1, name
        assert (view.state is State.UNCERTAIN) == (name in UNCERTAIN), (name, view)


def _no_key_in(view: JobView, library: Path, caplog: pytest.LogCaptureFixture, fake: Fal) -> None:
    written = [path.read_bytes() for path in library.rglob("*") if path.is_file()]
    shown = [repr(view), repr(view.failure), caplog.text, *map(str, caplog.records)]
    elsewhere = [repr(request) for request in fake.requests if request.host != "api"]
    everything = b"\0".join([*written, *(text.encode() for text in [*shown, *elsewhere])])
    assert KEY.encode() not in everything
    for request in fake.requests:
        assert KEY not in request.path + str(request.query) + repr(request.body)


@pytest.mark.parametrize("path", ["/storage/.*", ORDER, ".*/status", f"{ORDER}/requests/[^/]*"])
def test_a_redirect_is_not_followed_with_the_key(
    running: Session, fake: Fal, tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.DEBUG)
    away = {"Location": f"{fake.media}/files/elsewhere.glb"}
    method = "POST" if path in ("/storage/.*", ORDER) else "GET"
    fake.faults.append(Fault(method, path, 307, "", away, times=99))
    view = end_with(running, fake, tmp_path, blender=None)
    assert not [item for item in fake.requests if "elsewhere" in item.path]
    assert len(fake.orders) <= 1
    _no_key_in(view, tmp_path, caplog, fake)


def test_a_refused_key_is_reported_and_not_shown(
    running: Session, fake: Fal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = {"fal_api_key": Secret("WrongKey99Okapi:Secret")}
    view = end_with(running, fake, tmp_path, keys=wrong)
    assert view.failure is not None
    assert view.failure.kind == "bad_key"
    assert "WrongKey99Okapi" not in caplog.text + repr(view.failure)
    assert not fake.orders
