# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs on a scaled clock: results are noticed soon, and polls stay few.

The runner's pauses pass at once on a fake clock; a poll takes as long as a call across an ocean.
Everything else is as always: session, thread, HTTP, the services' fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import scenario, scenario_calls, tripo_calls, tripo_server
from fakes.scenario_state import ScenarioFake, usual_results

from image_to_mesh.jobs import Ended, JobSpec, Session, State, runner

ROUND_TRIP = 0.2
LATE = 2.0


@dataclass
class Clock:
    """Seconds since the order was taken, and when the task was polled."""

    ready: float
    now: float = 0.0
    polls: list[float] = field(default_factory=list)

    def poll(self) -> float:
        """Record a poll; return how long the service still needs."""
        self.now += ROUND_TRIP / 2
        self.polls.append(self.now)
        remaining = self.ready - self.now
        self.now += ROUND_TRIP / 2
        return remaining

    def pause(self, seconds: float) -> None:
        """Let a pause of the runner pass."""
        self.now += seconds


def at_tripo(
    version: tripo_calls.Version, clock: Clock, stack: ExitStack, library: Path
) -> JobSpec:
    """Return a job at a Tripo that works by the clock; v2 announces how long that will take."""

    class Slow(version.fake):  # type: ignore[misc, name-defined]
        def task_state(self, identity: str) -> dict[str, Any]:
            remaining = clock.poll()
            waiting: dict[str, Any] = {"status": "running", "progress": 10}
            if version is tripo_calls.V2:
                waiting["running_left_time"] = remaining
            self.states = [waiting if remaining > 0 else {"status": "success", "progress": 100}]
            reply: dict[str, Any] = super().task_state(identity)
            return reply

    fake = stack.enter_context(tripo_server.serving(Slow()))
    return tripo_calls.job_for(version, fake, library)


def at_scenario(clock: Clock, stack: ExitStack, library: Path) -> JobSpec:
    """Return a job at a Scenario that works by the clock."""

    class Script(tuple[str, ...]):
        __slots__ = ()

        def __getitem__(self, _place: Any) -> Any:
            return "in-progress" if clock.poll() > 0 else "success"

    fake = stack.enter_context(scenario.serving(ScenarioFake()))
    usual_results(fake)
    fake.outcome.script = Script(("queued", "success"))
    return scenario_calls.job_for(fake, library)


PLACES: dict[str, Callable[[Clock, ExitStack, Path], JobSpec]] = {
    "tripo": lambda *how: at_tripo(tripo_calls.V3, *how),
    "tripo_v2": lambda *how: at_tripo(tripo_calls.V2, *how),
    "scenario": at_scenario,
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Close everything that a test has opened."""
    with ExitStack() as opened:
        yield opened


@pytest.mark.once
@pytest.mark.parametrize("seconds", [0.0, 7.0, 61.0, 253.0])
@pytest.mark.parametrize("place", PLACES)
def test_a_job_is_noticed_within_two_seconds_of_its_end(
    place: str, seconds: float, stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(seconds)
    monkeypatch.setattr(runner, "sleep", lambda seconds, _: clock.pause(seconds))
    session = Session()
    stack.callback(session.close, 2.0)
    job = session.start(PLACES[place](clock, stack, tmp_path))
    event = session.wait(30.0)
    while event is not None and not isinstance(event, Ended):
        event = session.wait(30.0)
    assert event is not None
    assert (event.job, event.view.state) == (job, State.READY)
    seen = clock.polls[-1] + ROUND_TRIP / 2
    assert seen - seconds <= LATE
    for start in clock.polls:
        assert sum(start <= poll < start + 60.0 for poll in clock.polls) < 60
    assert seconds < 60 or len(clock.polls) > 5
