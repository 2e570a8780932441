# SPDX-License-Identifier: GPL-3.0-or-later
"""How the panel looks: each state in a screenshot, and its words where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui.pictures import mean_color, plain

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

NARROW = 220
THEME = """
import os
presets = bpy.utils.preset_paths("interface_theme")
found = [os.path.join(folder, "Blender_Light.xml") for folder in presets]
file = next(one for one in found if os.path.exists(one))
bpy.ops.script.execute_preset(filepath=file, menu_idname="USERPREF_MT_interface_theme_presets")
"""
CHOICES = "bpy.context.scene.image_to_mesh"
KEY = (
    "bpy.context.preferences.addons['bl_ext.user_default.image_to_mesh'].preferences"
    ".tripo_api_key = {!r}"
)
PROVIDERS = f"[one.identifier for one in {CHOICES}.bl_rna.properties['provider'].enum_items]"


def test_the_empty_panel(artist: Artist) -> None:
    """It offers ways to choose an image, and Generate is disabled."""
    words = artist.words().splitlines()
    assert {"Open Image...", "Paste", "Try a Sample Image", "Generate"} <= set(words)
    assert not artist.session.run("bpy.ops.image_to_mesh.generate.poll()")
    artist.keep("panel-empty")


def test_the_panel_with_an_image(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph)
    artist.shows("JPEG")
    words = artist.words().splitlines()
    assert words[0] == "dahlia.jpg"
    assert words[-2:] == ["Generate", "No jobs yet"]
    artist.keep("panel-ready")


def test_every_provider_has_its_rows(artist: Artist) -> None:
    for provider in artist.session.run(PROVIDERS):
        artist.session.run(f"bpy.context.scene.image_to_mesh.provider = {provider!r}")
        assert "Generate" in artist.words()
        artist.keep(f"panel-{provider}")
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'local'")


def test_the_panel_in_a_narrow_sidebar(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph)
    wide = artist.sidebar_width()
    artist.drag_sidebar_to(NARROW)
    artist.keep("panel-narrow")
    artist.drag_sidebar_to(wide)  # Blender 5.2 keeps the width, even in a new file


def test_the_panel_offline_and_with_an_error(
    artist: Artist, photograph: Path, workshop: Path
) -> None:
    artist.choose(photograph)
    artist.session.run(KEY.format("tsk_" + 40 * "a"))
    artist.session.run(f"{CHOICES}.provider = 'tripo'")
    artist.shows("Sends 1024 × 1024")
    assert "Allow Online Access" in artist.words()
    artist.keep("panel-offline")
    artist.session.run(KEY.format(""))
    artist.session.run(f"{CHOICES}.provider = 'local'")
    artist.choose(plain(workshop, "snow.png", (255, 255, 255)))
    artist.press_generate()
    artist.shows("Nothing in the image stands out", 30)
    artist.keep("panel-error")
    artist.new_file()


def test_the_panel_in_the_light_theme(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=2_000)
    artist.session.run(THEME)
    artist.shows("JPEG")
    artist.keep("panel-light")
    artist.press_generate()
    artist.wait_for_mesh(30)
    artist.shows("Import Again")
    artist.keep("panel-light-done")
    artist.session.run("bpy.ops.preferences.reset_default_theme()")
    assert "Traceback" not in artist.session.output()


def test_no_progress_bar_remains_under_the_pointer(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=2_000)
    artist.press_generate()
    x, y = artist.session.found["image_to_mesh.generate"]
    artist.wait_for_mesh(30)
    artist.shows("Import Again")
    resting = artist.session.screenshot("panel-resting")
    artist.point_at_view()
    artist.words()
    away = artist.session.screenshot("panel-left")
    for below in (30, 60):
        seen = [mean_color(shot, x - 100, y + below, 30) for shot in (resting, away)]
        assert seen[0] == pytest.approx(seen[1], abs=12)
    artist.keep("panel-done")
