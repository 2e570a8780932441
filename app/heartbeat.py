# SPDX-License-Identifier: GPL-3.0-or-later
"""One timer for everything that is polled; it stops when no step is needed.

Each `bpy.app.timers` function costs a call into Python on the main thread. With one timer that
stops by itself, an idle Blender makes no call at all. `wake` restarts it: whenever the tab is
drawn, and when work is started whose result is awaited.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import bpy

from ..state import visibility

IN_SIGHT = 0.5
"""Interval in seconds of the steps that serve the tab while a window shows it."""
EARLY = 0.01
"""Seconds by which a tick may come early: Blender's clock differs from Python's."""
PAUSE = 30.0
"""Seconds for which a step that raised an error is suspended, so that it does not flood the log."""


class Step(NamedTuple):
    """Work that is repeated every `interval` seconds while `is_needed` returns True.

    `run` gets the context and the time in seconds of the monotonic clock.
    """

    name: str
    interval: float
    is_needed: Callable[[bpy.types.Context], bool]
    run: Callable[[bpy.types.Context, float], None]


_steps: dict[str, Step] = {}
_due: dict[str, float] = {}
"""When each needed step runs next, in seconds of the monotonic clock."""


def add(step: Step) -> None:
    """Add a step, which then runs at its interval while it is needed."""
    _steps[step.name] = step
    wake()


def remove(step: Step) -> None:
    """Remove a step, so that it does not run again."""
    _steps.pop(step.name, None)
    _due.pop(step.name, None)


def wake() -> None:
    """Schedule a tick at once, unless one is scheduled or Blender runs in the background."""
    # Without a window there is nothing to draw; scripts wait for their results themselves.
    if bpy.app.background or bpy.app.timers.is_registered(_tick):
        return
    # persistent: Blender drops all other timers when a file is opened.
    bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def hasten(step: Step) -> None:
    """Run a step as soon as possible if it is needed, instead of when it is next due."""
    _due[step.name] = 0.0
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    wake()


def beat(context: bpy.types.Context, now: float) -> float | None:
    """Run the needed steps that are due; return the seconds to the next tick, or None to stop."""
    # A copy: a step may add or remove steps.
    for step in tuple(_steps.values()):
        if _due.get(step.name, now) <= now + EARLY and _is_needed(step, context):
            # Before it runs, so that a step that raises still has a next time.
            _due[step.name] = _next(step, now)
            _run(step, context, now)
    needed = {step.name: step for step in _steps.values() if _is_needed(step, context)}
    for name in _due.keys() - needed.keys():
        del _due[name]
    times = [_due.setdefault(name, _next(step, now)) for name, step in needed.items()]
    # None ends the timer: Blender then calls nothing until something wakes it.
    return max(0.0, min(times) - now) if times else None


def register() -> None:
    """Have each draw of the tab wake the heartbeat."""
    visibility.add_waker(wake)


def unregister() -> None:
    """Stop the timer and drop all steps."""
    visibility.remove_waker(wake)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _steps.clear()
    _due.clear()


def _tick() -> float | None:
    return beat(bpy.context, time.monotonic())


def _next(step: Step, now: float) -> float:
    """Return when a step runs next, in seconds of the monotonic clock.

    Steps with the same interval run at the same multiples of it and so share ticks, no matter when
    they were woken: six steps of half a second cost two callbacks per second, not twelve.
    """
    return (math.floor((now + EARLY) / step.interval) + 1) * step.interval


def _run(step: Step, context: bpy.types.Context, now: float) -> None:
    try:
        step.run(context, now)
    except Exception:  # guard: one-bad-step
        import logging  # not needed when Blender starts

        logging.getLogger(__name__).exception("heartbeat step %s", step.name)
        _due[step.name] = now + PAUSE


def _is_needed(step: Step, context: bpy.types.Context) -> bool:
    try:
        return step.is_needed(context)
    except Exception:
        import logging

        logging.getLogger(__name__).exception("heartbeat step %s", step.name)
        return False
