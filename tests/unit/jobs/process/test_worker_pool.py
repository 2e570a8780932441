# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of workers: kept for the next job, few at a time, closed in time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import WORKER
from fakes.running import is_gone, wait_until

from image_to_mesh.jobs.process import pool
from image_to_mesh.jobs.process.pool import BackgroundBlender, Blenders
from image_to_mesh.providers import Cancelled, Failed, NoBlender


def unheard(_phase: str, _fraction: float | None) -> None:
    """Ignore progress."""


def go_on() -> None:
    """Never cancel."""


@pytest.fixture
def request_(tmp_path: Path) -> dict[str, Any]:
    return {"do": "make", "output": str(tmp_path / "mesh.glb")}


@pytest.fixture
def kept() -> Iterator[Blenders]:
    """Background Blenders of the test's own, one at a time."""
    single = Blenders(most=1)
    yield single
    single.close()


def pid(kept: Blenders, request: dict[str, Any]) -> int:
    """Send a request; return the process id of the worker that answered."""
    with kept.lend(WORKER, go_on) as worker:
        worker.ask(request, unheard, go_on)
        assert worker._process is not None
        return worker._process.pid


def test_the_next_job_gets_the_same_worker(kept: Blenders, request_: dict[str, Any]) -> None:
    assert pid(kept, request_) == pid(kept, request_)


def test_a_worker_is_started_ahead_of_time(kept: Blenders, request_: dict[str, Any]) -> None:
    kept.warm(WORKER)
    kept.warm(WORKER)
    ((worker, _),) = kept._idle
    assert worker.is_alive, "the worker has ended"
    with kept.lend(WORKER, go_on) as lent:
        assert lent is worker


def test_another_environment_gets_another_worker(
    kept: Blenders, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pid(kept, request_)
    monkeypatch.setenv("LANG", "tlh_KX.UTF-8")
    assert pid(kept, request_) != first
    wait_until(lambda: is_gone(first))


def test_a_worker_that_died_is_not_used_again(
    kept: Blenders, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "die")
    with pytest.raises(Failed), kept.lend(WORKER, go_on) as worker:
        worker.ask(request_, unheard, go_on)
    assert not kept._idle, "a worker was kept"
    monkeypatch.delenv("FAKE_WORKER")
    with kept.lend(WORKER, go_on) as worker:
        worker.ask(request_, unheard, go_on)
        assert worker._process is not None
        worker._process.kill()
        worker._process.wait()
    assert pid(kept, request_)


def test_jobs_wait_for_a_free_worker(kept: Blenders, request_: dict[str, Any]) -> None:
    order: list[str] = []

    def second() -> None:
        with kept.lend(WORKER, go_on):
            order.append("second")

    with kept.lend(WORKER, go_on):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(20.0)
    assert order == ["first", "second"]


def test_waiting_for_a_worker_can_be_cancelled_and_urgent_requests_do_not_wait(
    kept: Blenders,
) -> None:
    def cancel() -> None:
        raise Cancelled

    with kept.lend(WORKER, go_on) as first:
        with pytest.raises(Cancelled), kept.lend(WORKER, cancel):
            pytest.fail("two at a time")
        with kept.lend(WORKER, cancel, at_once=True) as second:
            assert second is not first


def test_idle_workers_end_after_a_while(request_: dict[str, Any]) -> None:
    kept = Blenders(most=1, idle_limit=0.5)
    first = pid(kept, request_)
    wait_until(lambda: is_gone(first))
    assert not kept._idle, "a worker was kept"
    second = pid(kept, request_)
    assert second != first
    wait_until(lambda: is_gone(second))


def test_a_worker_that_uses_much_memory_is_replaced(
    kept: Blenders, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "HEAVY", 1)
    first = pid(kept, request_)
    assert is_gone(first)


def test_closing_ends_all_workers_within_a_second(kept: Blenders, request_: dict[str, Any]) -> None:
    first = pid(kept, request_)
    started = time.monotonic()
    kept.close()
    assert time.monotonic() - started < 1.0
    assert is_gone(first)


def test_a_file_that_cannot_be_run_is_not_blender(kept: Blenders, tmp_path: Path) -> None:
    with pytest.raises(NoBlender):
        kept.warm((str(tmp_path / "nothing"),))
    assert not kept._idle, "a worker was kept"


def test_a_job_uses_the_workers_of_the_process(request_: dict[str, Any]) -> None:
    blender = BackgroundBlender(WORKER)
    blender.start()
    assert blender.version(go_on) == (0, 0, 0)
    assert blender.ask(request_, unheard, go_on)["faces"] == 7
    pool.blenders().close()


PARENT = """
import sys, time
from image_to_mesh.jobs.process.pool import blenders
with blenders().lend({command!r}, lambda: None) as worker:
    worker.version(lambda: None)
    print(worker._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.once
def test_a_worker_dies_with_its_parent() -> None:
    source = PARENT.format(command=WORKER)
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=places.BUILD, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert not is_gone(worker)
        parent.kill()
    wait_until(lambda: is_gone(worker))
