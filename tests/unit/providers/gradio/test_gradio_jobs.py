# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at a Gradio app, and what interrupts them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import gradio
from fakes.glb import triangle_glb
from fakes.gradio import Gradio
from fakes.gradio_shapes import INSTANTMESH, OTHER, TRELLIS, TRELLIS_WITH_TABS, TRIPOSR, hunyuan3d
from fakes.running import end_of, spec_for, wait_until

from image_to_mesh.jobs import JobSpec, JobView, Library, PictureSource, Session, State
from image_to_mesh.providers import get_provider
from image_to_mesh.providers._shared.server_settings import settings_of_record

Run = Callable[..., JobView]
CALLS = ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll without long pauses."""
    monkeypatch.setattr("image_to_mesh.jobs.runner.next_pause", lambda *_: 0.01)


def order_at(app: Gradio, library: Path, png: bytes, **how: Any) -> JobSpec:
    """Return an order at an app, with values of its settings."""
    own = {name: how.pop(name) for name in ("pictures", "timeout") if name in how}
    settings = settings_of_record(get_provider("gradio"), how)
    return spec_for(library, png, "gradio", base_url=app.url, settings=settings, **own)


@pytest.fixture
def run(running: Session, tmp_path: Path, png: bytes) -> Run:
    """Return a function that runs a job at an app to its end, or resumes one."""

    def start(app: Gradio, job: str = "", *, again: bool = False, **how: Any) -> JobView:
        order = order_at(app, tmp_path, png, **how)
        if job:
            record = Library(tmp_path).load(job)
            order = replace(order, pictures=(), record=record, again=again)
        return end_of(running, running.start(order))

    return start


@pytest.mark.parametrize("prefix", ["", "/gradio_api"])
@pytest.mark.parametrize(
    ("functions", "calls"),
    [
        (TRELLIS, CALLS),
        (TRELLIS_WITH_TABS, CALLS),
        (TRIPOSR, ["check_input_image", "preprocess", "generate"]),
        (INSTANTMESH, ["check_input_image", "preprocess", "generate_mvs", "make3d"]),
        (hunyuan3d(), ["generation_all"]),
        (hunyuan3d(caption=False), ["generation_all"]),
        (OTHER, ["make_it"]),
        ((*OTHER, TRELLIS[0]), ["start_session", "make_it"]),
    ],
)
def test_a_job_runs_from_image_to_mesh(
    run: Run, tmp_path: Path, functions: Any, calls: list[str], prefix: str
) -> None:
    with gradio.serving(Gradio(functions, prefix)) as app:
        view = run(app)
    assert view.state is State.READY, view.failure
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == app.mesh
    assert app.worked_names == calls
    assert not list((tmp_path / view.job).glob("answer.*"))


def test_each_call_gets_its_values(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, seed=5, texture_size=2048)
    assert view.state is State.READY, view.failure
    values = dict(app.worked)
    assert values["image_to_3d"]["seed"] == 5
    assert values["image_to_3d"]["multiimages"] == []
    assert values["extract_glb"] == {"mesh_simplify": 0.95, "texture_size": 2048}
    # The cut-out that the second call has returned, and not the upload.
    assert app.files[values["image_to_3d"]["image"]["path"]] == b"cut out"


def test_a_purpose_is_sent_without_asking_for_settings(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, purpose="draft")
    assert view.state is State.READY, view.failure
    assert dict(app.worked)["extract_glb"] == {"mesh_simplify": 0.98, "texture_size": 512}


def test_the_seed_of_hunyuan3d_counts_and_side_views_are_sent(run: Run, png: bytes) -> None:
    pictures = tuple(PictureSource("cup", view, lambda: png) for view in ("front", "back"))
    with gradio.serving(Gradio(hunyuan3d())) as app:
        view = run(app, pictures=pictures, seed=3)
        assert view.state is State.READY, view.failure
        values = dict(app.worked)["generation_all"]
        assert (values["randomize_seed"], values["seed"], values["caption"]) == (False, 3, "")
        assert values["mv_image_back"]
        assert values["mv_image_left"] is None
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, pictures=pictures)
    assert view.failure
    assert (view.state, view.failure.kind) == (State.FAILED, "invalid_settings")
    assert app.joins == 0


def test_trellis_takes_several_images_once_its_tab_is_chosen(run: Run, png: bytes) -> None:
    pictures = tuple(PictureSource("cup", view, lambda: png) for view in ("front", "left", "back"))
    with gradio.serving(Gradio(TRELLIS_WITH_TABS)) as app:
        view = run(app, pictures=pictures)
        assert view.state is State.READY, view.failure
        assert app.worked_names == [
            *("start_session", "lambda_1"),
            *["preprocess_image"] * 3,
            *("image_to_3d", "extract_glb"),
        ]
        (session,) = app.sessions.values()
        assert session["several"]
        values = dict(app.worked)["image_to_3d"]
        paths = [row["image"]["path"] for row in values["multiimages"]]
        assert len(set(paths)) == 3
        assert values["image"]["path"] == paths[0]
        # Each is the cut-out that its own call has returned, and not the upload.
        assert [app.files[path] for path in paths] == [b"cut out"] * 3
        app.worked.clear()
        assert run(app).state is State.READY
    assert app.worked_names == CALLS
    assert dict(app.worked)["image_to_3d"]["multiimages"] == []


def test_a_function_that_only_has_the_name_chooses_no_tab(run: Run, png: bytes) -> None:
    pictures = tuple(PictureSource("cup", view, lambda: png) for view in ("front", "left"))
    lambdas = [item._replace(outputs=("button", "row")) for item in TRELLIS_WITH_TABS[-2:]]
    with gradio.serving(Gradio((*TRELLIS, *lambdas))) as app:
        view = run(app, pictures=pictures)
        assert view.failure
        assert view.failure.kind == "invalid_settings"
        assert run(app).state is State.READY
    assert app.worked_names == CALLS


def test_a_setting_that_the_app_lacks_is_not_sent(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, mc_resolution=256)
    assert view.failure
    assert "mc_resolution" in view.failure.message
    assert app.joins == 0


# -- failures --------------------------------------------------------------------------------------


def test_a_quota_ends_the_job_in_the_apps_own_words(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, seed=13)
    assert view.failure
    assert view.state is State.FAILED
    assert "60s requested vs. 12s left). Sign up to get more. Try again in 0:41:12" in (
        view.failure.message
    )
    assert app.worked_names == CALLS[:3]


def test_a_value_that_the_app_refuses_is_reported(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        view = run(app, texture_size=9999)
    assert view.failure
    assert view.state is State.FAILED
    assert "9999 is not in the range" in view.failure.message


def test_an_answer_without_a_mesh_is_reported(run: Run) -> None:
    with gradio.serving(Gradio(OTHER)) as app:
        view = run(app, api_name="describe")
    assert view.failure
    assert view.state is State.FAILED
    assert "finished without a mesh" in view.failure.message


def test_a_full_queue_orders_nothing_and_the_job_can_go_on(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS, refused=1)) as app:
        view = run(app)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.QUEUED, "rate_limited")
        assert "Max size is 3" in view.failure.message
        view = run(app, view.job)
    assert view.state is State.READY, view.failure
    assert app.worked_names == CALLS


def test_a_later_call_waits_for_a_full_queue(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        app.functions = (_refuse_after(app, TRELLIS[0]), *TRELLIS[1:])
        view = run(app)
    assert view.state is State.READY, view.failure
    assert app.worked_names == CALLS
    assert app.joins == len(CALLS) + 3


def _refuse_after(app: Gradio, function: gradio.Function) -> gradio.Function:
    """Return a function after which three orders find the queue full."""

    def work(served: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        app.refused = 3
        return function.work(served, session, values)

    return function._replace(work=work)


@pytest.mark.parametrize(("call", "count"), [("start_session", 0), ("image_to_3d", 3)])
def test_a_result_that_was_lost_is_not_ordered_again(run: Run, call: str, count: int) -> None:
    with gradio.serving(Gradio(TRELLIS, cuts={call: count})) as app:
        view = run(app)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.UNCERTAIN, "uncertain")
        assert "only once" in view.failure.message
        joins = app.joins
        assert run(app, view.job).state is State.UNCERTAIN
        assert app.joins == joins
        view = run(app, view.job, again=True)
    assert view.state is State.READY, view.failure
    assert app.worked_names[-4:] == CALLS


def test_a_gateway_in_place_of_a_stream_loses_nothing(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        app.faults = {"/queue/data": [502, 503]}
        view = run(app)
    assert view.state is State.READY, view.failure
    assert app.worked_names == CALLS


def test_an_app_that_was_restarted_before_its_stream_says_so(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        join = app.join

        def forget(body: dict[str, Any]) -> tuple[int, Any]:
            answer = join(body)
            app.restart()
            return answer

        app.join = forget  # type: ignore[method-assign]
        view = run(app)
    assert view.failure
    assert (view.state, view.failure.kind) == (State.FAILED, "expired")
    assert "restarted" in view.failure.message


def test_an_app_that_was_restarted_between_two_calls_fails(run: Run) -> None:
    def work(served: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        served.sessions.clear()
        return [None, None]

    functions = (*TRELLIS[:2], TRELLIS[2]._replace(work=work), TRELLIS[3])
    with gradio.serving(Gradio(functions)) as app:
        view = run(app)
    assert view.state is State.FAILED
    assert app.worked_names == CALLS


def test_a_job_goes_on_where_another_process_stopped(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        app.mesh = b"not yet a mesh"
        view = run(app)
        assert view.state is State.DOWNLOADING
        app.mesh = triangle_glb()
        app.files = {path: app.mesh if path.endswith(".glb") else data
                     for path, data in app.files.items()}  # fmt: skip
        monkeypatch.setattr("image_to_mesh.jobs.disk.transcript._readers", {})
        view = run(app, view.job)
    assert view.state is State.READY, view.failure
    assert app.joins == len(CALLS)
    kept = [path.name.split("-")[0] for path in (tmp_path / view.job).glob(".*.json")]
    assert sorted(kept) == [".call"] * 3 + [".stream"] * 4


def test_a_job_of_another_address_is_not_asked_about_here(run: Run, tmp_path: Path) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        app.mesh = b"no mesh"
        view = run(app)
        address = app.url
    with gradio.serving(Gradio(TRELLIS)) as other:
        other.held = threading.Event()
        path = tmp_path / view.job / "job.json"
        record = json.loads(path.read_text())
        assert record["ticket"]["server"] == address
        view = run(other, view.job)
    assert view.failure
    assert view.state is not State.READY
    assert other.joins == 0


# -- cancel and two at once ------------------------------------------------------------------------


def test_a_cancel_leaves_the_queue(running: Session, tmp_path: Path, png: bytes) -> None:
    with gradio.serving(Gradio(TRELLIS, held=threading.Event())) as app:
        job = running.start(order_at(app, tmp_path, png))
        wait_until(lambda: any(path.endswith("/queue/data") for _, path in app.calls))
        running.cancel(job)
        assert end_of(running, job).state is State.CANCELLED
        running.join(5.0)
    ticket = Library(tmp_path).load(job).ticket
    assert ticket
    assert app.canceled == [ticket["event"]]
    assert not app.worked
    assert not any("charge" in note for note in Library(tmp_path).load(job).notes)


def test_a_cancel_names_the_current_call(running: Session, tmp_path: Path, png: bytes) -> None:
    app = Gradio()
    app.functions = (_hold_after(app, TRELLIS[0]), *TRELLIS[1:])
    with gradio.serving(app):
        job = running.start(order_at(app, tmp_path, png))
        wait_until(lambda: sum(path.endswith("/queue/data") for _, path in app.calls) == 2)
        running.cancel(job)
        assert end_of(running, job).state is State.CANCELLED
        running.join(5.0)
    ticket = Library(tmp_path).load(job).ticket
    assert ticket
    assert app.worked_names == ["start_session"]
    assert len(app.canceled) == 1
    assert app.canceled != [ticket["event"]]


def _hold_after(app: Gradio, function: gradio.Function) -> gradio.Function:
    def work(served: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        app.held = threading.Event()
        return function.work(served, session, values)

    return function._replace(work=work)


def test_two_orders_at_once_have_sessions_of_their_own(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        jobs = [running.start(order_at(app, tmp_path, png, seed=seed)) for seed in (1, 2)]
        wait_until(lambda: all(view.state.over for view in running.views()))
    records = [Library(tmp_path).load(job) for job in jobs]
    assert [record.state for record in records] == [State.READY] * 2
    sessions = {record.ticket["session"] for record in records if record.ticket}
    assert len(sessions) == 2
