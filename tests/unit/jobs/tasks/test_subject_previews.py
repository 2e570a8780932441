# SPDX-License-Identifier: GPL-3.0-or-later
"""While a setting is dragged, only the newest value is drawn next."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from image_to_mesh.jobs.tasks import subject_previews
from image_to_mesh.jobs.tasks.image_reports import ImageReport, SmallCopy
from image_to_mesh.jobs.tasks.subject_previews import PreviewRequest, SubjectPreviews

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT = ImageReport(copy=SmallCopy(1, 1, b"\1\2\3\4"))


class SlowWorker:
    """Stands in for the background Blender; it answers once it may."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.may_answer = threading.Event()

    def __call__(self, _command: object, **_: object) -> SlowWorker:
        return self

    def ask(self, request: dict[str, Any], *_: object) -> dict[str, Any]:
        """Write one pixel and report a subject."""
        self.asked.append(request["tolerance"])
        assert self.may_answer.wait(10)
        Path(request["preview"]).write_bytes(b"\1\2\3\4")
        return {"width": 1, "height": 1, "clear": True, "parts": 3}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> SlowWorker:
    """The worker of this test."""
    slow = SlowWorker()
    monkeypatch.setattr(subject_previews, "BackgroundBlender", slow)
    return slow


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def wish(tolerance: float) -> PreviewRequest:
    """Return a request with a tolerance."""
    return PreviewRequest("cup", "border", tolerance)


def test_values_that_were_passed_on_the_way_are_never_drawn(worker: SlowWorker) -> None:
    previews = SubjectPreviews()
    previews.want(wish(0.1), REPORT, ())
    until(lambda: worker.asked == [0.1])
    for tolerance in (0.2, 0.3, 0.4):
        previews.want(wish(tolerance), REPORT, ())
    worker.may_answer.set()
    until(lambda: previews.latest is not None and previews.latest.request == wish(0.4))
    assert worker.asked == [0.1, 0.4]


def test_the_same_wish_is_drawn_once(worker: SlowWorker) -> None:
    previews = SubjectPreviews()
    worker.may_answer.set()
    for _ in range(3):
        previews.want(wish(0.1), REPORT, ())
        until(lambda: previews.latest is not None)
    assert worker.asked == [0.1]


def test_the_report_says_what_these_settings_find(worker: SlowWorker) -> None:
    previews = SubjectPreviews()
    worker.may_answer.set()
    previews.want(wish(0.1), REPORT, ())
    until(lambda: previews.latest is not None)
    assert previews.latest is not None
    assert (previews.latest.report.subjects, list(previews.latest.pixels)) == (3, [0x04030201])


def test_a_worker_that_fails_leaves_the_image_without_a_picture(
    worker: SlowWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(worker, "ask", fail)
    previews = SubjectPreviews()
    previews.want(wish(0.1), REPORT, ())
    until(lambda: previews.latest is not None)
    assert previews.latest is not None
    assert (previews.latest.report, len(previews.latest.pixels)) == (REPORT, 0)
