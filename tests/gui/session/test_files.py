# SPDX-License-Identifier: GPL-3.0-or-later
"""Another file is opened while a job runs: nothing lands in it, the panel offers the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

FACES = 2_000
READY = "any(one['state'] == 'ready' for one in ended_jobs())"


def start_job(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=FACES)
    artist.press_generate()
    artist.session.wait_for("bool(running_jobs())")


@pytest.mark.parametrize("how", ["new", "open"])
def test_opening_another_file_during_a_job_imports_nothing_into_it(
    artist: Artist, photograph: Path, workshop: Path, how: str
) -> None:
    other = workshop / "other.blend"
    artist.new_file()
    if how == "open":
        artist.session.run(f"bpy.ops.wm.save_as_mainfile(filepath={str(other)!r}, copy=True)")
    start_job(artist, photograph)
    if how == "new":
        artist.session.run("bpy.ops.wm.read_homefile()")
    else:
        artist.session.run(f"bpy.ops.wm.open_mainfile(filepath={str(other)!r})")
    artist.session.open_tab()
    before = artist.session.run("scene_facts()")
    artist.session.wait_for(READY, 30)
    artist.shows("Generated for another file", 5)
    artist.session.screenshot(f"file-{how}")
    assert artist.meshes() == []
    assert artist.session.run("scene_facts()") == before

    artist.session.run(
        "bpy.context.scene.cursor.location = (0, 0, 3)\n"
        "bpy.context.scene.image_to_mesh.placement.position = 'cursor'"
    )
    artist.session.click_button("image_to_mesh.import_result")
    name = artist.wait_for_mesh(5)
    assert artist.session.run(f"list(bpy.data.objects[{name!r}].location)") == [0, 0, 3]
    assert "Traceback" not in artist.session.output()


def test_saving_under_another_name_is_the_same_file(
    artist: Artist, photograph: Path, workshop: Path
) -> None:
    artist.new_file()
    start_job(artist, photograph)
    artist.session.run(f"bpy.ops.wm.save_as_mainfile(filepath={str(workshop / 'mine.blend')!r})")
    artist.wait_for_mesh(30)
    assert "Traceback" not in artist.session.output()
