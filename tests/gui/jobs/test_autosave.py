# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's auto-save keeps its schedule while a job runs for minutes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving
from gui.artist import Artist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.conftest import StartBlender

INSIDE = Path(__file__).parents[1] / "inside_placeholders.py"
JOB_SECONDS = 150.0
MINUTE = 60.0
LATE = 10.0
# A change that is saved, and a folder that the test can see.
SAVE = "bpy.ops.wm.save_as_mainfile(filepath={!r})"
SET_UP = """
files = bpy.context.preferences.filepaths
files.temporary_directory = {folder!r}
image = bpy.context.scene.image_to_mesh.image
image.pixels[0] = 0.5
image.update()
with within(): bpy.ops.ed.undo_push(message="Painted")
files.auto_save_time = 1
files.use_auto_save_temporary_files = True
[bpy.data.is_dirty, image.is_dirty, files.use_auto_save_temporary_files]
"""


@pytest.fixture
def artist(open_blender: StartBlender, rehearsal: Path) -> Iterator[Artist]:
    """An artist whose service takes minutes."""
    with serving(Service(takes=JOB_SECONDS, mesh=triangle_glb(5))) as service:
        environment = {"REHEARSAL_BASE_URL": service.url, "REHEARSAL_API_KEY": KEY}
        with open_blender(rehearsal, **environment) as session:
            session.open_tab()
            session.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")
            yield Artist(session)


@pytest.mark.timeout(300)
def test_auto_save_keeps_its_schedule(artist: Artist, photograph: Path, workshop: Path) -> None:
    folder = workshop / "auto-saved"
    folder.mkdir()
    artist.choose(photograph)
    artist.session.run(SAVE.format(str(workshop / "work.blend")))
    artist.words()  # After a redraw Blender 5.2 too knows that nothing is unsaved.
    artist.press_generate()
    artist.session.wait_for("bool(running_jobs())")
    started = time.time()
    set_up = SET_UP.format(folder=str(folder))
    assert artist.session.run(set_up) == [True, True, True]
    artist.session.run(INSIDE.read_text("utf-8"))
    artist.session.wait_for("handlers() > 0")  # The placeholder is shown one tick after the job.
    seconds = [save - started for save in watch_saves(folder, artist)]
    print("\nauto-saved after", ", ".join(f"{second:.0f} s" for second in seconds))
    assert seconds == pytest.approx([MINUTE, 2 * MINUTE], abs=LATE)
    assert "Traceback" not in artist.session.output()


def watch_saves(folder: Path, artist: Artist) -> list[float]:
    """Note when files in the folder change, until the job has ended."""
    saves: list[float] = []
    while artist.running():
        times = [file.stat().st_mtime for file in folder.glob("*.blend")]
        saves += [item for item in times if item not in saves]
        time.sleep(0.5)
    return sorted(saves)
