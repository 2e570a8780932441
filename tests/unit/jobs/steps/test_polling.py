# SPDX-License-Identifier: GPL-3.0-or-later
"""Results are noticed within two seconds, with at most one poll a second, on a fake clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from image_to_mesh.jobs.steps import polling
from image_to_mesh.jobs.steps.polling import OutageTolerance, next_pause
from image_to_mesh.providers import Progress, Unreachable

TIMES = [0.0, 0.4, 7.0, 61.0, 253.0, 1700.0]


def poll_times(ready: float, *, estimate: bool, fraction: bool) -> list[float]:
    """Return the times of all polls of a task that is ready after `ready` seconds."""
    times, pause = [0.0], 0.0
    while times[-1] < ready:
        remaining = ready - times[-1]
        share = times[-1] / ready if fraction else None
        answer = Progress("Generating", share, remaining if estimate else None)
        pause = next_pause(answer, pause)
        times.append(times[-1] + pause)
    return times


@pytest.mark.parametrize("ready", TIMES)
@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("fraction", [False, True])
def test_a_result_is_noticed_within_two_seconds_with_few_requests(
    ready: float, estimate: bool, fraction: bool
) -> None:
    times = poll_times(ready, estimate=estimate, fraction=fraction)
    assert times[-1] - ready <= 2.0
    for start in times:
        assert sum(start <= time < start + 60.0 for time in times) <= 60
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps, default=1.0) >= 1.0, gaps
    assert max(gaps, default=1.0) <= 10.0, gaps


def test_a_good_estimate_saves_requests() -> None:
    patient = poll_times(253.0, estimate=True, fraction=False)
    eager = poll_times(253.0, estimate=False, fraction=False)
    assert len(patient) < len(eager) / 2


def test_a_lost_connection_is_tolerated_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("image_to_mesh.jobs.steps.polling.time.monotonic", lambda: now[0])

    def raise_unreachable() -> Progress:
        raise Unreachable("No connection.")

    patience = OutageTolerance()
    for _ in range(3):
        answer = patience.ask(raise_unreachable)
        assert isinstance(answer, Progress)
        assert answer.phase == "Waiting for the connection"
        now[0] += polling.OUTAGE / 3
    patience.ask(lambda: Progress("back"))
    patience.ask(raise_unreachable)
    now[0] += polling.OUTAGE + 1
    with pytest.raises(Unreachable):
        patience.ask(raise_unreachable)
