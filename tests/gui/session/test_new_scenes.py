# SPDX-License-Identifier: GPL-3.0-or-later
"""Save as Import Defaults: a timer gives the kept settings to scenes that are added later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.artist import Artist

PLACED = "[{0}.placement.position, {0}.placement.use_size, {0}.mending.weld]"
SCENE = "bpy.data.scenes[{!r}].image_to_mesh"
CHOOSE = """
chosen = bpy.context.scene.image_to_mesh
chosen.placement.position, chosen.placement.use_size = "origin", True
chosen.mending.weld = False
bpy.ops.image_to_mesh.keep_defaults()
"""
ADD = """
with within(): bpy.ops.scene.new(type={!r})
bpy.context.window.scene.name = {!r}
"""
OWN = """
bpy.data.scenes.new("Own").image_to_mesh.placement.position = "surface"
bpy.data.scenes.new("After")
"""
OURS = ["origin", True, False]


def placement_code(name: str) -> str:
    """Return code that reads the placement options of a scene."""
    return PLACED.format(SCENE.format(name))


def test_a_scene_added_later_starts_with_the_saved_defaults(artist: Artist) -> None:
    artist.session.run(CHOOSE)
    artist.session.run(ADD.format("NEW", "Later"))
    artist.session.wait_for(f"{placement_code('Later')} == {OURS}")
    artist.session.run(ADD.format("FULL_COPY", "Copy"))
    assert artist.session.run(placement_code("Copy")) == OURS


def test_a_scene_with_own_choices_stays(artist: Artist) -> None:
    artist.session.run(OWN)
    artist.session.wait_for(f"{placement_code('After')} == {OURS}")
    assert artist.session.run(placement_code("Own")) == ["surface", False, True]


def test_a_new_file_starts_with_the_saved_defaults(artist: Artist) -> None:
    artist.new_file()
    artist.session.wait_for(f"{placement_code('Scene')} == {OURS}")


def test_after_a_reset_new_scenes_start_with_the_shipped_defaults(artist: Artist) -> None:
    artist.session.run("bpy.ops.image_to_mesh.forget_defaults()")
    artist.session.run(ADD.format("NEW", "Plain"))
    artist.session.run("looks = []\nbpy.app.timers.register(lambda: looks.append(1) or 0.6)")
    artist.session.wait_for("len(looks) > 2")  # the add-on's own timer was there in between
    assert artist.session.run(placement_code("Plain")) == ["free", False, True]
    assert artist.session.run(placement_code("Scene")) == OURS
    assert "Traceback" not in artist.session.output()
