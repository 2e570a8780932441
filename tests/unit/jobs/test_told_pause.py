# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that waits says why, and for how long; one without progress shows no percent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from fakes.running import Orders

from image_to_mesh.jobs import Ended, JobView, Progressed, Session, State, told_pause
from image_to_mesh.providers import Message, Provider

if TYPE_CHECKING:
    from fakes.service import Service


def views_of(running: Session, seconds: float = 20.0) -> list[JobView]:
    """Return what a job showed until its end."""
    found: list[JobView] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        event = running.wait(0.1)
        if isinstance(event, Progressed):
            found.append(event.view)
        if isinstance(event, Ended):
            return [*found, event.view]
    raise AssertionError("the job did not end in time")


def test_a_busy_service_is_named_with_the_seconds_until_the_next_try(
    orders: Orders, running: Session, service: Service
) -> None:
    service.retry_after, service.submit_errors = "3", [429]
    orders.start()
    views = views_of(running)
    waits = [view for view in views if "busy" in view.phase]
    assert [str(view.phase) for view in waits] == [
        f"Rehearsal is busy, trying again in {seconds} s" for seconds in (3, 2, 1)
    ]
    assert {view.fraction for view in waits} == {None}
    assert all(isinstance(view.phase, Message) for view in waits), "translated where it is shown"
    after = views[views.index(waits[-1]) + 1]
    assert after.phase == "Submitting"
    assert views[-1].state is State.READY
    assert len(service.submits) == 1


def test_a_busy_service_is_named_while_it_is_polled(
    orders: Orders, running: Session, service: Service
) -> None:
    service.retry_after, service.takes = "2", 0.3
    orders.start()
    while not service.submits:
        time.sleep(0.01)
    service.errors = [503]
    views = views_of(running)
    assert any(view.phase == "Rehearsal is busy, trying again in 2 s" for view in views)
    assert views[-1].state is State.READY


def test_short_pauses_are_not_shown(orders: Orders, running: Session, service: Service) -> None:
    service.retry_after, service.submit_errors = "1", [429]
    orders.start()
    assert not any("trying again" in view.phase for view in views_of(running))


def test_a_lost_connection_is_no_busy_service(
    orders: Orders, running: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    class Live:
        """Records the phases that a job shows."""

        ended = False
        view = JobView("j", "rehearsal", "cup", State.RUNNING, "Generating", None, 0.0)

        def show_progress(self, phase: str, _fraction: float | None) -> None:
            """Record the phase."""
            shown.append(str(phase))

    monkeypatch.setattr(told_pause, "sleep", lambda *_: time.sleep(0.01))
    ticks = iter(range(100))
    monkeypatch.setattr("image_to_mesh.jobs.told_pause.time.monotonic", ticks.__next__)
    pause = told_pause.ToldPause(Live(), "Rehearsal")  # type: ignore[arg-type]
    pause.sleep(4.0, lambda: None, busy=False)
    assert shown[0] == "No connection, trying again in 4 s"
    assert shown[-1] == "Generating"


def test_a_service_that_answers_with_the_mesh_is_waited_for_without_a_percent(
    orders: Orders,
    running: Session,
    service: Service,
    rehearsal: Provider[object],  # type: ignore[type-var]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does not stand at “Submitting 5%” until the mesh is there."""
    monkeypatch.setattr(type(rehearsal), "max_answer_bytes", 1)
    orders.start()
    views = views_of(running)
    waits = [view for view in views if view.state is State.SUBMITTING]
    assert {(view.phase, view.fraction) for view in waits} == {("Waiting for Rehearsal", None)}
