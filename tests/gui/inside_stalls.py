# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: measures how long the add-on's callbacks block the main thread."""

from __future__ import annotations

import sys
import time
from typing import Any

import bpy

_CALLED_BY_BLENDER = ("poll", "invoke", "execute", "modal", "cancel", "draw")
_TIMERS = ("_come_back", "_tick")
_EVERY = 0.005

calls: dict[str, list[tuple[float, float]]] = {}
"""For each function, the wall-clock time and the CPU time of each call."""
_wrapped: list[tuple[Any, str, Any]] = []
_gaps: list[float] = []
_last: list[float] = []
_marks: dict[str, float] = {}


def measure_callbacks(package: str) -> list[str]:
    """Time every function of the package that Blender calls; return their names."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            for value in list(vars(module).values()):
                if _is_blenders(value) and value.__module__ == name:
                    _wrap_methods(value)
            for timer in _TIMERS:
                if timer in vars(module):
                    _wrap(module, timer)
    return sorted(f"{owner.__name__}.{name}" for owner, name, _ in _wrapped)


def stop_measuring_callbacks() -> dict[str, tuple[float, float]]:
    """Restore the functions; return the longest call of each, in wall-clock and in CPU time.

    Both are in seconds and may be of different calls.
    """
    while _wrapped:
        owner, name, plain = _wrapped.pop()
        setattr(owner, name, plain)
    longest = {
        name: (max(clock for clock, _ in times), max(processor for _, processor in times))
        for name, times in calls.items()
        if times
    }
    calls.clear()
    return longest


def start_ticking() -> None:
    """Tick as often as Blender lets a timer."""
    _gaps.clear()
    _marks.clear()
    _last[:] = [time.monotonic()]
    bpy.app.timers.register(_tick)


def stop_ticking() -> list[float]:
    """Return the gaps between ticks in seconds, longest first."""
    bpy.app.timers.unregister(_tick)
    return sorted(_gaps, reverse=True)


def first_seen() -> float | None:
    """Return when a tick first saw a generated mesh in the scene, on the machine's clock."""
    return _marks.get("mesh")


def _tick() -> float:
    now = time.monotonic()
    _gaps.append(now - _last[0])
    _last[0] = now
    if "mesh" not in _marks and any("image_to_mesh_job" in obj for obj in bpy.data.objects):
        _marks["mesh"] = now
    return _EVERY


def _is_blenders(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, bpy.types.bpy_struct)


def _wrap_methods(owner: type) -> None:
    for name in _CALLED_BY_BLENDER:
        if name in vars(owner):
            _wrap(owner, name)


def _wrap(owner: Any, name: str) -> None:
    plain = vars(owner)[name]
    function = plain.__func__ if isinstance(plain, classmethod) else plain
    times = calls.setdefault(f"{owner.__name__.rpartition('.')[2]}.{name}", [])

    def run_timed(*given: Any) -> Any:
        clock, processor = time.perf_counter(), time.thread_time()
        try:
            return function(*given)
        finally:
            times.append((time.perf_counter() - clock, time.thread_time() - processor))

    _wrapped.append((owner, name, plain))
    timed = _shaped_like(function, run_timed)
    setattr(owner, name, classmethod(timed) if isinstance(plain, classmethod) else timed)


def _shaped_like(function: Any, run_timed: Any) -> Any:
    """Return a wrapper with the same number of parameters: Blender passes as many arguments."""
    shapes = {
        0: lambda: run_timed(),
        2: lambda item, context: run_timed(item, context),
        3: lambda item, context, event: run_timed(item, context, event),
    }
    return shapes[function.__code__.co_argcount]
