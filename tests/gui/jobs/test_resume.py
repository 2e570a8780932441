# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender killed in the middle of a paid job and started again; other files opened meanwhile."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving
from gui.artist import Artist
from gui.harness import Session

from image_to_mesh.jobs.disk.signatures import MARK, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import blenders
    from gui.conftest import StartBlender

SECONDS = 6.0
RUNS = "any('Generating' in one['phase'] for one in running_jobs())"
FOUND = "sys.modules['bl_ext.user_default.image_to_mesh.jobs'].session().recovery.found"


@pytest.fixture
def service() -> Iterator[Service]:
    """The service, which takes SECONDS for a job."""
    with serving(Service(takes=SECONDS, mesh=triangle_glb(5))) as running:
        yield running


def environment(service: Service) -> dict[str, str]:
    """Return the environment of a user with a key."""
    return {"REHEARSAL_BASE_URL": service.url, "REHEARSAL_API_KEY": KEY}


def at_work(session: Session, photograph: Path) -> Artist:
    """Have an artist start a job at the service, and wait until it is under way."""
    session.open_tab()
    artist = Artist(session)
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")
    artist.choose(photograph)
    artist.press_generate()
    session.wait_for(RUNS, 20)
    return artist


def records(session: Session) -> list[dict[str, Any]]:
    """Return the records of the profile's library."""
    found = sorted((session.profile / "library").glob("*/job.json"))
    return [json.loads(match.read_text("utf-8")) for match in found]


def test_a_job_is_resumed_after_blender_was_killed(
    place: blenders.Place,
    start_blender: StartBlender,
    rehearsal: Path,
    service: Service,
    photograph: Path,
) -> None:
    first = start_blender(rehearsal, **environment(service))
    at_work(first, photograph)
    first.close()
    (record,) = records(first)
    assert record["state"] == "running"

    with Session(place, first.profile, **environment(service)) as second:
        second.open_tab()
        artist = Artist(second)
        second.run("import sys")
        before = second.run("scene_facts()")
        second.wait_for(f"bool({FOUND}.arrived)", 40)
        artist.shows("1 new result")
        second.screenshot("came-in")
        assert artist.meshes() == []
        assert second.run("scene_facts()") == before
        assert len(service.submits) == 1
        (record,) = records(second)
        assert (record["state"], record["blend"]) == ("ready", "model.blend")

        second.click_button("image_to_mesh.import_arrivals")
        artist.wait_for_mesh(10)
        second.wait_for(f"not {FOUND}.arrived")
        artist.session.run("redraw_sidebar()")
        assert "came in" not in artist.words()
        assert "Traceback" not in second.output()


def test_a_job_that_was_never_sent_waits_for_the_user(
    place: blenders.Place,
    start_blender: StartBlender,
    rehearsal: Path,
    service: Service,
    photograph: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = start_blender(rehearsal, **environment(service))
    at_work(first, photograph)
    first.close()
    (path,) = (first.profile / "library").glob("*/job.json")
    unsent = {"state": "queued", "ticket": None, "submitted": None, "request_hash": None}
    changed = {**json.loads(path.read_text("utf-8")), **unsent}
    # As the add-on in that Blender would have written it.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(first.profile / ".config"))
    path.write_text(json.dumps({**changed, MARK: mark_of(changed)}), "utf-8")
    service.submits.clear()

    with Session(place, first.profile, **environment(service)) as second:
        second.open_tab()
        artist = Artist(second)
        second.run("import sys")
        second.wait_for(f"bool({FOUND}.unsent)", 30)
        artist.shows("not submitted to")
        assert not service.submits
        for answer in ("Escape", "Return"):
            second.click_button("image_to_mesh.resume")
            time.sleep(1.0)
            second.screenshot("resume-asks")
            assert not service.submits
            second.press(answer)
        second.wait_for(RUNS, 20)
        assert len(service.submits) == 1
        assert "Traceback" not in second.output()


@pytest.mark.parametrize("how", ["new", "open", "revert"])
def test_opening_another_file_during_a_job_keeps_the_result(
    start_blender: StartBlender,
    rehearsal: Path,
    service: Service,
    photograph: Path,
    workshop: Path,
    how: str,
) -> None:
    session = start_blender(rehearsal, **environment(service))
    other = str(workshop / f"file-{how}.blend")
    session.run(f"bpy.ops.wm.save_as_mainfile(filepath={other!r}, copy={how == 'open'})")
    artist = at_work(session, photograph)
    opened = {
        "new": "bpy.ops.wm.read_homefile()",
        "open": f"bpy.ops.wm.open_mainfile(filepath={other!r})",
        "revert": "bpy.ops.wm.revert_mainfile()",
    }
    session.run(opened[how])
    session.open_tab()
    assert artist.running()
    before = session.run("scene_facts()")
    session.wait_for("any(one['state'] == 'ready' for one in ended_jobs())", 40)
    artist.shows("Generated for another file")
    assert artist.meshes() == []
    assert session.run("scene_facts()") == before
    assert len(service.submits) == 1
    assert "came in" not in artist.words()
    assert "Traceback" not in session.output()
