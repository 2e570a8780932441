# SPDX-License-Identifier: GPL-3.0-or-later
"""Results are noticed within two seconds, with fewer than one look a second, by a made clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from image_to_mesh.jobs.steps import polling
from image_to_mesh.jobs.steps.polling import OutageTolerance, next_pause
from image_to_mesh.providers import Progress, Unreachable

TIMES = [0.0, 0.4, 7.0, 61.0, 253.0, 1700.0]


def watched(ready: float, *, estimate: bool, fraction: bool) -> list[float]:
    """Return the times of all looks at a task that is ready after so many seconds."""
    looks, pause = [0.0], 0.0
    while looks[-1] < ready:
        left = ready - looks[-1]
        share = looks[-1] / ready if fraction else None
        answer = Progress("Generating", share, left if estimate else None)
        pause = next_pause(answer, pause)
        looks.append(looks[-1] + pause)
    return looks


@pytest.mark.parametrize("ready", TIMES)
@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("fraction", [False, True])
def test_a_result_is_noticed_within_two_seconds_with_few_requests(
    ready: float, estimate: bool, fraction: bool
) -> None:
    looks = watched(ready, estimate=estimate, fraction=fraction)
    assert looks[-1] - ready <= 2.0
    for start in looks:
        assert sum(start <= look < start + 60.0 for look in looks) <= 60
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert all(1.0 <= gap <= 10.0 for gap in gaps)


def test_a_good_estimate_saves_requests() -> None:
    patient = watched(253.0, estimate=True, fraction=False)
    eager = watched(253.0, estimate=False, fraction=False)
    assert len(patient) < len(eager) / 2


def test_a_lost_connection_is_tolerated_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("image_to_mesh.jobs.steps.polling.time.monotonic", lambda: now[0])

    def lost() -> Progress:
        raise Unreachable("No connection.")

    patience = OutageTolerance()
    for _ in range(3):
        answer = patience.ask(lost)
        assert isinstance(answer, Progress)
        assert answer.phase == "Waiting for the connection"
        now[0] += polling.OUTAGE / 3
    patience.ask(lambda: Progress("back"))
    patience.ask(lost)
    now[0] += polling.OUTAGE + 1
    with pytest.raises(Unreachable):
        patience.ask(lost)
