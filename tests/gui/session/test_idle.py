# SPDX-License-Identifier: GPL-3.0-or-later
"""No timer runs in an idle Blender, while there is nothing to do and nothing to show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gui.artist import ADDON

if TYPE_CHECKING:
    from gui.conftest import StartBlender
    from gui.harness import Session

SECONDS = 10.0
COUNT = f"""
import functools, sys, time
calls = []
heartbeat = sys.modules[{ADDON + ".app.heartbeat"!r}]
tick = heartbeat._tick

@functools.wraps(tick)
def counted():
    calls.append(time.monotonic())
    return tick()

if bpy.app.timers.is_registered(tick):
    bpy.app.timers.unregister(tick)
heartbeat._tick = counted
heartbeat.wake()
"""
REGISTERED = f"""
sorted(
    name + "." + function
    for name, module in list(sys.modules.items()) if name.startswith({ADDON!r})
    for function, value in list(vars(module).items())
    if callable(value) and bpy.app.timers.is_registered(value)
)
"""
HEARTBEAT = f"{ADDON}.app.heartbeat._tick"
QUIET = "not bpy.app.timers.is_registered(heartbeat._tick)"


def calls_in(session: Session, seconds: float) -> list[float]:
    """Return the moments of the heartbeat's calls while nobody touches this Blender."""
    session.run("calls.clear()")
    time.sleep(seconds)
    found: list[float] = session.run("list(calls)")
    return found


def test_an_idle_blender_makes_no_call(start_blender: StartBlender) -> None:
    session = start_blender()
    session.run(COUNT)
    session.wait_for(QUIET, 20)
    assert session.run("len(calls)") > 0, "what an earlier Blender left was looked for"
    assert calls_in(session, SECONDS) == []
    assert session.run(REGISTERED) == []

    session.open_tab()
    session.wait_for("calls", 10)
    calls = calls_in(session, SECONDS)
    print(f"\nwith the tab in sight: {len(calls) / SECONDS:.1f} calls a second")
    assert 0 < len(calls) <= 2 * SECONDS + 1, "the tab is kept up to date, twice a second at most"
    assert session.run(REGISTERED) == [HEARTBEAT]

    session.run("view3d().spaces.active.show_region_ui = False")
    session.wait_for(QUIET, 10)
    assert calls_in(session, SECONDS) == [], "the tab is out of sight again"
    assert session.run(REGISTERED) == []
    assert "Traceback" not in session.output()
