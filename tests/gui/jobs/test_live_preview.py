# SPDX-License-Identifier: GPL-3.0-or-later
"""A slider is dragged with the mouse, and the mesh in the viewport follows."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gui.artist import ADDON, Artist

if TYPE_CHECKING:
    from gui.conftest import StartBlender
    from gui.harness import Session

INSIDE = Path(__file__).parents[1] / "inside_live.py"
LATENCY = 0.5
"""Seconds from a change to the shown mesh: the median, on two cores that do nothing else."""
CPU = 0.033
"""Seconds of CPU that a callback may take on the main thread."""
FULL = "bpy.context.object.get('image_to_mesh_job') not in {jobs!r} and not running_jobs()"


@pytest.fixture
def studio(start_blender: StartBlender, photograph: Path) -> Artist:
    """An artist whose mesh is there, with its settings in the panel."""
    session = start_blender()
    session.open_tab()
    artist = Artist(session)
    session.run(INSIDE.read_text("utf-8"))
    artist.choose(photograph, thickness=0.5)
    artist.press_generate()
    artist.wait_for_mesh(60)
    session.wait_for("not running_jobs()", 60)
    session.run(f"watch_live({ADDON!r})")
    unfold_settings(artist)
    # Settings in view start the process before a slider is dragged.
    session.wait_for(f"is_warm({ADDON!r})", 60)
    return artist


def unfold_settings(artist: Artist) -> None:
    """Click the headers below the main button until the settings are there."""
    session = artist.session
    _, top = session.find("image_to_mesh.update")
    place = session.run("place_of('UI')")
    for y in range(top + 24, place["top"] + place["height"], 12):
        if "Thickness" in artist.words():
            return
        session.move_seen((place["left"] + 24, y))
        if not session.under_pointer():  # a header, and no button
            session.click(place["left"] + 24, y)
            artist.point_at_view()
            time.sleep(0.2)
    session.screenshot("no-settings")
    raise AssertionError("no settings in the sidebar")


def facts(session: Session) -> dict[str, Any]:
    """Return what the active object shows."""
    found: dict[str, Any] = session.run("result_facts()")
    return found


def waiting() -> float:
    """Return the factor by which other programs slow this one down."""
    load = float(Path("/proc/loadavg").read_text("utf-8").split()[0])
    return max(1.0, load / (os.cpu_count() or 1))


def drag(session: Session, pixels: int, held: Any = None) -> None:
    """Drag the slider of Thickness."""
    x, y = session.find("local.thickness")
    session.run(f"wait_while_dragged({ADDON!r}, dragged=True)")
    session.drag((x, y), (x + pixels, y), held=held)
    session.run(f"wait_while_dragged({ADDON!r}, dragged=False)")


def test_the_mesh_follows_the_slider(studio: Artist) -> None:
    session = studio.session
    before = facts(session)

    def wait() -> None:
        session.wait_for("has_caught_up()", 60)
        session.screenshot("live-preview-held")

    drag(session, 60, wait)
    session.wait_for(FULL.format(jobs=[before["job"]]), 60)
    after = facts(session)
    session.screenshot("live-preview-updated")
    seen = session.run("live")
    while_held = seen["facts"][-1]
    print(
        f"\nchange to shown mesh: median {statistics.median(seen['latency']):.3f} s, "
        f"most {max(seen['latency']):.3f} s, {len(seen['latency'])} previews of up to "
        f"{max(seen['faces'])} faces; most CPU of a callback {1000 * max(seen['cpu']):.1f} ms; "
        f"load per core {waiting():.1f}"
    )
    assert while_held["preview"]
    assert while_held["depth"] > before["depth"] * 1.1
    assert while_held["materials"] == before["materials"]
    assert len(session.run("ended_jobs()")) == 2, "one for Generate, one for the drag"
    assert after["name"] == before["name"]
    assert after["objects"] == before["objects"]
    assert after["depth"] == pytest.approx(while_held["depth"], rel=0.1)
    assert after["faces"] > 1.5 * while_held["faces"]
    assert (after["preview"], after["previews"], after["unused"]) == (False, 0, before["unused"])
    assert statistics.median(seen["latency"]) <= LATENCY * waiting()
    assert max(seen["cpu"]) <= CPU
    studio.point_at_view()
    session.press("ctrl+z")
    session.wait_for(f"abs(live_depth(bpy.context.object) - {before['depth']}) < 1e-4")
    undone = facts(session)
    session.wait_for(f"abs(result_facts()['thickness'] - {before['thickness']}) < 1e-4")
    assert undone["job"] == before["job"]
    assert undone["faces"] == before["faces"]
    assert (undone["preview"], undone["previews"]) == (False, 0)
    assert not session.run("running_jobs()")
    session.press("ctrl+shift+z")
    session.wait_for(f"result_facts()['job'] == {after['job']!r}")
    session.wait_for(f"abs(result_facts()['thickness'] - {after['thickness']}) < 1e-4")
    assert facts(session)["faces"] == after["faces"]


def test_undo_in_the_middle_leads_back(studio: Artist) -> None:
    session = studio.session
    before = facts(session)
    drag(session, 60, lambda: session.wait_for("has_caught_up()", 60))
    studio.point_at_view()
    session.press("ctrl+z")
    session.wait_for(f"abs(live_depth(bpy.context.object) - {before['depth']}) < 1e-4")
    session.wait_for("not running_jobs()", 30)
    after = facts(session)
    assert (after["previews"], after["unused"]) == (0, before["unused"])
    assert after["thickness"] == pytest.approx(0.5)
    assert after["job"] == before["job"]


def test_a_click_on_update_adds_no_second_one(studio: Artist) -> None:
    session = studio.session
    before = facts(session)
    x, y = session.find("image_to_mesh.update")
    drag(session, 60, lambda: session.wait_for("has_caught_up()", 60))
    session.wait_for("running_jobs()", 30)
    session.click(x, y)
    studio.point_at_view()
    session.wait_for(FULL.format(jobs=[before["job"]]), 60)
    time.sleep(1.0)  # in which a second update would have started
    assert not session.run("running_jobs()")
    assert len(session.run("ended_jobs()")) == 2, "one for Generate, one for the drag"
    assert facts(session)["objects"] == before["objects"]


def test_many_changes_leave_one_mesh(studio: Artist) -> None:
    session = studio.session
    before = facts(session)
    for pixels in (40, -30, 40):
        drag(session, pixels, lambda: session.wait_for("has_caught_up()", 60))
    shown = len(session.run("live['depth']"))
    x, y = session.find("local.shape")
    session.scroll_with("ctrl", x, y, 1)
    session.wait_for(f"len(live['depth']) > {shown}", 30)
    assert session.run("bpy.context.scene.image_to_mesh.local.shape") == "relief"
    session.wait_for(FULL.format(jobs=[before["job"]]), 90)
    after = facts(session)
    assert len(session.run("live['numbers']")) >= 3
    assert (after["previews"], after["unused"]) == (0, before["unused"])
    assert after["objects"] == before["objects"]
    # Updates that were overtaken by another change are not listed.
    assert len(session.run("ended_jobs()")) <= 1 + 4, "at most one for each change"
