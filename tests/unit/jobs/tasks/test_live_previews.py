# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews while a setting is dragged: the newest wins, and the process does not stay."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.leftovers import Leftovers

from image_to_mesh.jobs.library.store import Library
from image_to_mesh.jobs.tasks.live_previews import LiveArrays, LivePreviews, LiveRequest
from image_to_mesh.jobs.values import InputPicture, Record, State
from image_to_mesh.providers import PictureInfo

WITHIN = 10.0
JOB = "20260101-000000-cup-0000"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library with one finished job."""
    picture = InputPicture("front", "cup", "cup.png", info=PictureInfo("png", 64, 48))
    record = Record(
        JOB, State.READY, "local", "cup", "2026-01-01T00:00:00+00:00",
        pictures=(picture,), settings={"thickness": 1.0}, mesh="mesh.glb",
    )  # fmt: skip
    Library(tmp_path / "library").create(record, {"cup.png": b"picture"})
    return tmp_path / "library"


@pytest.fixture
def previews() -> Iterator[LivePreviews]:
    """Previews that end with the test."""
    found = LivePreviews()
    yield found
    found.close(WITHIN)


Ask = Callable[..., int]


@pytest.fixture
def ask(library: Path, previews: LivePreviews) -> Ask:
    """Return a function that requests a preview and returns its number."""
    numbers = itertools.count(1)

    def request(thickness: float, *, command: tuple[str, ...] = WORKER, **settings: Any) -> int:
        number = next(numbers)
        asked = {"thickness": thickness, **settings}
        previews.ask(LiveRequest(number, command, library, JOB, asked))
        return number

    return request


def wait_for(previews: LivePreviews, number: int) -> LiveArrays:
    """Return the answer with this number."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if (found := previews.take()) is not None and found.number == number:
            return found
        time.sleep(0.005)
    raise AssertionError(f"no answer {number}")


def test_an_answer_is_arrays(ask: Ask, previews: LivePreviews) -> None:
    found = wait_for(previews, ask(1.5))
    assert list(found.vertices) == [1.5, *[0.0] * 8]
    assert list(found.corners) == [0, 1, 2]
    assert len(found.uvs) == 6
    assert found.faces == 1
    assert previews.take() is None


def test_requests_that_were_overtaken_are_dropped(ask: Ask, previews: LivePreviews) -> None:
    wait_for(previews, ask(1.0))
    first = ask(1.1, wait=0.3)
    time.sleep(0.1)  # it is being worked on
    started = time.monotonic()
    for step in range(20):
        last = ask(2.0 + step, wait=0.3)
    seen = set()
    while last not in seen:
        assert time.monotonic() < started + WITHIN
        if (found := previews.take()) is not None:
            seen.add(found.number)
        time.sleep(0.005)
    assert seen == {first, last}


def test_arrays_that_do_not_fit_are_not_shown(ask: Ask, previews: LivePreviews) -> None:
    for corners in ((0, 1, 3), (0, 1, -1)):
        ask(1.0, corners=corners)
        wait_for(previews, ask(2.0))


def test_a_picture_that_is_a_link_is_not_opened(
    ask: Ask, previews: LivePreviews, library: Path, tmp_path: Path
) -> None:
    picture = library / JOB / "cup.png"
    picture.rename(tmp_path / "elsewhere.png")
    picture.symlink_to(tmp_path / "elsewhere.png")
    ask(1.0)
    time.sleep(0.5)
    assert previews.take() is None
    picture.unlink()
    picture.write_bytes(b"picture")
    wait_for(previews, ask(1.0))


@pytest.mark.parametrize("fault", ["crash", "die", "refuse"])
def test_after_a_failure_the_next_process_answers(
    ask: Ask, previews: LivePreviews, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("FAKE_WORKER", fault)
    ask(1.0)
    time.sleep(0.5)
    assert previews.take() is None
    monkeypatch.delenv("FAKE_WORKER")
    if fault != "die":  # otherwise the process is still there
        previews.close(WITHIN)
    wait_for(previews, ask(2.0))


def test_a_program_that_is_no_blender_is_tried_once(
    ask: Ask, previews: LivePreviews, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    program = tmp_path / "blender"
    program.write_text(f"#!/bin/sh\necho start >> '{starts}'\n")
    program.chmod(0o755)
    for _ in range(3):
        ask(1.0, command=(str(program),))
        time.sleep(0.3)
    assert starts.read_text().splitlines() == ["start"]
    wait_for(previews, ask(2.0))


def test_the_process_ends_when_it_is_not_used(library: Path) -> None:
    before, previews = Leftovers(), LivePreviews(idle_limit=0.2)
    previews.ask(LiveRequest(1, WORKER, library, JOB, {"thickness": 1.0}))
    wait_for(previews, 1)
    assert before.since() == []
    assert not previews.is_running
    previews.ask(LiveRequest(2, WORKER, library, JOB, {"thickness": 2.0}))
    wait_for(previews, 2)
    assert before.since() == []


def test_closing_ends_it_in_the_middle_of_its_work(library: Path) -> None:
    before, previews = Leftovers(), LivePreviews()
    previews.ask(LiveRequest(1, WORKER, library, JOB, {"thickness": 1.0}))
    wait_for(previews, 1)
    previews.ask(LiveRequest(2, WORKER, library, JOB, {"thickness": 2.0, "wait": 60.0}))
    time.sleep(0.2)
    started = time.monotonic()
    previews.close(WITHIN)
    assert time.monotonic() - started < 2.0
    assert before.since() == []
    assert previews.take() is None


def test_it_goes_on_after_closing(ask: Ask, previews: LivePreviews) -> None:
    wait_for(previews, ask(1.0))
    previews.close()
    wait_for(previews, ask(2.0))
