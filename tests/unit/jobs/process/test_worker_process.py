# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side of the worker, with the fake worker and with programs other than Blender."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER

from image_to_mesh.jobs.process import worker_process
from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.providers import BadImage, Cancelled, Failed, NoBlender


def unheard(_phase: str, _fraction: float | None) -> None:
    """Ignore progress."""


def go_on() -> None:
    """Never cancel."""


@pytest.fixture
def request_(tmp_path: Path) -> dict[str, Any]:
    return {"do": "make", "output": str(tmp_path / "mesh.glb")}


Opened = Callable[..., WorkerProcess]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Open background Blenders that end with the test."""
    every: list[WorkerProcess] = []

    def one(*command: str) -> WorkerProcess:
        every.append(WorkerProcess(command or WORKER))
        return every[-1]

    yield one
    for blender in every:
        blender.kill()


def script(folder: Path, *lines: str) -> str:
    """Write a program that stands in for Blender."""
    path = folder / "blender"
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return str(path)


def test_a_worker_answers_several_requests(opened: Opened, request_: dict[str, Any]) -> None:
    blender = opened()
    assert [blender.ask(request_, unheard, go_on)["faces"] for _ in range(2)] == [7, 7]
    assert blender.version(go_on) == (0, 0, 0)


@pytest.mark.parametrize("command", ["/bin/true", "/bin/false", "says", "/bin/cat", "sleeps"])
def test_a_program_that_is_not_blender_is_reported_by_its_path(
    command: str,
    opened: Opened,
    request_: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_process, "READY_LIMIT", 0.5)
    if command == "says":
        command = script(tmp_path, "echo no libGL here", "exit 1")
    if command == "sleeps":
        command = script(tmp_path, "exec sleep 60")
    for asked in ("mesh", "version"):
        blender, started = opened(command), time.monotonic()
        with pytest.raises(NoBlender, match="is not a working Blender") as caught:
            blender.version(go_on) if asked == "version" else blender.ask(request_, unheard, go_on)
        assert time.monotonic() - started < 3
        assert command in caught.value.message
        assert "BLENDER" in caught.value.hint
        assert "bpy" in caught.value.hint
        if command.startswith(str(tmp_path)) and "echo" in Path(command).read_text():
            assert "no libGL here" in caught.value.message


@pytest.mark.parametrize("fault", ["unready", "silent"])
def test_a_blender_that_does_not_start_is_reported(
    fault: str, opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "READY_LIMIT", 1.0)
    monkeypatch.setenv("FAKE_WORKER", fault)
    last = "libGL is missing" if fault == "unready" else "noise that is no message"
    with pytest.raises(NoBlender, match=last):
        opened().ask(request_, unheard, go_on)


def test_the_start_limit_does_not_apply_to_requests(
    opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "slow")
    blender = opened()
    blender.start()
    time.sleep(1.5)
    monkeypatch.setattr(worker_process, "READY_LIMIT", 0.1)
    assert blender.ask(request_, unheard, go_on)["faces"] == 7
    assert blender.ask(request_, unheard, go_on)["faces"] == 7


def test_a_worker_that_dies_after_its_start_fails_the_job(
    opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "die")
    with pytest.raises(Failed, match=r"ended unexpectedly.*Segmentation fault"):
        opened().ask(request_, unheard, go_on)


@pytest.mark.parametrize("fault", ["silent", "hang"])
def test_cancelling_ends_the_worker_within_two_ticks(
    fault: str, opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", fault)
    checks: list[float] = []

    def cancel() -> None:
        checks.append(time.monotonic())
        if len(checks) > 20:
            raise Cancelled

    blender = opened()
    with pytest.raises(Cancelled):
        blender.ask(request_, unheard, cancel)
    assert max(b - a for a, b in pairwise(checks)) < 0.5
    monkeypatch.delenv("FAKE_WORKER")
    assert blender.ask(request_, unheard, go_on)["faces"] == 7


@pytest.mark.parametrize(
    ("fault", "limit", "value", "words"),
    [
        ("beats", "WORK_LIMIT", 1.0, "ran for more than"),
        ("hang", "SILENCE_LIMIT", 1.0, "did not respond for"),
        ("hungry", "MEMORY_SHARE", 1e-12, "GB of memory, too much"),
    ],
)
def test_a_time_limit_ends_the_worker_and_is_reported(
    fault: str,
    limit: str,
    value: float,
    words: str,
    opened: Opened,
    request_: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_process, limit, value)
    monkeypatch.setenv("FAKE_WORKER", fault)
    blender = opened()
    with pytest.raises(Failed, match=words) as caught:
        blender.ask(request_, unheard, go_on)
    assert caught.value.hint, "the error has no hint"
    assert not blender.is_alive, "the worker still runs"


def test_progress_reports_keep_the_worker_alive(
    opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "SILENCE_LIMIT", 1.5)
    monkeypatch.setenv("FAKE_WORKER", "beats")
    started = time.monotonic()

    def enough() -> None:
        if time.monotonic() - started > 3.0:
            raise Cancelled

    with pytest.raises(Cancelled):
        opened().ask(request_, unheard, enough)


def test_the_last_output_and_the_signal_of_a_crash_are_reported(
    opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "segfault")
    with pytest.raises(Failed, match=r"\(SIGSEGV\).*ERROR glTF import: no luck"):
        opened().ask(request_, unheard, go_on)


def test_a_blender_that_is_too_old_is_reported(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "old")
    with pytest.raises(NoBlender, match=r"is Blender 3\.6\.5, but 4\.2 or newer is required"):
        opened().version(go_on)


def test_a_refusal_leaves_the_worker_running(
    opened: Opened, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "refuse")
    blender = opened()
    with pytest.raises(BadImage):
        blender.ask(request_, unheard, go_on)
    assert blender.is_alive, "the worker has ended"
