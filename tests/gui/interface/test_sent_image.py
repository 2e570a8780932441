# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of what will be sent, as it is seen: outline, checkerboard, renders, warnings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gui.pictures import pixels, text_file

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

ADDON = "bl_ext.user_default.image_to_mesh"
CHOSEN = "bpy.context.scene.image_to_mesh"
STATE = f"""
import sys
sent = sys.modules['{ADDON}.state.previews.sent_image']
def up_to_date():
    wish = sent.wish_of(bpy.context)
    return wish is not None and sent.current() == wish
def line():
    pixels = sent._collection[0]['sent'].image_pixels[:]
    parts = ((p & 255, p >> 8 & 255, p >> 16 & 255) for p in pixels)
    return sum(r > 240 and 145 < g < 175 and b < 60 for r, g, b in parts)
"""
UP_TO_DATE = "up_to_date()"
OPEN_SETTINGS = f"""
panel = sys.modules['{ADDON}.panels.sidebar'].IMAGE_TO_MESH_PT_settings
bpy.utils.unregister_class(panel)
panel.bl_options = set()
panel.bl_idname = "IMAGE_TO_MESH_PT_settings_unfolded"
bpy.utils.register_class(panel)
rows = sys.modules['{ADDON}.panels.provider_settings']
shown_settings = rows._shown_settings
# Scripts cannot open a group; basic settings are in none.
rows._shown_settings = lambda values: [one._replace(basic=True) for one in shown_settings(values)]
"""
CLOSE_SETTINGS = """
rows._shown_settings = shown_settings
bpy.utils.unregister_class(panel)
panel.bl_options, panel.bl_idname = {"DEFAULT_CLOSED"}, "IMAGE_TO_MESH_PT_settings"
bpy.utils.register_class(panel)
"""
LIGHT = """
import os
presets = bpy.utils.preset_paths("interface_theme")
found = [os.path.join(folder, "Blender_Light.xml") for folder in presets]
file = next(path for path in found if os.path.exists(path))
bpy.ops.script.execute_preset(filepath=file, menu_idname="USERPREF_MT_interface_theme_presets")
"""
MEASURED = """
import time
took = []
def measure(value):
    begun = time.perf_counter()
    bpy.context.scene.image_to_mesh.local.tolerance = value
    redraw_sidebar()
    def look():
        if up_to_date():
            took.append(time.perf_counter() - begun)
            return None
        return 0.005
    bpy.app.timers.register(look)
"""
RENDER = """
scene = bpy.context.scene
scene.render.engine = "BLENDER_WORKBENCH"
scene.render.resolution_x, scene.render.resolution_y = 320, 240
scene.render.film_transparent = True
bpy.ops.render.render()
"""


def wait(artist: Artist) -> None:
    """Wait until the picture shows what is chosen, and has been drawn."""
    artist.session.wait_for(UP_TO_DATE, 20)
    artist.words()


def test_dragging_tolerance_moves_the_outline(artist: Artist, photograph: Path) -> None:
    artist.session.run(STATE)
    artist.choose(photograph)
    artist.session.run(OPEN_SETTINGS)
    wait(artist)
    first, before = artist.session.run("line()"), pixels(artist.keep("sent-outline"))
    assert first > 500
    x, y = artist.session.find("tolerance")
    artist.session.drag((x, y), (x - 15, y))
    wait(artist)
    assert artist.session.run(f"{CHOSEN}.local.tolerance") != 0.5
    assert artist.session.run("line()") != first
    assert pixels(artist.keep("sent-outline-dragged")) != before
    artist.session.run(MEASURED)
    for number, value in enumerate((0.1, 0.3, 0.6, 0.7, 0.45)):
        artist.session.run(f"measure({value})")
        artist.session.wait_for(f"len(took) > {number}", 10)
    shortest, longest = artist.session.run("[min(took), max(took)]")
    print(f"\nTolerance to picture: {shortest:.2f} to {longest:.2f} s")
    assert shortest < 3.0  # 0.3 s on a quiet machine; printed above
    artist.session.run(f"{CHOSEN}.local.foreground = 'none'")
    wait(artist)
    artist.keep("sent-whole-image")
    artist.session.run(f"{CHOSEN}.local.foreground = 'auto'; {CHOSEN}.local.tolerance = 0.5")
    artist.session.run(CLOSE_SETTINGS)


def test_a_removed_background_is_a_checkerboard(artist: Artist, photograph: Path) -> None:
    artist.session.run(STATE)
    artist.choose(photograph)
    artist.session.run(f"{CHOSEN}.provider = 'tripo'")
    wait(artist)
    assert artist.session.run("line()") == 0
    artist.keep("sent-to-a-service")
    artist.session.click_button("image_to_mesh.develop")
    artist.session.wait_for(f"'prepared' in {CHOSEN}.image.name", 20)
    wait(artist)
    corner = artist.session.run("sent._collection[0]['sent'].image_pixels[0] & 255")
    assert corner in (92, 112)
    artist.keep("sent-checkerboard")
    artist.session.run(f"{CHOSEN}.provider = 'local'")
    wait(artist)
    artist.keep("sent-checkerboard-outlined")
    for width in (220, 300):
        artist.drag_sidebar_to(width)
        artist.keep(f"sent-checkerboard-{width}")
    artist.session.run(LIGHT)
    artist.keep("sent-checkerboard-light")
    artist.session.run("bpy.ops.preferences.reset_default_theme()")


def test_renders_and_captures_are_seen_and_well_named(artist: Artist) -> None:
    artist.new_file()
    artist.session.run(STATE)
    for name, operator in (("Render", "use_render"), ("Viewport", "use_view")):
        if name == "Render":
            artist.session.run(RENDER, seconds=60)
        artist.session.run(f"with within('WINDOW'): bpy.ops.image_to_mesh.{operator}()")
        wait(artist)
        assert artist.session.run(f"{CHOSEN}.image.name") == name
        assert len(set(artist.session.run("sent._collection[0]['sent'].image_pixels[:]"))) > 50
        artist.keep(f"sent-{name.lower()}")


def test_a_file_that_is_no_image_disables_generate(artist: Artist, photograph: Path) -> None:
    artist.choose(text_file(photograph.parent))
    artist.session.wait_for("'has no pixels' in ' '.join(shown[-1]['words'])", 10)
    artist.keep("sent-letter")
    time.sleep(0.1)
    words = " ".join(artist.words().split())
    assert words.count("has no pixels") == 1
    assert "Image cannot be used" not in words
