# SPDX-License-Identifier: GPL-3.0-or-later
"""Images by paste, drop, and viewport capture, with a real mouse in a real window."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from gui.artist import GENERATED
from gui.pictures import mean_color
from gui.xdnd import Drag

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

FEW_FACES = "bpy.context.scene.image_to_mesh.local.face_count = 2_000"
PICTURE = "getattr(bpy.context.scene.image_to_mesh.image, 'name', '')"
ON_SCREEN = """
from bpy_extras.view3d_utils import location_3d_to_region_2d
made = bpy.data.objects[{name!r}].matrix_world.translation
point = location_3d_to_region_2d(region(), view3d().spaces.active.region_3d, made)
place = place_of('WINDOW')
[place["left"] + point.x, place["top"] + place["height"] - point.y, made.z]
"""
BEGUN = "bool(running_jobs() or ended_jobs())"
BROWSER = """
found = [(window, area) for window in bpy.context.window_manager.windows
         for area in window.screen.areas if area.type == 'FILE_BROWSER']
bool(found and found[0][1].spaces.active.params)
"""
SHOW_FOLDER = """
window, area = found[0]
params = area.spaces.active.params
params.directory = {folder!r}.encode()
params.display_type = 'THUMBNAIL'
area.tag_redraw()
"""
FIRST_FILE = """
view = next(one for one in area.regions if one.type == 'WINDOW')
screen = bpy.context.window_manager.windows[0].height
[window.x + view.x + 61, screen - window.y - view.y - view.height + 58]
"""
"""The middle of the first thumbnail."""


COPIED = """
import subprocess
picture = bpy.data.images.new('copied', 96, 64)
picture.filepath_raw = bpy.app.tempdir + 'copied.png'
picture.file_format = 'PNG'
picture.save()
bpy.data.images.remove(picture)
XCLIP = ['xclip', '-selection', 'clipboard', '-target']
def copy():
    return subprocess.Popen([*XCLIP, 'image/png', '-quiet', '-in', bpy.app.tempdir + 'copied.png'])
