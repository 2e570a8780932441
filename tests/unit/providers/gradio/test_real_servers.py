# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at real Gradio servers, with apps of the shape of well-known ones."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.cut_line import line_to
from fakes.glb import triangle_glb
from fakes.gradio_apps import RealApp, interpreter, running_all, versions
from fakes.running import end_of, spec_for, wait_until
from fakes.stages import Spoil, gateway

from image_to_mesh.cli.entry import main
from image_to_mesh.jobs import JobView, Library, PictureSource, Session, State
from image_to_mesh.jobs.disk.transcript import JobTranscript
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import get_provider
from image_to_mesh.providers._gradio.streams import Call, find_event
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.server_settings import settings_of_record

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]
MESH = triangle_glb(5)
QUOTA, SILENT, SLOW = 13, 17, 60
"""Seeds that the apps act upon."""

Apps = dict[str, RealApp]


@pytest.fixture(scope="module", params=versions())
def version(request: pytest.FixtureRequest) -> str:
    """A version of Gradio, whose environment is set up."""
    interpreter(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def apps(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """Apps of all shapes, which run for all tests of this file."""
    folder = tmp_path_factory.mktemp("apps")
    with running_all(version, ("trellis", "trellis2", "hunyuan3d", "other"), folder, MESH) as all_:
        yield all_


@pytest.fixture(autouse=True)
def forget_calls(apps: Apps) -> None:
    """Let each test see its own calls only."""
    for app in apps.values():
        for path in (app.folder / "received").iterdir():
            path.unlink()


def spec(app: RealApp, library: Path, png: bytes, **values: Any) -> Any:
    """Return an order at an app, with values of the app's settings."""
    how = {name: values.pop(name) for name in ("pictures",) if name in values}
    settings = settings_of_record(get_provider("gradio"), values)
    return spec_for(library, png, "gradio", base_url=app.url, settings=settings, **how)


def resume(session: Session, order: Any, job: str) -> JobView:
    """Resume a job in the same process, and run it to its end."""
    record = Library(order.library).load(job)
    return end_of(session, session.start(replace(order, pictures=(), record=record)), limit=60.0)


def calls_of(app: RealApp) -> list[str]:
    """The names of the calls that an app's functions got."""
    return [call for call, _ in app.received]


def run(session: Session, *order: Any, **values: Any) -> JobView:
    """Run a job to its end."""
    return end_of(session, session.start(spec(*order, **values)), limit=60.0)


@pytest.mark.parametrize(
    ("shape", "calls"),
    [
        ("trellis", ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]),
        ("trellis2", ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]),
        ("hunyuan3d", ["generation_all"]),
        ("other", ["make_it"]),
    ],
)
def test_a_job_calls_what_the_app_needs(
    apps: Apps, running: Session, tmp_path: Path, png: bytes, shape: str, calls: list[str]
) -> None:
    served = apps[shape]
    view = run(running, served, tmp_path, png)
    assert view.state is State.READY, view.failure
    assert calls_of(served) == calls
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == MESH


