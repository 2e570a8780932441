# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes that are charged in spite of a cancel are collected, unless the user declines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.files import big_glb
from fakes.running import wait_until
from fakes.service import KEY, Service

from image_to_mesh.jobs import (
    Collected,
    Ended,
    JobSpec,
    JobView,
    Library,
    PictureSource,
    Session,
    State,
)
from image_to_mesh.providers import CancelOutcome, LibraryProblem, Provider, Secret, get_provider
from image_to_mesh.providers._shared.http import download_stream


@pytest.fixture
def charging(
    rehearsal: Provider[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> Provider[Any]:
    """A service that charges every order, cancelled or not."""
    monkeypatch.setattr(type(rehearsal), "cancel", lambda *_: CancelOutcome.CHARGED)
    return rehearsal


def cancelled(running: Session, folder: Path, png: bytes, provider: Any, service: Service) -> str:
    """Start a job, cancel it once it is ordered, and wait for its end."""
    spec = JobSpec(
        provider.id,
        provider.settings(),
        (PictureSource("cup", "front", lambda: png),),
        folder,
        keys={"rehearsal_api_key": Secret(KEY)},
        base_url=service.url,
        blender=WORKER,
    )
    job = running.start(spec)
    wait_until(lambda: running.views()[0].state is State.RUNNING)
    running.cancel(job)
    assert next_of(running, Ended).state is State.CANCELLED
    return job


def next_of(running: Session, kind: type[Ended | Collected]) -> JobView:
    """Wait for the next event of a kind."""
    while not isinstance(event := running.wait(10), kind):
        assert event is not None, "no such event"
    return event.view


def test_the_status_says_that_a_charged_result_is_being_collected(
    running: Session, tmp_path: Path, png: bytes, charging: Provider[Any], service: Service
) -> None:
    service.takes = 1.0
    job = cancelled(running, tmp_path, png, charging, service)
    wait_until(lambda: job in running.collecting())
    assert running.running() == ()
    assert running.at_work()
    view = next_of(running, Collected)
    assert (view.state, view.collected) == (State.READY, True)
    running.join(2.0)
    assert not running.collecting()
    assert not running.at_work()


def test_collecting_can_be_stopped(
    running: Session, tmp_path: Path, png: bytes, charging: Provider[Any], service: Service
) -> None:
    service.takes = 30
    job = cancelled(running, tmp_path, png, charging, service)
    wait_until(lambda: job in running.collecting())
    running.dismiss(job)
    running.cancel(job, collect=False)
    running.join(2.0)
    assert not running.at_work()
    assert Library(tmp_path).load(job).state is State.CANCELLED
    with pytest.raises(LibraryProblem):
        running.cancel(job, collect=False)


def test_undrained_events_count_as_work(running: Session, tmp_path: Path) -> None:
    def unreadable() -> bytes:
        raise OSError("gone")

    source = PictureSource("cup", "front", unreadable)
    settings = get_provider("local").settings()
    running.start(JobSpec("local", settings, (source,), tmp_path, blender=WORKER))
    running.join(5.0)
    assert running.running() == ()
    assert running.at_work()
    assert isinstance(running.drain()[-1], Ended)
    assert not running.at_work()


def test_a_cancelled_download_is_completed(
    running: Session,
    tmp_path: Path,
    png: bytes,
    charging: Provider[Any],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.mesh, service.takes = big_glb(2_000_000), 0.0
    real, asked = download_stream._arriving, []

    def slowly(answer: Any) -> Iterator[bytes]:
        asked.append(answer)
        first = len(asked) == 1
        for piece in real(answer):
            for start in range(0, len(piece), 50_000):
                yield piece[start : start + 50_000]
                time.sleep(0.05 if first else 0.0)

    monkeypatch.setattr(download_stream, "_arriving", slowly)
    spec = JobSpec(
        charging.id,
        charging.settings(),
        (PictureSource("cup", "front", lambda: png),),
        tmp_path,
        keys={"rehearsal_api_key": Secret(KEY)},
        base_url=service.url,
        blender=WORKER,
    )
    job = running.start(spec)
    wait_until(lambda: bool(list(tmp_path.glob("*/.mesh.part.part"))))
    running.cancel(job)
    assert next_of(running, Ended).state is State.CANCELLED
    assert next_of(running, Collected).state is State.READY
    assert (tmp_path / job / "mesh.glb").read_bytes() == service.mesh
    assert len(asked) == 2
