# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery of results, with real clicks: select, import, rename, star, search, delete, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui.artist import GENERATED
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist
    from gui.harness import Session

ADDON = "bl_ext.user_default.image_to_mesh"
SHELF = "bpy.context.window_manager.image_to_mesh"
# A panel of its own above the main one: all of it is then in view.
ALONE = f"""
import sys
results = sys.modules['{ADDON}.panels.sidebar'].IMAGE_TO_MESH_PT_results
bpy.utils.unregister_class(results)
results.bl_options, results.bl_idname = set(), 'IMAGE_TO_MESH_PT_results_alone'
results.bl_parent_id = ''
bpy.utils.register_class(results)
main = bpy.types.IMAGE_TO_MESH_PT_sidebar
main.bl_order = 10
bpy.utils.unregister_class(main)
bpy.utils.register_class(main)
"""
# Copies of what was generated: as many results as an artist has after a week.
COPIES = f"""
import dataclasses, datetime, sys
jobs = sys.modules['{ADDON}.jobs']
root = sys.modules['{ADDON}.preferences'].library(bpy.context)
index = sys.modules['{ADDON}.jobs.library.index'].library_index(root)
library = jobs.Library(root)
originals = [library.load(job) for job in library.jobs()]
now = datetime.datetime.now(datetime.timezone.utc)
for number in range(22):
    record = originals[number % len(originals)]
    made = (now - datetime.timedelta(days=number / 3 + 0.5)).replace(microsecond=0)
    copy = dataclasses.replace(
        record, id=f'{{made:%Y%m%d-%H%M%S}}-copy-{{number:04x}}', created=made.isoformat(),
        faces=record.faces + number, credits=(None, 30.0, 1.0)[number % 3],
        provider=('local', 'tripo', 'scenario')[number % 3])
    files = {{path.name: path.read_bytes() for path in (root / record.id).iterdir()
             if path.is_file() and path.name != 'job.json'}}
    library.create(copy, files)
index.refresh()
thumbnails = sys.modules['{ADDON}.state.thumbnails']
"""
LOADED = "redraw_sidebar(); all(thumbnails.number_of(one.job) for one in index.results[:9])"
BROWSER = """
areas = [area for window in bpy.context.window_manager.windows for area in window.screen.areas
         if area.ui_type == 'ASSETS']
params = areas[0].spaces.active.params if areas else None
params is not None and params.asset_library_reference == 'Image to Mesh'
"""
DRAWN_BROWSER = f"not sys.modules['{ADDON}.app.results.asset_browser']._wanted"
CLOSED = """
for window in bpy.context.window_manager.windows[1:]:
    with bpy.context.temp_override(window=window):
        bpy.ops.wm.window_close()
"""


def logo(folder: Path) -> Path:
    """Draw a black logo on white."""
    file = folder / "logo.png"
    with Image.new("RGB", (512, 512), "white") as picture:
        drawing = ImageDraw.Draw(picture)
        drawing.ellipse((60, 60, 452, 452), fill="black")
        drawing.rectangle((200, 40, 312, 280), fill="white")
        picture.save(file)
    return file


@pytest.fixture(scope="module")
def shelf(artist: Artist, photograph: Path) -> Session:
    """A library of a week, and Results as a panel of its own."""
    session = artist.session
    for picture in (photograph, logo(session.profile)):
        artist.choose(picture)
        done = len(artist.endings())
        artist.press_generate()
        session.wait_for(f"len(ended_jobs()) > {done}", 60)
    session.run(COPIES, seconds=60)
    session.run(ALONE)
    return session


def keep_at(artist: Artist, name: str, width: int) -> None:
    """Keep a screenshot of the sidebar at a width, once its thumbnails are there."""
    artist.drag_sidebar_to(width)
    artist.session.wait_for(LOADED, 20)
    artist.keep(f"{name}-{width}")


def select(session: Session, job: str) -> None:
    """Click the name of a result."""
    session.click(*find_result(session, job))
    session.wait_for(f"{SHELF}.selected == {job!r}")


def find_result(session: Session, job: str) -> tuple[int, int]:
    """Return the pixel of a result's name: names stand in columns, below their thumbnails."""
    place = session.run("place_of('UI')")
    step = (place["width"] - 42) / 3
    rows = range(place["top"] + 60, place["top"] + place["height"], 12)
    for row in rows:
        for column in range(3):
            spot = (round(place["left"] + 14 + step * (column + 0.5)), row)
            session.move_seen(spot)
            if f'select_result(job="{job}")' in session.under_pointer():
                return spot
    session.screenshot("no-result")
    raise AssertionError(f"no name of {job} in the sidebar")


def find_at_right(session: Session, name: str, share: float) -> tuple[int, int]:
    """Return the pixel of a small button, at a share of the sidebar's width."""
    place = session.run("place_of('UI')")
    for row in range(place["top"] + 10, place["top"] + place["height"], 8):
        spot = (place["left"] + round(place["width"] * share), row)
        session.move_seen(spot)
        if name in session.under_pointer():
            return spot
    session.screenshot("not-at-right")
    raise AssertionError(f"no {name} in the sidebar")


def test_the_gallery_at_three_widths(shelf: Session, artist: Artist) -> None:
    for width in (220, 500, 300):
        keep_at(artist, "results", width)
    assert "Traceback" not in shelf.output()


def test_a_result_is_selected_named_starred_and_imported(shelf: Session, artist: Artist) -> None:
    artist.drag_sidebar_to(300)
    job = shelf.run("index.results[1].job")
    select(shelf, job)
    for width in (220, 500, 300):
        keep_at(artist, "results-selected", width)
    x, y = find_at_right(shelf, "star_result", 0.84)
    shelf.click(x, y)
    shelf.wait_for(f"next(one for one in index.results if one.job == {job!r}).starred")
    shelf.double_click(x - 80, y)
    shelf.press("ctrl+a")
    shelf.type_text("Best One")
    shelf.press("Return")
    shelf.wait_for(f"{SHELF}.title == 'Best One'")
    before = len(artist.meshes())
    shelf.click_button("image_to_mesh.import_result")
    shelf.wait_for(f"len({GENERATED}) > {before}", 30)
    artist.keep("results-named")
    shelf.click(*find_at_right(shelf, "image_to_mesh.starred", 0.88))
    shelf.wait_for(f"{SHELF}.starred")
    artist.keep("results-starred")
    shelf.run(f"{SHELF}.starred = False; {SHELF}.text = 'nothing like this'")
    artist.keep("results-no-match")
    shelf.click_button("image_to_mesh.show_all_results")
    shelf.wait_for(f"not {SHELF}.text")


def test_a_deleted_result_comes_back(shelf: Session, artist: Artist) -> None:
    job = shelf.run("index.results[0].job")
    select(shelf, job)
    shelf.click_button("image_to_mesh.delete_result")
    shelf.wait_for(f"{SHELF}.selected == '-'")
    artist.keep("results-deleted")
    shelf.click_button("image_to_mesh.undo_delete")
    shelf.wait_for(f"{SHELF}.selected == {job!r}")
    assert shelf.run(f"(root / {job!r}).is_dir()")


def test_the_asset_browser_opens_at_the_library(shelf: Session) -> None:
    shelf.click_button("image_to_mesh.open_asset_browser")
    shelf.wait_for(BROWSER, 30)
    shelf.wait_for(DRAWN_BROWSER, 30)
    shelf.screenshot("results-asset-browser")
    shelf.run(CLOSED)
    assert "Traceback" not in shelf.output()
