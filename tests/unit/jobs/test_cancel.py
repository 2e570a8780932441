# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancelling and closing: immediate for the user, honest to the service, nothing lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.running import Orders, end_of, reach, spec_for
from fakes.service import Service

from image_to_mesh.jobs import Collected, Ended, Library, Session, State
from image_to_mesh.jobs.runner import Runner
from image_to_mesh.providers import CancelOutcome, Provider

SOON = 3.0
"""Seconds, enough on any machine; the measured times, 0.3 s on a quiet one, are printed."""


def test_a_charged_cancelled_job_is_still_added_to_the_library(
    orders: Orders,
    running: Session,
    tmp_path: Path,
    rehearsal: Provider[Any],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charged = lambda *_: CancelOutcome.CHARGED  # noqa: E731
    monkeypatch.setattr(type(rehearsal), "cancel", charged)
    service.takes = 1.5
    job = orders.start()
    reach(running, State.RUNNING)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    while not isinstance(event := running.wait(10), Collected):
        assert event is not None
    record = Library(tmp_path).load(job)
    assert record.state is State.READY
    assert "charge" in record.notes[0]
    assert len(service.submits) == 1


def test_cancel_takes_effect_within_a_third_of_a_second(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "hang")
    job = running.start(spec_for(tmp_path, png))
    while running.views()[0].phase != "Working":
        time.sleep(0.01)
    begun = time.monotonic()
    running.cancel(job)
    view = end_of(running, job)
    print(f"\ncancel: {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < SOON
    assert view.state is State.CANCELLED
    assert view.failure is None
    running.join(1.0)
    assert not [item for item in threading.enumerate() if job in item.name]


def test_a_job_that_is_just_being_started_can_be_cancelled(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another job that ends at that moment removes only finished jobs."""
    begin, other = Runner.start, end_of(running, running.start(spec_for(tmp_path, png)))

    def start(self: Runner) -> None:
        running._emit(Ended(other.job, other))
        begin(self)

    monkeypatch.setenv("FAKE_WORKER", "hang")
    monkeypatch.setattr(Runner, "start", start)
    job = running.start(spec_for(tmp_path, png))
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED


def test_a_cancel_reaches_the_service(orders: Orders, running: Session, service: Service) -> None:
    service.takes = 30
    job = orders.start()
    reach(running, State.RUNNING)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(2.0)
    assert service.cancelled == ["/tasks/task-1/cancel"]


def test_cancel_during_the_submit_keeps_the_ticket_that_comes_late(
    orders: Orders, running: Session, tmp_path: Path, service: Service
) -> None:
    service.submit_takes = 1.0
    job = orders.start()
    while running.views()[0].state is not State.SUBMITTING or not service.submits:
        time.sleep(0.01)
    begun = time.monotonic()
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    print(f"\ncancel: {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < SOON
    until = time.monotonic() + 5
    while not service.cancelled and time.monotonic() < until:
        time.sleep(0.02)
    record = Library(tmp_path).load(job)
    assert record.ticket == {"task": "task-1"}
    assert record.state is State.CANCELLED
    assert len(service.submits) == 1


def test_order_that_waits_out_a_429_is_not_sent_after_the_cancel(
    orders: Orders, running: Session, tmp_path: Path, service: Service
) -> None:
    service.retry_after, service.submit_errors = "2", [429]
    job = orders.start()
    while not service.calls("POST", "/tasks"):
        time.sleep(0.01)
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(5.0)
    assert (service.submits, service.calls("POST", "/tasks")) == ([], 1)
    assert Library(tmp_path).load(job).state is State.CANCELLED


def test_a_busy_service_still_receives_the_cancel(
    orders: Orders, running: Session, service: Service
) -> None:
    service.takes, service.retry_after = 30, "1"
    job = orders.start()
    reach(running, State.RUNNING)
    service.errors = [429]
    running.cancel(job)
    assert end_of(running, job).state is State.CANCELLED
    running.join(5.0)
    assert service.cancelled == ["/tasks/task-1/cancel"]


def test_close_leaves_the_record_where_it_is(
    orders: Orders, running: Session, tmp_path: Path, service: Service
) -> None:
    service.takes = 30
    job = orders.start()
    reach(running, State.RUNNING)
    begun = time.monotonic()
    running.close(1.0)
    assert time.monotonic() - begun < SOON
    assert Library(tmp_path).load(job).state is State.RUNNING
    assert not service.cancelled, "the service got a cancel"
