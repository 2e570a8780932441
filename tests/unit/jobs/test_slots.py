# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots at a service: never more than its limit, shared pauses, no slot left empty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from image_to_mesh.jobs import slots
from image_to_mesh.jobs.slots import Slot, Slots
from image_to_mesh.jobs.steps.polling import next_pause
from image_to_mesh.providers import Progress

WORKING = Progress("Working")


class Stop(Exception):
    """Ends the wait for a slot."""


def stop_after(seconds: float) -> Callable[[], None]:
    """Return a check that ends the waiting."""
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise Stop

    return check


def never() -> None:
    """Never stop the wait."""


def holds_slot(slot: Slot) -> bool:
    """Return whether a slot is free at once."""
    try:
        slot.take(stop_after(0.2))
    except Stop:
        return False
    return True


def test_a_single_job_always_gets_a_slot() -> None:
    assert [number for number in range(20) if not holds_slot(Slot())] == []


def test_no_more_jobs_run_than_there_are_slots() -> None:
    shared = Slots(2)
    first, second, third = (Slot(shared) for _ in range(3))
    assert shared.coming == 3
    assert holds_slot(first)
    assert holds_slot(second)
    assert not holds_slot(third)
    first.leave()
    assert holds_slot(third)
    assert shared.coming == 0
    second.leave()
    third.leave()
    assert not shared.having, "a slot is still taken"


def test_slots_are_given_in_order_of_arrival() -> None:
    shared = Slots(1)
    holder = Slot(shared)
    holder.take(never)
    served: list[int] = []

    def wait(number: int, slot: Slot) -> None:
        slot.take(never)
        served.append(number)
        slot.leave()

    threads = []
    for number in range(5):
        slot = Slot(shared)
        threads.append(threading.Thread(target=wait, args=(number, slot)))
        threads[-1].start()
        while len(shared.queue) <= number:
            time.sleep(0.001)
    holder.leave()
    for thread in threads:
        thread.join(10)
    assert served == list(range(5))


def test_a_submitted_task_already_holds_a_slot() -> None:
    shared = Slots(1)
    there, other = Slot(shared), Slot(shared)
    there.resume()
    assert not holds_slot(other)
    there.leave()
    assert holds_slot(other)


def test_a_rate_limit_pauses_all_jobs_of_the_service() -> None:
    shared = Slots(10)
    three, fourth, fifth = [Slot(shared) for _ in range(3)], Slot(shared), Slot(shared)
    for item in (*three, fourth):
        item.take(never)
    begun = time.monotonic()
    fourth.give_back(1.0)
    three[0].leave(finished=True)
    fifth.take(never)
    assert time.monotonic() - begun >= 1.0
    assert not holds_slot(fourth)  # the service had three, and has three again
    fifth.leave()
    assert holds_slot(fourth)


def test_after_a_quiet_time_one_more_slot_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Slots(2)
    first, second = Slot(shared), Slot(shared)
    first.take(never)
    second.take(never)
    second.give_back(0.0)
    monkeypatch.setattr(slots, "QUIET", 0.0)
    first.leave(finished=True)
    first, third = Slot(shared), Slot(shared)
    assert holds_slot(first)
    assert holds_slot(second)
    assert not holds_slot(third)  # and never more than the service says that it takes


def test_closing_waits_for_answers_and_starts_no_order() -> None:
    shared = Slots(2)
    ordering, answered = Slot(shared), Slot(shared)
    ordering.take(never)
    answered.take(never)
    answered.resume()
    threading.Timer(0.3, ordering.resume).start()
    begun = time.monotonic()
    shared.close(20.0)
    assert 0.2 < time.monotonic() - begun < 15.0
    answered.leave()
    assert not holds_slot(Slot(shared))


def test_a_finished_task_is_noticed_soon_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("image_to_mesh.jobs.slots.time.monotonic", lambda: now[0])

    def poll_times(slot: Slot, takes: float) -> list[float]:
        slot.take(never)
        start, pause, seen = now[0], 0.0, [0.0]
        while seen[-1] < takes:
            pause = slot.pause(next_pause(WORKING, pause))
            now[0] += pause
            seen.append(now[0] - start)
        slot.leave(finished=True)
        return seen

    shared = Slots(1)
    waiting = Slot(shared)
    assert poll_times(Slot(shared), 33.0)[-1] <= 35.0
    for _ in range(3):
        last = poll_times(Slot(shared), 33.0)
    assert last[-1] - 33.0 <= 0.02 * 33.0 + slots.SHORTEST_PAUSE
    assert len(last) < 33
    waiting.take(never)
    waiting.leave()
    gaps = poll_times(Slot(shared), 33.0)
    assert gaps[-1] - gaps[-2] >= 1.0  # nobody waits: no need to hurry
