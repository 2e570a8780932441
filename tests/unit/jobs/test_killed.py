# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes killed at every state of a job, with each service: resumed, the mesh arrives, once."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.files import big_glb
from fakes.glb import triangle_glb
from fakes.processes import Processes, processes
from fakes.running import wait_until
from fakes.served import SERVICES, Place

from image_to_mesh.jobs import Library, Record, State

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="its processes fork"),
]

SIZE = 300_000
"""Bytes of the mesh: a hundredth of them is a piece."""

UNSENT = ("before submit", "uploaded")
IN_SUBMIT = ("about to submit", "answer coming")
ANSWERED = ("answer kept", "submit sent", "answer not written")
SENT = (
    *("polling", "downloading 0", "downloading 50", "downloading 99", "mesh not noted"),
    *("before prepare", "after prepare", "before import"),
)
HOME = ("about to submit", "answer not written", "polling", "before make", "after make")
HOME_LATE = ("mesh not noted", "before prepare", "after prepare", "before import")
LAST = {State.PREPARING, State.READY}
SEED = 20261121
TIMES = 3
"""Random times for each service."""


LOCAL: dict[str, Any] = {"provider": "local", "url": "", "keys": {}}


@pytest.fixture(scope="module")
def forks() -> Iterator[Processes]:
    """The process that forks."""
    with processes() as started:
        yield started


