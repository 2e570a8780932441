# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders whose answer was lost: found at the app by their session, and never sent again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import gradio
from fakes.gradio import DROPPED, Gradio
from fakes.gradio_shapes import TRELLIS
from fakes.running import end_of, spec_for, wait_until

from image_to_mesh.jobs import JobView, Library, Session, State
from image_to_mesh.jobs.disk import transcript
from image_to_mesh.jobs.steps.reconcile import Reconciler
from image_to_mesh.providers import LibraryProblem
from image_to_mesh.providers._gradio import streams

Run = Callable[..., JobView]
CALLS = ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll without long pauses, and do not search for long."""
    monkeypatch.setattr("image_to_mesh.jobs.runner.next_pause", lambda *_: 0.01)
    monkeypatch.setattr(streams, "SEARCH_LIMIT", 1.0)


@pytest.fixture
def run(running: Session, tmp_path: Path, png: bytes) -> Run:
    """Return a function that runs a job at an app to its end, or resumes one."""

    def start(app: Gradio, job: str = "", *, again: bool = False) -> JobView:
        order = spec_for(tmp_path, png, "gradio", base_url=app.url)
        if job:
            record = Library(tmp_path).load(job)
            order = replace(order, pictures=(), record=record, again=again)
        return end_of(running, running.start(order))

    return start


def faults_after(call: int, *faults: int) -> Gradio:
    """Return an app that answers one of the calls of TRELLIS, and those after it, with faults."""
    app = Gradio()
    if call == 0:
        app.functions, app.faults = TRELLIS, {"/queue/join": list(faults)}
        return app
    before = TRELLIS[call - 1]

    def work(served: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        served.faults["/queue/join"] = list(faults)
        return before.work(served, session, values)

    functions = list(TRELLIS)
    functions[call - 1] = before._replace(work=work)
    app.functions = tuple(functions)
    return app


@pytest.mark.parametrize("call", range(len(CALLS)))
def test_a_call_that_was_queued_is_found_and_not_sent_again(
    run: Run, tmp_path: Path, call: int
) -> None:
    with gradio.serving(faults_after(call, DROPPED)) as app:
        view = run(app)
    assert view.state is State.READY, view.failure
    assert (app.joins, app.worked_names) == (len(CALLS), CALLS)
    record = Library(tmp_path).load(view.job)
    assert record.ticket
    assert record.ticket["event"]
    assert any("was found at the service" in note for note in record.notes) is (call == 0)


@pytest.mark.parametrize("call", [0, 1])
def test_a_call_that_did_not_arrive_stays_uncertain(run: Run, call: int) -> None:
    with gradio.serving(faults_after(call, 502, 502)) as app:
        view = run(app)
        assert view.failure
        assert (view.state, view.failure.kind) == (State.UNCERTAIN, "uncertain")
        assert run(app, view.job).state is State.UNCERTAIN
        assert app.joins == call + 1
        # It is up to the user to order again; the fault is still there for the next order.
        assert run(app, view.job, again=True).state is State.UNCERTAIN
        app.functions, app.faults = TRELLIS, {}
        view = run(app, view.job, again=True)
    assert view.state is State.READY, view.failure
    assert app.worked_names[-4:] == CALLS


def test_an_order_that_arrives_late_is_found_when_the_job_is_resumed(run: Run) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        join, bodies = app.join, []

        def hold_back(body: dict[str, Any]) -> tuple[int, Any]:
            bodies.append(body)
            return 504, "A gateway did not want to wait."

        app.join = hold_back  # type: ignore[method-assign]
        view = run(app)
        assert view.state is State.UNCERTAIN
        app.join = join  # type: ignore[method-assign]
        join(*bodies)
        view = run(app, view.job)
    assert view.state is State.READY, view.failure
    assert app.worked_names == CALLS


@pytest.mark.parametrize("call", [0, 1])
def test_a_call_with_an_odd_answer_is_found_too(run: Run, call: int) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        join = app.join

        def answer(body: dict[str, Any]) -> tuple[int, Any]:
            status, good = join(body)
            return status, {"queued": True} if app.joins == call + 1 else good

        app.join = answer  # type: ignore[method-assign]
        view = run(app)
    assert view.state is State.READY, view.failure
    assert app.joins == len(CALLS)


def test_a_later_call_is_searched_again_once_the_app_answers(run: Run) -> None:
    with gradio.serving(faults_after(1, DROPPED)) as app:
        app.faults["/queue/data"] = [0]
        app.functions = (_then(app, app.functions[0], "/queue/data", 502, 503), *TRELLIS[1:])
        view = run(app)
    assert view.state is State.READY, view.failure
    assert (app.joins, app.worked_names) == (len(CALLS), CALLS)


def _then(app: Gradio, function: gradio.Function, path: str, *faults: int) -> gradio.Function:
    """Return a function after which a path answers with faults."""

    def work(served: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        app.faults[path] = list(faults)
        return function.work(served, session, values)

    return function._replace(work=work)


def test_what_the_search_has_read_is_kept_for_a_later_process(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Reconciler._take

    def crash(*_: Any) -> None:
        raise LibraryProblem("The disk is full.")

    with gradio.serving(faults_after(0, DROPPED)) as app:
        monkeypatch.setattr(Reconciler, "_take", crash)
        view = run(app)
        assert view.state is State.UNCERTAIN
        wait_until(lambda: app.worked_names == CALLS[:1])
        wait_until(lambda: all(reader.is_done for reader in transcript._readers.values()))
        monkeypatch.setattr(transcript, "_readers", {})
        monkeypatch.setattr(Reconciler, "_take", taken)
        view = run(app, view.job)
    assert view.state is State.READY, view.failure
    assert (app.joins, app.worked_names) == (len(CALLS), CALLS)


def test_an_order_of_another_server_is_not_searched_here(run: Run, png: bytes) -> None:
    with gradio.serving(faults_after(0, 502)) as app:
        view = run(app)
    with gradio.serving(Gradio(TRELLIS)) as other:
        assert run(other, view.job).state is State.UNCERTAIN
    assert not any("queue" in path for _, path in other.calls)


def test_a_cancel_during_the_search_ends_it(running: Session, tmp_path: Path, png: bytes) -> None:
    with gradio.serving(faults_after(1, 502)) as app:
        job = running.start(spec_for(tmp_path, png, "gradio", base_url=app.url))
        wait_until(lambda: sum(path.endswith("/queue/data") for _, path in app.calls) == 2)
        running.cancel(job)
        assert end_of(running, job).state is State.CANCELLED
    assert app.joins == 2
