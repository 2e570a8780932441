# SPDX-License-Identifier: GPL-3.0-or-later
"""The cancel token at every step: a cancel, the end of the process, the deadline."""

from __future__ import annotations

import pytest

from image_to_mesh.jobs import cancel_token
from image_to_mesh.jobs.abandonable_call import Closed
from image_to_mesh.jobs.cancel_token import CancelToken, Step
from image_to_mesh.providers import Cancelled, TimedOut


def token(
    limit: float = 60.0, user_limit: float | None = None, *, asked: bool = False
) -> CancelToken:
    """A token of a job that another process did, or did not, ask to cancel."""
    return CancelToken(limit, user_limit, lambda: asked)


def ending(made: CancelToken, step: Step) -> type[Exception] | None:
    """Return what the check of a step raises."""
    try:
        made.check(step)
    except (Cancelled, Closed, TimedOut) as error:
        return type(error)
    return None


@pytest.mark.parametrize("step", Step)
def test_nothing_ends_a_job_that_nobody_stops(step: Step) -> None:
    assert ending(token(), step) is None


@pytest.mark.parametrize("step", Step)
def test_the_end_of_the_process_ends_every_step(step: Step) -> None:
    made = token(-1.0, asked=True)
    made.cancel()
    made.close()
    assert made.is_closed, "the token is not closed"
    assert ending(made, step) is Closed


@pytest.mark.parametrize("step", Step)
def test_a_cancel_ends_every_step_but_what_follows_a_cancel(step: Step) -> None:
    made = token()
    made.cancel()
    assert ending(made, step) is (None if step is Step.LAST_WORDS else Cancelled)


@pytest.mark.parametrize("step", [Step.WORK, Step.DOWNLOAD, Step.ORDER, Step.PAUSE])
def test_another_process_can_cancel(step: Step) -> None:
    assert ending(token(asked=True), step) is Cancelled


def test_a_cancel_request_of_another_process_is_polled_at_intervals() -> None:
    calls: list[int] = []

    def poll() -> bool:
        calls.append(1)
        return False

    made = CancelToken(60.0, None, poll)
    for _ in range(100):
        made.check()
    assert len(calls) == 1
    made._polled -= cancel_token.POLL_SECONDS + 0.1
    made.check()
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("step", "provider_ends", "user_ends"),
    [
        (Step.WORK, True, True),
        (Step.DOWNLOAD, False, True),
        (Step.ORDER, False, False),
        (Step.REFUSED_ORDER, False, False),
        (Step.PAUSE, True, True),
        (Step.LAST_WORDS, False, False),
    ],
)
def test_the_deadline_of_provider_and_user_ends_a_step(
    step: Step, provider_ends: bool, user_ends: bool
) -> None:
    assert ending(token(-1.0), step) is (TimedOut if provider_ends else None)
    assert ending(token(60.0, -1.0), step) is (TimedOut if user_ends else None)


def test_a_charged_mesh_is_collected_after_a_cancel() -> None:
    made = token()
    before = made.wants_result
    made.cancel()
    assert (before, made.wants_result) == (False, True)
    made.end_for_user()
    assert ending(made, Step.WORK) is None
    assert ending(made, Step.REFUSED_ORDER) is Cancelled
    before = made.is_collecting
    assert made.start_collecting()
    assert (before, made.is_collecting) == (False, True)
    made.cancel(collect=False)
    assert ending(made, Step.WORK) is Cancelled
    assert ending(made, Step.PAUSE) is Cancelled


def test_a_mesh_that_is_not_wanted_is_not_collected() -> None:
    made = token()
    made.cancel(collect=False)
    made.end_for_user()
    assert not made.wants_result, "the result is still wanted"
    assert not made.start_collecting()
    assert ending(made, Step.WORK) is Cancelled
    assert ending(made, Step.PAUSE) is None
    assert ending(made, Step.LAST_WORDS) is None


def test_the_deadline_does_not_end_a_pause_after_the_service_got_the_cancel() -> None:
    made = token(-1.0)
    made.cancel()
    made.end_for_user()
    assert ending(made, Step.PAUSE) is None
    made.start_collecting()
    assert ending(made, Step.PAUSE) is TimedOut