def test_values_and_the_cut_out_arrive(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    values = {"seed": 7, "ss_sampling_steps": 5, "texture_size": 512}
    view = run(running, apps["trellis"], tmp_path, png, **values)
    assert view.state is State.READY, view.failure
    calls = dict(apps["trellis"].received)
    # The image in the third call is the one that the second has returned.
    expected = {"seed": 7, "ss_sampling_steps": 5, "mode": "RGBA"}
    assert expected.items() <= calls["image_to_3d"].items()
    assert calls["extract_glb"] == {"seed": 7, "texture_size": 512}
    record = Library(tmp_path).load(view.job)
    assert record.facts["app"] == "TRELLIS"
    assert any("MIT" in note for note in record.notes)


def test_the_seed_counts_and_side_views_are_used(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    pictures = tuple(PictureSource("cup", view, lambda: png) for view in ("front", "left"))
    view = run(running, apps["hunyuan3d"], tmp_path, png, seed=99, pictures=pictures)
    assert view.state is State.READY, view.failure
    got = apps["hunyuan3d"].received[0][1]
    assert (got["seed"], got["randomize_seed"], got["left"]) == (99, False, True)
    plain = run(running, apps["hunyuan3d"], tmp_path, png, texture=False)
    assert plain.state is State.READY, plain.failure
    assert calls_of(apps["hunyuan3d"])[1] == "shape_generation"


def test_trellis_uses_several_images(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    views = ("front", "left", "back", "right")
    pictures = tuple(PictureSource("cup", view, lambda: png) for view in views)
    view = run(running, apps["trellis"], tmp_path, png, pictures=pictures)
    assert view.state is State.READY, view.failure
    assert calls_of(apps["trellis"]).count("preprocess_image") == 4
    got = dict(apps["trellis"].received)["image_to_3d"]
    assert (got["is_multiimage"], got["count"]) == (True, 4)
    # The next order has a session of its own, in which the tab was not chosen.
    assert run(running, apps["trellis"], tmp_path, png).state is State.READY
    got = dict(apps["trellis"].received)["image_to_3d"]
    assert (got["is_multiimage"], got["count"]) == (False, 0)


@pytest.mark.parametrize(
    ("seed", "message", "hint"),
    [(QUOTA, "exceeded your GPU quota", "Hugging Face token"), (SILENT, "not say why", "window")],
)
def test_a_failure_says_what_the_app_says(
    apps: Apps, running: Session, tmp_path: Path, png: bytes, seed: int, message: str, hint: str
) -> None:
    view = run(running, apps["trellis"], tmp_path, png, seed=seed)
    assert view.state is State.FAILED
    assert view.failure
    assert message in view.failure.message
    assert "<" not in view.failure.message
    assert hint in view.failure.hint
    assert "extract_glb" not in calls_of(apps["trellis"])


def test_two_orders_at_once_get_their_own_meshes(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    jobs = [
        running.start(spec(apps["trellis"], tmp_path, png, seed=seed, texture_size=size))
        for seed, size in ((1, 512), (2, 2048))
    ]
    wait_until(lambda: all(view.state.over for view in running.views()), 60.0)
    assert [Library(tmp_path).load(job).state for job in jobs] == [State.READY] * 2
    made = [values for call, values in apps["trellis"].received if call == "extract_glb"]
    expected = [{"seed": 1, "texture_size": 512}, {"seed": 2, "texture_size": 2048}]
    assert sorted(made, key=lambda values: values["seed"]) == expected


def test_a_job_that_was_put_aside_keeps_its_stream(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    order = spec(apps["trellis"], tmp_path, png, seed=SLOW)
    view = end_of(running, running.start(replace(order, timeout=3.0)), limit=60.0)
    assert view.failure
    assert (view.state, view.failure.kind) == (State.RUNNING, "timed_out")
    view = resume(running, order, view.job)
    assert view.state is State.READY, view.failure
    assert calls_of(apps["trellis"]).count("image_to_3d") == 1


def test_a_cancelled_order_leaves_the_queue(
    apps: Apps, running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, replies = Http.post, []

    def listen(self: Http, path: str, **how: Any) -> Any:
        reply = post(self, path, **how)
        replies.append((path.rpartition("/")[2], reply.status, reply.json))
        return reply

    monkeypatch.setattr(Http, "post", listen)
    job = running.start(spec(apps["trellis"], tmp_path, png, seed=SLOW))
    wait_until(lambda: "image_to_3d" in calls_of(apps["trellis"]))
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(20.0)
    assert replies[-1] == ("cancel", 200, {"success": True})
    notes = Library(tmp_path).load(job).notes
    assert not any("may still charge" in note for note in notes)
    # A running function goes on to its end: the next order comes after it.
    view = run(running, apps["trellis"], tmp_path, png)
    assert view.state is State.READY, view.failure
    assert calls_of(apps["trellis"]).count("extract_glb") == 1


def test_a_stream_that_is_cut_leaves_an_honest_job(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    app = apps["trellis"]
    with line_to(app.url) as line:
        order = replace(spec(app, tmp_path, png, seed=SLOW), base_url=line.url)
        job = running.start(order)
        wait_until(lambda: "image_to_3d" in calls_of(app))
        time.sleep(1.0)
        line.cut()
        view = end_of(running, job, limit=60.0)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.UNCERTAIN, "uncertain")
        assert "only once" in view.failure.message
        assert resume(running, order, job).state is State.UNCERTAIN
        assert calls_of(app).count("image_to_3d") == 1
        view = resume(running, replace(order, again=True), job)
    assert view.state is State.READY, view.failure
    assert calls_of(app).count("image_to_3d") == 2


def test_calls_whose_answers_are_lost_are_found_and_not_sent_again(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    app = apps["trellis"]
    with gateway(app.url, "/queue/join") as lossy:
        lossy.spoils = [Spoil(stage="before")] * 4
        order = replace(spec(app, tmp_path, png), base_url=lossy.url)
        view = end_of(running, running.start(order), limit=60.0)
    assert view.state is State.READY, view.failure
    assert not lossy.spoils
    assert calls_of(app) == ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]


def test_orders_that_did_not_arrive_differ_from_lost_ones(
    apps: Apps, running: Session, tmp_path: Path, png: bytes
) -> None:
    app = apps["other"]
    prefix = _json(f"{app.url}/config").get("api_prefix") or ""
    http = open_http(get_provider("gradio"), {}, app.url, online=True)
    http.transcript = JobTranscript(tmp_path)
    call = Call(prefix, "never", 0)
    for _ in range(2):  # the search changes nothing
        assert find_event(call, http) == ""
    event = queue_call(app, "never", 5)
    assert find_event(call, http) == event
    http.transcript.stop()
    http.close()


def test_a_full_queue_is_reported_and_waits_for_the_user(
    version: str, running: Session, tmp_path: Path, png: bytes
) -> None:
    with running_all(version, ["other"], tmp_path, MESH, queue=1) as apps:
        app = apps["other"]
        fill_queue(app)
        order = spec(app, tmp_path / "library", png)
        view = end_of(running, running.start(order), limit=30.0)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.QUEUED, "rate_limited")
        assert "Queue is full" in view.failure.message
        wait_until(lambda: calls_of(app).count("make_it") == 2, 30.0)
        time.sleep(0.5)
        view = resume(running, order, view.job)
        assert view.state is State.READY, view.failure


def fill_queue(app: RealApp) -> None:
    """Order twice as somebody else: one order runs, the other waits."""
    for session in ("one", "two"):
        queue_call(app, session, SLOW)
        if session == "one":
            wait_until(lambda: "make_it" in calls_of(app))


def queue_call(app: RealApp, session: str, detail: int) -> str:
    """Order at the app that nobody knows, and return the id."""
    config = _json(f"{app.url}/config")
    number = next(row["id"] for row in config["dependencies"] if row["api_name"] == "make_it")
    body = {"data": [None, detail, "r", True, ""], "fn_index": number, "session_hash": session}
    body |= {"event_data": None, "trigger_id": None}
    return str(_json(f"{app.url}{config.get('api_prefix') or ''}/queue/join", body)["event_id"])


def _json(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_a_restarted_app_leaves_an_honest_job(
    version: str, running: Session, tmp_path: Path, png: bytes
) -> None:
    with running_all(version, ["trellis"], tmp_path, MESH) as apps:
        app = apps["trellis"]
        order = spec(app, tmp_path / "library", png, seed=SLOW)
        job = running.start(order)
        wait_until(lambda: "image_to_3d" in calls_of(app))
        app.stop()
        view = end_of(running, job, limit=60.0)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.UNCERTAIN, "uncertain")
        assert "only once" in view.failure.message
        app.start()
        assert resume(running, order, job).state is State.UNCERTAIN
        assert calls_of(app).count("image_to_3d") == 1
        view = resume(running, replace(order, again=True), job)
        assert calls_of(app).count("image_to_3d") == 2
        assert view.state is State.READY, view.failure


# -- the command line ----------------------------------------------------------------------------


def test_the_command_line_knows_the_settings_of_an_app(
    apps: Apps, tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    url = apps["trellis2"].url
    assert main(["providers", "--provider", "gradio", "--address", url, "--json"]) == 0
    shown = capsys.readouterr().out
    assert "decimation_target" in shown
    assert "Decimation Target" in shown
    (tmp_path / "cup.png").write_bytes(png)
    command = [
        "generate",
        str(tmp_path / "cup.png"),
        "--provider",
        "gradio",
        "--address",
        url,
        "--json",
        "--quiet",
        "--set",
        "resolution=512",
        "--set",
        "decimation_target=200000",
    ]
    assert main(command) == 0  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["credits"], answer["format"]) == ("ready", 0.0, "glb")
    calls = dict(apps["trellis2"].received)
    assert calls["image_to_3d"]["resolution"] == "512"
    assert calls["extract_glb"]["decimation_target"] == 200_000


@pytest.mark.parametrize("value", ["resolution=640", "texture_size=1500", "texture_sizes=1024"])
def test_what_an_app_would_refuse_is_not_sent(
    apps: Apps, tmp_path: Path, png: bytes, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cup.png").write_bytes(png)
    command = ["generate", str(tmp_path / "cup.png"), "--provider", "gradio"]
    command += ["--address", apps["trellis2"].url, "--set", value]
    assert main(command) == 2
    assert value.partition("=")[0] in capsys.readouterr().err
    assert not apps["trellis2"].received
