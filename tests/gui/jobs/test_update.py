# SPDX-License-Identifier: GPL-3.0-or-later
"""One image, one mesh, tweaked: a click on Update, undo, and Adjust Last Operation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from gui import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

FACES = 5_000
MESHES = (
    "[[obj.name, obj['image_to_mesh_job'], round(obj.dimensions.y, 4), "
    "[item.name for item in obj.modifiers], list(obj.location)] "
    "for obj in bpy.data.objects if 'image_to_mesh_job' in obj]"
)
MAIN_BUTTON = 30
"""Height of the main button in pixels."""
SETTINGS_HEADER = range(28, 64, 6)
"""Pixels from the main button down to the header of Settings."""
LAST = """
last = bpy.context.window_manager.operators[-1]
[last.bl_idname, last.size, list(last.location), last.shading]
"""
ADJUST = """
with within():
    values = dict(job=last.job, location=last.location, rotation=(0, 0, 1), size=last.size * 2)
    bpy.ops.ed.undo()
    bpy.ops.image_to_mesh.import_result("EXEC_DEFAULT", True, shading="FLAT", **values)
"""
ADJUSTED = """
obj = next(obj for obj in bpy.data.objects if "image_to_mesh_job" in obj)
[round(obj.dimensions.z, 3), round(obj.rotation_euler.z, 3),
 any(polygon.use_smooth for polygon in obj.data.polygons)]
"""


def meshes(artist: Artist) -> list[list[Any]]:
    """Return name, job, depth, modifiers and location of the generated meshes."""
    found: list[list[Any]] = artist.session.run(MESHES)
    return found


@pytest.fixture
def first(artist: Artist, photograph: Path) -> list[Any]:
    """The first mesh in a new file, with a modifier."""
    artist.new_file()
    # A live preview would start its own update after the drag.
    artist.session.run("bpy.context.scene.image_to_mesh.live_preview = False")
    artist.choose(photograph, face_count=FACES, thickness=0.3)
    artist.press_generate()
    artist.wait_for_mesh(60)
    artist.session.wait_for("not running_jobs()", 30)
    artist.session.run("bpy.context.view_layer.objects.active.modifiers.new('Bumps', 'DISPLACE')")
    artist.remember("Add Modifier")
    return meshes(artist)[0]


def open_settings(artist: Artist) -> tuple[int, int]:
    """Unfold Settings and return the pixel of Thickness."""
    x, y = artist.session.find("image_to_mesh.update")
    for below in SETTINGS_HEADER:
        artist.session.click(x - 20, y + below)
        time.sleep(0.5)
        for row in range(below + 20, below + 80, 10):
            artist.session.move_seen((x + 60, y + row))
            if "image_to_mesh.local" in artist.session.under_pointer():
                return artist.session.find("thickness")
    raise AssertionError("Settings does not open")


def test_a_setting_is_changed_and_one_mesh_is_kept(artist: Artist, first: list[Any]) -> None:
    name, job, depth, modifiers, location = first
    x, y = open_settings(artist)
    artist.session.clicks = 0
    artist.session.drag((x, y), (x + 40, y))
    artist.session.clicks += 1
    artist.session.click_button("image_to_mesh.update")
    print(f"\nchange a setting and keep one mesh: {artist.session.clicks} clicks")
    artist.session.wait_for(f"not any(obj.get('image_to_mesh_job') == {job!r} for obj in "
                            "bpy.data.objects)", 60)  # fmt: skip
    artist.session.wait_for("not running_jobs()", 30)
    artist.session.screenshot("update-done")
    (updated,) = meshes(artist)
    assert artist.session.clicks == 2
    assert (updated[0], updated[3], updated[4]) == (name, modifiers, location)
    assert updated[1] != job
    assert abs(updated[2] - depth) > 0.02
    artist.point_at_view()
    artist.session.press("ctrl+z")
    artist.session.wait_for(f"{MESHES}[0][1] == {job!r}")
    assert meshes(artist) == [first]
    artist.session.press("ctrl+shift+z")
    artist.session.wait_for(f"{MESHES}[0][1] == {updated[1]!r}")
    assert meshes(artist) == [updated]


def test_with_another_image_the_active_mesh_stays(
    artist: Artist, first: list[Any], workshop: Path
) -> None:
    assert "Update" in artist.words()
    update = artist.session.find("image_to_mesh.update")
    new = artist.session.find("image_to_mesh.generate")
    assert new[0] > update[0], "Generate New is at the right of Update"
    assert abs(new[1] - update[1]) < MAIN_BUTTON
    artist.choose(pictures.plain(workshop, "plain.png", (200, 40, 40)), foreground="none")
    assert "Update" not in artist.words()
    artist.press_generate()
    artist.session.wait_for(f"len({MESHES}) == 2", 60)
    assert first in meshes(artist)
    artist.session.wait_for("not running_jobs()", 30)


def test_update_waits_for_object_mode(artist: Artist, first: list[Any]) -> None:
    job = first[1]
    artist.session.click_button("image_to_mesh.update")
    artist.session.run("with within(): bpy.ops.object.mode_set(mode='EDIT')")
    artist.shows("Switch to Object Mode to update the mesh", 60)
    artist.session.screenshot("update-waits")
    assert meshes(artist)[0][1] == job
    artist.session.run("with within(): bpy.ops.object.mode_set(mode='OBJECT')")
    artist.session.wait_for(f"{MESHES}[0][1] != {job!r}", 20)
    assert len(meshes(artist)) == 1


def test_an_import_is_adjusted_afterwards(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=FACES)
    artist.press_generate()
    artist.wait_for_mesh(60)
    artist.session.wait_for("not running_jobs()", 30)
    idname, size, _, shading = artist.session.run(LAST)
    assert (idname, shading) == ("IMAGE_TO_MESH_OT_import_result", "KEEP")
    artist.point_at_view()
    artist.session.press("F9")
    for _ in range(5):
        artist.session.run("None")
    artist.session.screenshot("adjust-last-operation")
    artist.session.press("Escape")
    artist.session.run(ADJUST)
    assert artist.session.run(ADJUSTED) == [round(size * 2, 3), 1.0, False]
    assert len(meshes(artist)) == 1
