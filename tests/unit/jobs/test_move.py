# SPDX-License-Identifier: GPL-3.0-or-later
"""A running job's placement can be changed: in its views, in its events, and in its record."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes.running import Orders, end_of, spec_for

from image_to_mesh.jobs import ImportPlan, Library, PictureSource, Placement, Session, State

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.service import Service

HERE, THERE = Placement((1.0, 2.0, 3.0), spacing=0.25), Placement((4.0, 5.0, 6.0))
PLAN = ImportPlan("file", "Scene", HERE, {"weld": True})


def wait_until_saved(library: Path, job: str, placement: Placement) -> None:
    """Wait until the record on disk has a placement: it is saved on a thread."""
    deadline = time.monotonic() + 10
    while Library(library).load(job).plan.placement != placement:
        assert time.monotonic() < deadline, "the record does not have the new placement"
        time.sleep(0.01)


def test_a_running_job_is_moved(
    orders: Orders, running: Session, tmp_path: Path, service: Service
) -> None:
    service.takes = 1.0
    job = orders.start(plan=PLAN)
    while running.views()[0].state is not State.RUNNING:
        time.sleep(0.01)
    running.move(job, THERE)
    (view,) = running.views()
    assert view.plan == replace(PLAN, placement=THERE)
    assert running.placement_of(view) == THERE
    wait_until_saved(tmp_path, job, THERE)
    ended = end_of(running, job)
    assert ended.state is State.READY
    assert ended.plan == replace(PLAN, placement=THERE)
    assert ended.record is not None
    assert ended.record.plan == ended.plan
    assert Library(tmp_path).load(job).plan == ended.plan


def test_a_job_that_is_not_on_disk_yet_is_moved(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    reading, moved = threading.Event(), threading.Event()

    def slow() -> bytes:
        reading.set()
        assert moved.wait(30)
        return png

    source = PictureSource("cup", "front", slow)
    job = running.start(spec_for(tmp_path, png, pictures=(source,), plan=PLAN))
    assert reading.wait(30)
    running.move(job, THERE)
    moved.set()
    assert end_of(running, job).plan.placement == THERE
    assert Library(tmp_path).load(job).plan == replace(PLAN, placement=THERE)


def test_an_event_from_before_the_move_does_not_take_it_back(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    job = running.start(spec_for(tmp_path, png, plan=PLAN))
    (old,) = running.views()
    running.move(job, THERE)
    assert old.plan.placement == HERE
    assert running.placement_of(old) == THERE
    assert end_of(running, job).plan.placement == THERE
    assert all(view.plan.placement == THERE for view in running.views())


def test_a_job_that_is_gone_cannot_be_moved(running: Session) -> None:
    running.move("20261120-gone", THERE)
    assert running.views() == ()


def test_a_record_is_not_written_after_the_end(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    job = running.start(spec_for(tmp_path, png, plan=PLAN))
    end_of(running, job)
    written = (tmp_path / job / "job.json").read_bytes()
    running.move(job, THERE)
    time.sleep(0.1)
    assert (tmp_path / job / "job.json").read_bytes() == written
