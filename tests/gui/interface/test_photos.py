# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone's photo by button, paste, and drop, alone and with others, with and without a decoder."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import places
import pytest
from gui import pictures
from gui.artist import GENERATED, Artist
from gui.interface.test_image_sources import BROWSER, FEW_FACES, FIRST_FILE, PICTURE, SHOW_FOLDER
from gui.interface.test_orders import drop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.conftest import StartBlender

NAME = "IMG_1423.HEIC"
CHOSEN = f"{PICTURE} == {NAME!r}"
WITHOUT_PROGRAMS = "import os; os.environ['PATH'] = '/nonexistent'"
REPORTS = """
area = next(area for area in bpy.context.window_manager.windows[0].screen.areas
            if area.type == 'PROPERTIES')
area.type = 'INFO'
view = next(region for region in area.regions if region.type == 'WINDOW')
with bpy.context.temp_override(
    window=bpy.context.window_manager.windows[0], area=area, region=view
):
    bpy.ops.info.select_all(action='SELECT')
    bpy.ops.info.report_copy()
area.type = 'PROPERTIES'
bpy.context.window_manager.clipboard
"""
"""All reports since the start, as the Info Editor copies them."""
FAILED = "[job['message'] for job in ended_jobs() if job['state'] == 'failed']"
REFUSED = "HEIC or AVIF photo, which this computer cannot open"
HINT = "save the photo as JPEG"


@pytest.fixture
def photo(workshop: Path) -> Path:
    """A phone's photo, alone in its folder."""
    folder = workshop / "DCIM"
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy(places.ROOT / "tests" / "data" / "dahlia.heic", folder / NAME))


@pytest.fixture
def empty(artist: Artist) -> Iterator[Artist]:
    """The artist with a new file, in which meshes are made quickly."""
    artist.new_file()
    artist.session.run(FEW_FACES)
    yield artist
    artist.session.wait_for("not running_jobs()", 60)


def assert_seen(artist: Artist) -> None:
    """Fail unless the photo is chosen, and shown."""
    artist.session.wait_for(CHOSEN, 30)
    artist.shows("400 × 320")
    assert artist.session.run("list(bpy.context.scene.image_to_mesh.image.size)") == [400, 320]
    assert artist.session.run("bpy.ops.image_to_mesh.generate.poll()")


def test_by_the_button(empty: Artist, photo: Path) -> None:
    empty.session.click_button("image_to_mesh.open_image")
    empty.session.wait_for(BROWSER)
    empty.session.run(SHOW_FOLDER.format(folder=f"{photo.parent}/"))
    time.sleep(2.0)  # the browser reads the folder; it has no thumbnail of such a photo
    empty.session.double_click(*empty.session.run(FIRST_FILE))
    assert_seen(empty)
    empty.press_generate()
    empty.wait_for_mesh(60)


def test_by_paste(empty: Artist, photo: Path) -> None:
    x, y = empty.session.find("image_to_mesh.paste")
    # Looking for the button asks Blender by way of the clipboard.
    empty.session.run(f"bpy.context.window_manager.clipboard = {str(photo)!r}")
    empty.session.click(x, y)
    assert_seen(empty)


def test_by_drop(empty: Artist, photo: Path) -> None:
    drop(empty, [photo])
    empty.wait_for_mesh(60)


def test_among_others(empty: Artist, photo: Path, photograph: Path) -> None:
    beside = Path(shutil.copy(photograph, photo.parent))
    drop(empty, [photo, beside])
    empty.session.wait_for(f"len({GENERATED}) == 2", 60)


def test_files_of_two_folders_are_found_or_get_a_sentence(
    empty: Artist, photo: Path, workshop: Path
) -> None:
    elsewhere = pictures.disc(workshop, "button.png", (200, 40, 40))
    drop(empty, [photo, elsewhere])
    time.sleep(1.0)
    told = empty.session.run(REPORTS)
    if "../button.png" in told:  # Blender 5.2 tells where each file is, 4.3 only where the first is
        empty.session.wait_for(f"len({GENERATED}) == 2", 60)
    else:
        assert "“button.png” is not in the folder of the first image." in told
        assert (empty.running(), empty.endings()) == ([], [])


def test_without_a_program_a_sentence_says_what_to_do(
    start_blender: StartBlender, photo: Path
) -> None:
    session = start_blender()
    session.open_tab()
    artist = Artist(session)
    session.run(WITHOUT_PROGRAMS)
    session.run(f"bpy.ops.image_to_mesh.open_image(filepath={str(photo)!r})")
    artist.shows(REFUSED)  # the photo is read on a thread
    artist.shows(HINT)
    assert session.run(PICTURE) == ""
    session.run("dismiss_jobs()")
    drop(artist, [photo])
    session.wait_for(f"{REFUSED!r} in ''.join({FAILED})")
    artist.shows(HINT)
    assert artist.meshes() == []
    assert "Traceback" not in session.output()
