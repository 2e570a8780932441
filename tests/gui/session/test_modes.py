# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate from other modes, with nothing selected or active, with a second window open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

FACES = 2_000
GONE = "not any('image_to_mesh_job' in one for one in bpy.data.objects)"
SET_MODE = """
import bmesh
with within(): bpy.ops.object.mode_set(mode={0!r})
cube = bpy.data.objects["Cube"]
if {0!r} == "EDIT":
    bpy.context.tool_settings.mesh_select_mode = (True, False, False)
    mesh = bmesh.from_edit_mesh(cube.data)
    for vertex in mesh.verts:
        vertex.select = vertex.index < 3
    mesh.select_flush_mode()
    bmesh.update_edit_mesh(cube.data)
"""


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "WEIGHT_PAINT"])
def test_generate_works_in_other_modes(artist: Artist, photograph: Path, mode: str) -> None:
    artist.new_file()
    artist.session.run(SET_MODE.format(mode))
    artist.choose(photograph, face_count=FACES)
    before = artist.session.run("rules_facts()")
    artist.press_generate()
    artist.wait_for_mesh(30)
    artist.shows("Import Again")
    assert artist.session.run("rules_facts()") == before
    artist.session.screenshot(f"mode-{mode.lower()}")
    assert_undo_takes_it_away(artist)
    assert artist.session.run("rules_facts()") == before
    assert "Traceback" not in artist.session.output()


@pytest.mark.parametrize("active", [True, False])
def test_generate_works_with_nothing_selected(
    artist: Artist, photograph: Path, active: bool
) -> None:
    artist.new_file()
    artist.session.run("for one in bpy.context.scene.objects: one.select_set(False)")
    if not active:
        artist.session.run("bpy.context.view_layer.objects.active = None")
    artist.choose(photograph, face_count=FACES)
    before = artist.session.run("rules_facts()")
    assert before["selected"] == []
    artist.press_generate()
    mesh = artist.wait_for_mesh(30)
    artist.shows("Import Again")
    after = artist.session.run("rules_facts()")
    assert (after["mode"], after["active"], after["selected"]) == ("OBJECT", mesh, [mesh])
    assert_undo_takes_it_away(artist)
    assert artist.session.run("rules_facts()") == before


def assert_undo_takes_it_away(artist: Artist) -> None:
    artist.point_at_view()
    artist.session.press("ctrl+z")
    artist.session.wait_for(GONE)


def test_generate_works_while_a_second_window_closes(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=300_000)  # still at work when the window closes
    before = artist.session.run("rules_facts()")
    artist.session.run("with within(): bpy.ops.wm.window_new_main()")
    artist.session.wait_for("len(bpy.context.window_manager.windows) == 2")
    artist.session.run(PRESS_IN_SECOND)
    artist.session.wait_for("bool(running_jobs())")
    artist.session.screenshot("two-windows")
    artist.session.run(CLOSE_SECOND)
    mesh = artist.wait_for_mesh(50)
    after = artist.session.run("rules_facts()")
    assert (after["mode"], after["selected"]) == (before["mode"], [mesh])
    assert "Traceback" not in artist.session.output()


# The second window lies above the first, whose sidebar no click can reach.
IN_SECOND = "bpy.context.temp_override(window=bpy.context.window_manager.windows[1])"
PRESS_IN_SECOND = f"with {IN_SECOND}: bpy.ops.image_to_mesh.generate('INVOKE_DEFAULT')"
CLOSE_SECOND = f"with {IN_SECOND}: bpy.ops.wm.window_close()"