@pytest.fixture(scope="module", params=SERVICES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each of the services."""
    with SERVICES[request.param](SIZE) as served:
        yield served


def only(library: Path) -> Record:
    """Return the one job of a library."""
    records, problems = Library(library).all()
    assert not problems, "the library reports problems"
    (record,) = records
    return record


def has_answer(library: Path) -> bool:
    """Return whether the one job is ready, with a whole mesh and the files prepared from it."""
    record = only(library)
    folder = Library(library).folder(record.id)
    whole = (triangle_glb(7), big_glb(SIZE))
    assert record.mesh is None or (folder / record.mesh).read_bytes() in whole
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    leftover = [name for name in hidden if name != ".model.blend.mark"]
    return (record.state, record.blend, leftover) == (State.READY, "model.blend", [])


@pytest.mark.parametrize("at", UNSENT)
def test_a_job_killed_before_the_submit_is_submitted_once(
    forks: Processes, place: Place, tmp_path: Path, at: str
) -> None:
    before = place.creates()
    assert forks.run("generate", place.order, tmp_path, at=at) == {}
    assert only(tmp_path).state is State.QUEUED
    assert list(forks.run("resume", place.order, tmp_path).values()) == ["done"]
    assert has_answer(tmp_path)
    assert place.creates() - before == 1


@pytest.mark.parametrize("at", IN_SUBMIT)
def test_a_job_killed_during_the_submit_is_never_sent_twice(
    forks: Processes, place: Place, tmp_path: Path, at: str
) -> None:
    if not place.lists_images:
        place.forget()
    before = place.creates()
    assert forks.run("generate", place.order, tmp_path, at=at) == {}
    assert only(tmp_path).state is State.SUBMITTING
    ordered = place.creates() - before
    assert ordered == (at != "about to submit")
    for _ in range(2):
        forks.run("resume", place.order, tmp_path)
    record = only(tmp_path)
    if ordered and place.lists:
        assert has_answer(tmp_path)
        assert "the task was found at the service" in record.notes[0]
    else:
        assert record.state is State.UNCERTAIN
        assert record.submitted, "the record has no time of its order"
        assert record.request_hash, "the record has no request hash"
        assert record.failure, "the record has no failure"
        assert record.failure.kind == "uncertain"
    assert place.creates() - before == ordered


@pytest.mark.parametrize("at", ANSWERED)
def test_a_job_killed_before_the_answer_was_read_is_uncertain(
    forks: Processes, place: Place, tmp_path: Path, at: str
) -> None:
    """The received answer is in the job's folder, and the next process reads it."""
    before = place.creates()
    assert forks.run("generate", place.order, tmp_path, at=at) == {}
    assert only(tmp_path).state is State.SUBMITTING
    assert list(forks.run("resume", place.order, tmp_path).values()) == ["done"]
    assert has_answer(tmp_path)
    assert not list(tmp_path.glob("*/answer*"))
    assert place.creates() - before == 1


@pytest.mark.parametrize("at", SENT)
def test_a_job_killed_after_the_submit_is_resumed(
    forks: Processes, place: Place, tmp_path: Path, at: str
) -> None:
    before, got = place.creates(), place.downloads()
    assert forks.run("generate", place.order, tmp_path, at=at) == {}
    assert only(tmp_path).state is not State.SUBMITTING
    ends = forks.run("resume", place.order, tmp_path)
    assert list(ends.values()) == ([] if at == "before import" else ["done"])
    assert has_answer(tmp_path)
    assert place.creates() - before == 1
    assert place.downloads() - got == (2 if at.startswith("downloading") else 1)


@pytest.mark.parametrize("at", [*HOME, *HOME_LATE])
def test_a_local_job_that_was_killed_is_made_again(
    forks: Processes, tmp_path: Path, at: str
) -> None:
    assert forks.run("generate", LOCAL, tmp_path, at=at) == {}
    forks.run("resume", LOCAL, tmp_path)
    assert has_answer(tmp_path)


@pytest.mark.parametrize("number", range(TIMES))
def test_a_job_killed_at_a_random_time_is_paid_for_once(
    forks: Processes, place: Place, tmp_path: Path, number: int
) -> None:
    chance = random.Random(f"{SEED} {place.order['provider']} {number}")
    moment = chance.uniform(0.0, 0.4)
    print(f"killed after {moment:.3f} s")
    before = place.creates()
    how = {"in": moment, "pause": 0.03}
    forks.run("generate", place.order, tmp_path, **how)
    how["in"] = chance.uniform(0.0, 0.3)
    forks.run("resume", place.order, tmp_path, **how)
    forks.run("resume", place.order, tmp_path)
    if not Library(tmp_path).jobs():
        assert place.creates() == before
        return
    assert has_answer(tmp_path) or only(tmp_path).state is State.UNCERTAIN
    assert place.creates() - before <= 1
    assert place.creates() - before == 1 or only(tmp_path).state is State.UNCERTAIN


# -- two at once ---------------------------------------------------------------------------------


def test_two_processes_run_each_job_once(forks: Processes, place: Place, tmp_path: Path) -> None:
    count = 4
    before, got = place.creates(), place.downloads()
    for number in range(count):
        at = "polling" if number % 2 else "before submit"
        forks.run("generate", place.order, tmp_path, at=at)
    first = forks.begin("resume", place.order, tmp_path, at="stuck")
    # The second starts while the first works on the job, at an arbitrary step.
    assert set(forks.run("resume", place.order, tmp_path).values()) <= {"library", "done"}
    wait_until(lambda: {row.state for row in Library(tmp_path).all()[0]} <= LAST)
    forks.kill(first)
    wait_until(lambda: "library" not in forks.run("resume", place.order, tmp_path).values())
    assert [row.state for row in Library(tmp_path).all()[0]] == [State.READY] * count
    assert place.creates() - before == count
    assert place.downloads() - got == count


def test_a_job_that_another_process_works_on_is_skipped(
    forks: Processes, place: Place, tmp_path: Path
) -> None:
    before, got = place.creates(), place.downloads()
    forks.run("generate", place.order, tmp_path, at="polling")
    job = only(tmp_path).id
    first = forks.begin("resume", place.order, tmp_path, at="stuck")
    wait_until(lambda: only(tmp_path).state is State.PREPARING)
    for _ in range(2):
        assert forks.run("resume", place.order, tmp_path) == {job: "library"}
    assert Library(tmp_path).is_held(job)
    assert only(tmp_path).failure is None
    forks.kill(first)
    wait_until(lambda: not Library(tmp_path).is_held(job))
    assert forks.run("resume", place.order, tmp_path) == {job: "done"}
    assert has_answer(tmp_path)
    assert (place.creates() - before, place.downloads() - got) == (1, 1)
