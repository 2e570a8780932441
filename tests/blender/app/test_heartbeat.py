# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat: one timer that runs what is needed at its interval, and stops by itself."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = 1000.2


class Work:
    """A step that records when it runs."""

    def __init__(self, name: str, interval: float) -> None:
        self.runs: list[float] = []
        self.needed = True
        self.step = addon_module("app.heartbeat").Step(
            name, interval, lambda _: self.needed, self._run
        )

    def _run(self, _: bpy.types.Context, now: float) -> None:
        self.runs.append(now)


@pytest.fixture
def heartbeat(addon: ModuleType) -> Iterator[Any]:
    """The heartbeat without the add-on's own steps."""
    module = addon_module("app.heartbeat")
    addon_module("app.periodic").unregister()
    others = dict(module._steps)  # the operators' own
    module._steps.clear()
    yield module
    for step in list(module._steps.values()):
        module.remove(step)
    module._steps.update(others)
    addon_module("app.periodic").register()


@pytest.fixture
def with_window(heartbeat: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Return a function that tells whether the timer runs, in a Blender with a window."""
    app = SimpleNamespace(background=False, timers=bpy.app.timers)
    monkeypatch.setattr(heartbeat, "bpy", SimpleNamespace(app=app, context=bpy.context))
    yield lambda: bool(bpy.app.timers.is_registered(heartbeat._tick))
    if bpy.app.timers.is_registered(heartbeat._tick):
        bpy.app.timers.unregister(heartbeat._tick)


def run_for(heartbeat: Any, seconds: float) -> list[float]:
    """Tick as Blender's timer would; return the times of the ticks."""
    now, ticks = START, []
    while now < START + seconds:
        ticks.append(now)
        delay = heartbeat.beat(bpy.context, now)
        if delay is None:
            break
        now += delay
    return ticks


def test_the_heartbeat_stops_when_no_step_is_needed(heartbeat: Any) -> None:
    assert heartbeat.beat(bpy.context, START) is None, "no step at all"
    work = Work("work", 0.5)
    heartbeat.add(work.step)
    assert heartbeat.beat(bpy.context, START) is not None
    work.needed = False
    assert heartbeat.beat(bpy.context, START + 0.5) is None
    assert work.runs == [START]


def test_a_step_runs_at_its_interval(heartbeat: Any) -> None:
    fast, slow = Work("fast", 0.1), Work("slow", 0.5)
    heartbeat.add(fast.step)
    heartbeat.add(slow.step)
    run_for(heartbeat, 10.0)
    assert len(slow.runs) in (20, 21)
    assert len(fast.runs) in (100, 101)
    apart = [after - before for before, after in zip(slow.runs[1:], slow.runs[2:], strict=False)]
    assert apart == pytest.approx([0.5] * len(apart))


def test_steps_of_one_interval_share_their_ticks(heartbeat: Any) -> None:
    first, second = Work("first", 0.5), Work("second", 0.5)
    second.needed = False
    heartbeat.add(first.step)
    heartbeat.add(second.step)
    heartbeat.beat(bpy.context, START)
    second.needed = True
    heartbeat.beat(bpy.context, START + 0.15)  # as if a faster step had its tick here
    ticks = run_for(heartbeat, 10.0)
    assert len(ticks) <= 21
    assert first.runs[-10:] == second.runs[-10:]


def test_a_tick_that_comes_a_little_early_is_not_repeated(heartbeat: Any) -> None:
    work = Work("work", 0.5)
    heartbeat.add(work.step)
    heartbeat.beat(bpy.context, 1000.0)
    assert heartbeat.beat(bpy.context, 1000.4999) == pytest.approx(0.5, abs=0.01)
    assert len(work.runs) == 2


def test_one_bad_step_does_not_stop_the_others(
    heartbeat: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("spoiled")

    good = Work("good", 0.5)
    heartbeat.add(heartbeat.Step("bad", 0.5, lambda _: True, fail))
    heartbeat.add(heartbeat.Step("undecided", 0.5, fail, fail))
    heartbeat.add(good.step)
    run_for(heartbeat, 5.0)
    assert len(good.runs) in (10, 11)
    failures = [record.getMessage() for record in caplog.records]
    assert failures.count("heartbeat step bad") == 1, "a step that fails is left alone for a while"


def test_drawing_the_tab_wakes_the_heartbeat(
    heartbeat: Any, with_window: Callable[[], bool]
) -> None:
    work = Work("work", 0.5)
    heartbeat.add(work.step)
    bpy.app.timers.unregister(heartbeat._tick)
    draw()
    assert with_window()


def test_the_heartbeat_does_not_start_without_a_window(heartbeat: Any) -> None:
    assert bpy.app.background
    heartbeat.add(Work("work", 0.5).step)
    draw()
    assert not bpy.app.timers.is_registered(heartbeat._tick)


def test_unregistering_stops_the_heartbeat_at_once(
    heartbeat: Any, with_window: Callable[[], bool]
) -> None:
    heartbeat.add(Work("work", 0.5).step)
    assert with_window()
    heartbeat.unregister()
    assert not with_window()
    draw()
    assert not with_window(), "a draw that comes later does not start it again"
    heartbeat.register()


def test_running_mesh_edits_keep_the_heartbeat_going_without_the_tab(
    addon: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat, mesh_edits = addon_module("app.heartbeat"), addon_module("app.periodic.mesh_edits")
    assert not addon_module("app.redraw").is_shown(bpy.context)
    assert heartbeat.beat(bpy.context, START) is None
    edits = type(addon_module("jobs.tasks.mesh_edits").mesh_edits())
    monkeypatch.setattr(edits, "running", lambda _: True)
    mesh_edits.follow()
    assert heartbeat.beat(bpy.context, START) is not None
    monkeypatch.setattr(edits, "running", lambda _: False)
    assert heartbeat.beat(bpy.context, START + 1.0) is None
