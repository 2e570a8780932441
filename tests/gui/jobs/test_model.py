# SPDX-License-Identifier: GPL-3.0-or-later
"""The model in a real window: local view, undo by keys, and artists who work on meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

FACES = 3_000
MANY_FACES = 60_000
"""Enough that an edit takes far longer than a redraw without a graphics card."""
GONE = "not any('image_to_mesh_job' in one for one in bpy.data.objects)"
AREAS = "bpy.context.window_manager.windows[0].screen.areas"
VIEW = f"next(area for area in {AREAS} if area.type == 'VIEW_3D').spaces.active"
VERSIONS = "[obj.name for obj in bpy.data.objects if 'image_to_mesh_version' in obj]"


def test_in_local_view_the_mesh_shows_at_once(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.session.run(
        "bpy.data.objects['Cube'].select_set(True)\nwith within(): bpy.ops.view3d.localview()"
    )
    artist.choose(photograph, face_count=FACES)
    artist.press_generate()
    mesh = artist.wait_for_mesh(40)
    assert artist.session.run(f"bpy.data.objects[{mesh!r}].visible_get(viewport={VIEW})")
    assert artist.session.run(f"bool({VIEW}.local_view)")
    assert not artist.session.run(f"bpy.data.objects['Light'].visible_get(viewport={VIEW})")
    artist.session.screenshot("local-view")


def test_undo_redo_undo_by_keys_and_the_saved_file(
    artist: Artist, photograph: Path, tmp_path: Path
) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=FACES)
    before = artist.session.run("scene_facts()")
    artist.press_generate()
    mesh = artist.wait_for_mesh(40)
    artist.shows("Import Again")
    artist.point_at_view()
    artist.session.press("ctrl+z")
    artist.session.wait_for(GONE)
    assert artist.session.run("scene_facts()") == before
    artist.session.press("ctrl+shift+z")
    assert artist.wait_for_mesh() == mesh
    artist.session.press("ctrl+z")
    artist.session.wait_for(GONE)
    assert artist.session.run("scene_facts()") == before
    artist.session.press("ctrl+shift+z")
    assert artist.wait_for_mesh() == mesh
    facts = artist.session.run(f"mesh_facts({mesh!r})")
    path = "/tmp/undone.blend"
    artist.session.run(
        f"bpy.ops.wm.save_as_mainfile(filepath={path!r})\n"
        f"bpy.ops.wm.open_mainfile(filepath={path!r})"
    )
    artist.wait_for_mesh()
    assert artist.session.run(f"mesh_facts({mesh!r})") == facts
    assert "Traceback" not in artist.session.output()


def test_mesh_edits_do_not_block_and_are_undone_in_one_step(
    artist: Artist, photograph: Path
) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=MANY_FACES)
    artist.press_generate()
    mesh = artist.wait_for_mesh(60)
    artist.shows("Import Again")
    artist.session.run("bpy.context.scene.image_to_mesh.care.faces = 600; start_ticking()")
    artist.session.run(
        "with within(): bpy.ops.image_to_mesh.decimate('INVOKE_DEFAULT')\n"
        "assert not any('image_to_mesh_version' in one for one in bpy.data.objects)"
    )
    assert artist.session.wait_for(VERSIONS, 60) == [mesh]
    gaps = artist.session.run("stop_ticking()")
    assert len(gaps) > 2, "Blender ticked while the care went on"
    assert gaps[0] < 5.0
    faces = f"len(bpy.data.objects[{mesh!r}].data.polygons)"
    assert artist.session.run(faces) < 700
    assert not artist.session.run(f"bpy.data.objects[{mesh!r}].hide_get()")
    artist.point_at_view()
    artist.session.press("ctrl+z")
    artist.session.wait_for(f"not {VERSIONS}")
    assert artist.session.run(faces) > 10_000
    assert "Traceback" not in artist.session.output()
