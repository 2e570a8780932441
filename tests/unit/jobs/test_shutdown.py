# SPDX-License-Identifier: GPL-3.0-or-later
"""An order whose answer is awaited while its program ends, or that was never handed over."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import aiml
from fakes.aiml_cases import end_of, job_for, source, wait_until
from fakes.running import Orders
from fakes.service import KEY, Service

from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import Library, Session, State, abandonable_call
from image_to_mesh.jobs.slots import ANSWER_LIMIT
from image_to_mesh.jobs.steps import submit as ordering
from image_to_mesh.jobs.steps.reconcile import Reconciler
from image_to_mesh.providers import Provider, Sent, Unreachable, all_providers, get_provider

DRIVER = """
import sys, time
sys.path[:0] = {path!r}
from image_to_mesh import providers
providers.__path__.append({services!r})
from image_to_mesh.cli import entry
entry.find_blender = lambda environment: None
sys.exit(entry.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("provider", ["rehearsal", "aiml_triposr"])
def test_the_ticket_is_written_even_after_the_job_was_abandoned(
    orders: Orders, tmp_path: Path, png: bytes, provider: str
) -> None:
    orders.service.submit_takes, orders.service.takes = 0.7, 0.0
    with aiml.serving(aiml.Aiml(shape="data_b64", takes=0.7)) as fake:
        triposr = get_provider("aiml_triposr")
        spec = orders.spec(blender=None)
        taken: list[Any] = orders.service.submits
        if provider == "aiml_triposr":
            spec, taken = job_for(triposr, fake, tmp_path, source(png), blender=None), fake.orders
        leaving = Session()
        job = leaving.start(spec)
        wait_until(lambda: bool(taken))
        begun = time.monotonic()
        leaving.close(0.5)
        assert time.monotonic() - begun < 1.0
        library = Library(tmp_path)
        assert library.load(job).state is State.SUBMITTING
        assert library.is_held(job), "nobody may take it for lost meanwhile"
        wait_until(lambda: not library.is_held(job))
        record = library.load(job)
        assert (record.state, bool(record.ticket)) == (State.RUNNING, True)
        assert not list((tmp_path / job).glob("answer*"))
        again = replace(spec, pictures=(), record=record)
        assert end_of(orders.session, orders.session.start(again)).state is State.READY
        assert len(taken) == 1


@pytest.mark.parametrize("signals", [1, 2])
def test_the_command_line_writes_the_ticket_before_it_ends(
    service: Service, tmp_path: Path, png: bytes, root: Path, signals: int
) -> None:
    (tmp_path / "cup.png").write_bytes(png)
    service.submit_takes, service.takes = 1.2, 30.0
    services = str(root / "tests" / "fakes" / "services")
    driver = DRIVER.format(path=sys.path, services=services)
    words = ["generate", "cup.png", "--provider", "rehearsal", "--library", str(tmp_path / "l")]
    process = subprocess.Popen(
        [sys.executable, "-B", "-c", driver, *words],
        cwd=tmp_path, stderr=subprocess.PIPE,
        env={**os.environ, "REHEARSAL_API_KEY": KEY, "REHEARSAL_BASE_URL": service.url},
    )  # fmt: skip
    wait_until(lambda: bool(service.submits))
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130, told
    (path,) = (tmp_path / "l").glob("*/job.json")
    record = json.loads(path.read_text())
    assert (record["state"], record["ticket"]) == ("running", {"task": "task-1"})


def test_an_interrupted_process_waits_longer_than_any_answer_takes() -> None:
    timeouts = [getattr(provider, "answer_timeout", 0.0) for provider in all_providers().values()]
    assert max(timeouts) == 360.0
    assert max(timeouts) < ANSWER_LIMIT
    assert abandonable_call.EXIT_LIMIT <= 5.0


# -- what was not sent ---------------------------------------------------------------------------


def test_an_order_to_a_port_where_nobody_listens_goes_back_to_queued(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    provider = get_provider("aiml_triposr")
    with socket.socket() as free, aiml.serving(aiml.Aiml()) as fake:
        free.bind(("127.0.0.1", 0))
        spec = job_for(provider, fake, tmp_path, source(png), blender=None)
        nobody = replace(spec, base_url=f"http://127.0.0.1:{free.getsockname()[1]}")
        view = end_of(running, running.start(nobody))
        record = Library(tmp_path).load(view.job)
        assert view.failure is not None
        assert (view.failure.kind, record.state) == ("unreachable", State.QUEUED)
        assert (record.submitted, record.request_hash) == (None, None)
        assert exit_code_for(view.failure, record) == 5
        again = replace(spec, pictures=(), record=record)
        assert end_of(running, running.start(again)).state is State.READY
        assert len(fake.orders) == 1


def test_an_order_for_which_no_thread_starts_goes_back_to_queued(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ordering, "Call", none)
    view = orders.end()
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("unreachable", State.QUEUED)
    assert not orders.service.submits, "an order was sent"


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_internal_error_counts_by_how_much_was_sent(
    orders: Orders, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch, handed_over: bool
) -> None:
    real = type(rehearsal).submit

    def submit(self: Any, *given: Any) -> Any:
        if handed_over:
            real(self, *given)
        raise KeyError("front")

    monkeypatch.setattr(type(rehearsal), "submit", submit)
    view = orders.end()
    expected = State.UNCERTAIN if handed_over else State.QUEUED
    assert Library(orders.library).load(view.job).state is expected
    assert len(orders.service.submits) == handed_over
    assert exit_code_for(view.failure, view.record) == (6 if handed_over else 5)


@pytest.mark.parametrize("sent", list(Sent))
@pytest.mark.parametrize("found", [False, True])
def test_an_order_that_may_have_been_sent_is_searched_for(
    orders: Orders, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch, sent: Sent,
    found: bool,
) -> None:  # fmt: skip
    asked: list[State] = []

    def submit(self: Any, request: Any, uploaded: Any, http: Any) -> Any:
        http.recorder.sending()
        error = Unreachable("The connection broke.")
        error.sent = sent
        raise error

    def find(self: Reconciler) -> bool:
        asked.append(self._live.record.state)
        if found:
            self._live.save(state=State.RUNNING, ticket={"task": "task-1"})
        return found

    monkeypatch.setattr(type(rehearsal), "submit", submit)
    monkeypatch.setattr(Reconciler, "find", find)
    orders.service.takes = 0.0
    view = orders.end(blender=None)
    assert asked == ([State.UNCERTAIN] if sent is Sent.MAYBE else [])
    expected = State.READY if found else State.UNCERTAIN
    assert view.state is (expected if sent is Sent.MAYBE else State.QUEUED)