def kinds():
    # Much longer than needed: the owner of the selection dies if the program that asks is killed.
    try:
        return subprocess.check_output([*XCLIP, 'TARGETS', '-out'], timeout=9, text=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return ''
"""
ASKED_ITSELF = """
import sys
bpy.context.window_manager.clipboard = 'own words'
sys.modules['bl_ext.user_default.image_to_mesh.scene.clipboard']._paste_with_tool()
"""
PASTED_WORDS = """
import time
bpy.context.window_manager.clipboard = 'words'
start, told = time.perf_counter(), ''
try:
    bpy.ops.image_to_mesh.paste()
except RuntimeError as error:
    told = str(error)
[told, time.perf_counter() - start]
"""


def find_thumbnail(artist: Artist) -> tuple[int, int]:
    """Wait until the file browser shows the flower, which is bright, and return where."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        x, y = artist.session.run(FIRST_FILE)
        if mean_color(artist.session.screenshot("file-browser"), x - 10, y - 10, 20)[0] > 150:
            return x, y
        time.sleep(0.2)
    raise AssertionError("the file browser shows no picture")


def under_pointer(artist: Artist, x: int, y: int) -> tuple[float, ...]:
    """Return the mean color around a pixel of the screen."""
    return mean_color(artist.session.screenshot("drop-menu"), x - 30, y - 30, 40)


def test_a_fresh_install_makes_its_first_mesh_in_three_clicks(
    artist: Artist, photograph: Path
) -> None:
    pictures = photograph.parent / "Pictures"
    pictures.mkdir(exist_ok=True)
    shutil.copy(photograph, pictures)
    before = artist.session.clicks
    artist.session.click_button("image_to_mesh.open_image")
    artist.session.wait_for(BROWSER)
    artist.session.run(SHOW_FOLDER.format(folder=f"{pictures}/"))
    artist.session.double_click(*find_thumbnail(artist))
    artist.session.wait_for(f"{PICTURE} == {photograph.name!r}")
    artist.press_generate()
    artist.wait_for_mesh(60)
    assert artist.session.clicks - before == 3
    artist.press_generate()  # and one for each picture after that
    artist.session.wait_for(f"len({GENERATED}) == 2", 60)
    assert artist.session.clicks - before == 4


def test_a_copied_picture_is_a_mesh_after_two_clicks(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.session.run(FEW_FACES)
    artist.session.run(f"bpy.context.window_manager.clipboard = {str(photograph)!r}")
    x, y = artist.session.find("image_to_mesh.paste")
    # Finding the button overwrites the clipboard.
    artist.session.run(f"bpy.context.window_manager.clipboard = {str(photograph)!r}")
    before = artist.session.clicks
    artist.session.click(x, y)
    artist.session.wait_for(f"{PICTURE} == {photograph.name!r}")
    artist.session.screenshot("panel-pasted")
    artist.press_generate()
    assert artist.session.clicks - before == 2
    artist.wait_for_mesh(30)


def test_a_picture_that_another_program_copied_is_pasted(artist: Artist) -> None:
    artist.new_file()
    artist.session.run(COPIED)
    x, y = artist.session.find("image_to_mesh.paste")
    artist.session.run("copied = copy()")  # since looking for the button used the clipboard
    artist.session.wait_for("'image/png' in kinds()")
    artist.session.click(x, y)
    artist.session.wait_for(f"{PICTURE} == 'Clipboard'")
    assert artist.session.run("list(bpy.data.images['Clipboard'].size)") == [96, 64]
    artist.session.run("copied.kill(); copied.wait()")


def test_words_on_the_clipboard_are_no_picture(artist: Artist) -> None:
    """Blender itself owns the clipboard here: it must not wait for its own answer."""
    artist.new_file()
    artist.session.run(ASKED_ITSELF, seconds=30)
    artist.session.wait_for("bpy.context.window_manager.clipboard == 'own words'")
    told, seconds = artist.session.run(PASTED_WORDS, seconds=30)
    assert "There is no image on the clipboard" in told
    assert seconds < 2.5
    print(f"told after {seconds:.2f} s")


def test_a_dropped_picture_becomes_a_mesh_at_that_point(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.session.run(FEW_FACES)
    place = artist.session.run("place_of('WINDOW')")
    x, y = place["left"] + place["width"] // 3, place["top"] + place["height"] * 2 // 3
    with Drag(artist.session.display, [photograph]) as drag:
        drag.over((x + 200, y - 150), (x, y))
        bare = under_pointer(artist, x, y)
        drag.drop()
    deadline = time.monotonic() + 20
    while under_pointer(artist, x, y) == pytest.approx(bare, abs=3):  # the menu takes its time
        assert time.monotonic() < deadline
        time.sleep(0.2)
    before = artist.session.clicks
    artist.session.click(x, y)
    artist.session.wait_for(BEGUN)
    name = artist.wait_for_mesh(30)
    assert artist.session.clicks - before == 1
    across, down, height = artist.session.run(ON_SCREEN.format(name=name))
    assert (across, down) == pytest.approx((x, y), abs=4)
    assert height == pytest.approx(0.0, abs=1e-4)


def test_the_viewport_becomes_the_picture(artist: Artist) -> None:
    artist.new_file()
    artist.session.run("with within(): bpy.ops.image_to_mesh.use_view()")
    found = artist.session.run(
        "import array\n"
        "image = bpy.context.scene.image_to_mesh.image\n"
        "pixels = array.array('f', bytes(4 * 4 * image.size[0] * image.size[1]))\n"
        "image.pixels.foreach_get(pixels)\n"
        "alphas = pixels[3::4]\n"
        "[min(alphas), max(alphas), sum(alphas) / len(alphas), bool(image.packed_file)]"
    )
    assert found[:2] == [0.0, 1.0]
    assert 0.005 < found[2] < 0.5  # the cube alone: no grid, no background
    assert found[3]
    artist.words()
    artist.session.screenshot("panel-viewport")
