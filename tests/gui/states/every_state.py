# SPDX-License-Identifier: GPL-3.0-or-later
"""Take screenshots of the sidebar and the preferences in every state, for review by the artist.

Not among the tests: `tools/screenshots.py --states` runs it. Each appearance (dark, light, narrow,
double scale, German) gets a folder of build/screenshots/<suite>/states, and sheets of them. STATES
in the environment limits them to those whose names begin with one of its words.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.glb import triangle_glb
from fakes.workshop import Workshop, serving
from gui import pictures
from gui.artist import Artist
from gui.harness import SCREENSHOTS, slowness
from gui.interface.test_appearance import THEME
from gui.interface.test_preferences import CLOSE, PLACE
from gui.interface.test_results import COPIES, LOADED, logo
from gui.interface.test_server_settings import PROVIDER
from gui.states.states import POPUPS, PREFERENCES, STATES
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.conftest import StartBlender
    from gui.harness import Session

pytestmark = pytest.mark.timeout(1800)
INSIDE = Path(__file__).with_name("inside_states.py")
TALL, ACROSS = 960, 1560
"""Pixels of a sheet."""
APPEARANCES = {
    "dark": "pass",
    "light": THEME,
    "narrow": "pass",
    "scale-2": "bpy.context.preferences.view.ui_scale = 2",
    "german": (
        "view = bpy.context.preferences.view\n"
        "view.language = 'de_DE'\n"
        "view.use_translate_interface = view.use_translate_tooltips = True"
    ),
}
APPEARANCES["german-wide"] = APPEARANCES["german"]
ENDS = ("mesh-report", "placement", "results-selected")
"""States longer than the sidebar, as all are at double scale: a second screenshot shows the end."""
NOTCHES = 40
WIDTHS = {"narrow": 220, "german": 220}
USUAL = 280
CENTER = (800, 500)
"""Pixels of the screen, from its top left corner. A window that opens around the pointer there also
fits at double scale."""
ONLY = tuple(os.environ.get("STATES", "").split())


@pytest.fixture(scope="module")
def stage(open_blender: StartBlender, photograph: Path) -> Iterator[Artist]:
    """A Blender with two generated meshes and a library of a week; no service is in reach.

    A server of the user's own with settings of its own is.
    """
    nowhere = {f"{name}_BASE_URL": "http://127.0.0.1:9" for name in ("TRIPO", "SCENARIO", "AIML")}
    with (
        serving(Workshop(mesh=triangle_glb(5))) as server,
        open_blender(PROVIDER, WORKSHOP_BASE_URL=server.url, **nowhere) as session,
    ):
        session.open_tab()
        artist = Artist(session)
        session.run(INSIDE.read_text("utf-8"))
        for picture in (photograph, logo(session.profile)):
            artist.choose(picture)
            done = len(artist.endings())
            artist.press_generate()
            session.wait_for(f"len(ended_jobs()) > {done}", 90)
        session.run(COPIES, seconds=60)
        yield artist


@pytest.mark.parametrize("appearance", APPEARANCES)
def test_every_state(stage: Artist, photograph: Path, appearance: str) -> None:
    session = stage.session
    folder = SCREENSHOTS / "states" / appearance
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    session.run("reset()")
    stage.drag_sidebar_to(WIDTHS.get(appearance, USUAL))
    session.run(APPEARANCES[appearance])
    for name, code in states_to_take(STATES):
        take(stage, folder / f"{name}.png", code.replace("IMAGE", str(photograph)))
    for name, (code, call) in states_to_take(POPUPS):
        take_popup(stage, folder / f"{name}.png", code.replace("IMAGE", str(photograph)), call)
    for name, code in states_to_take(PREFERENCES):
        take_preferences(session, folder / f"{name}.png", code)
    make_sheets(folder)
    session.run("bpy.ops.preferences.reset_default_theme()")
    session.run("bpy.context.preferences.view.language = 'en_US'")
    session.run("bpy.context.preferences.view.ui_scale = 1")
    assert "Traceback" not in session.output()


def states_to_take(states: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the states to take, with their names."""
    return [(name, state) for name, state in states.items()
            if not ONLY or name.startswith(ONLY)]  # fmt: skip


def take(stage: Artist, file: Path, code: str) -> None:
    """Put the panel into a state and keep a screenshot of the sidebar."""
    stage.session.run("reset()")
    stage.session.run(code, seconds=30)
    stage.session.wait_for("is_checked() and is_answered()", 20)
    if "choose(" in code or "choose_disc(" in code:
        stage.wait_for_picture()
    if file.stem.startswith("results"):
        stage.session.wait_for(LOADED, 20)
    shutil.move(stage.keep("state"), file)
    if file.stem in ENDS or file.parent.name == "scale-2":
        scroll(stage, NOTCHES)
        shutil.move(stage.keep("state"), file.with_stem(f"{file.stem}-end"))
        scroll(stage, -NOTCHES)


def scroll(stage: Artist, notches: int) -> None:
    """Turn the wheel over the sidebar."""
    place = stage.session.run("place_of('UI')")
    stage.session.scroll(place["left"] + 60, place["top"] + 300, notches)


def take_popup(stage: Artist, file: Path, code: str, call: str) -> None:
    """Open a menu or a popover over the sidebar and keep a screenshot of both."""
    session = stage.session
    session.run("reset()")
    session.run(code)
    place = session.run("place_of('UI')")
    stage.words()
    session.move_seen((place["left"] + place["width"] // 2, place["top"] + 300))
    session.run(f"with within('UI'): {call}")
    time.sleep(1.0 * slowness())
    shot = session.screenshot("state")
    start = max(0, place["left"] - 200)
    pictures.cut(
        shot, [start, place["top"], place["left"] + place["width"] + 180, place["top"] + 800]
    )
    shutil.move(shot, file)
    session.press("Escape")
    time.sleep(0.2)


def take_preferences(session: Session, file: Path, code: str) -> None:
    """Keep a screenshot of the add-on's page, at its top and at its end."""
    session.run("reset()")
    session.run(code)
    session.move(*CENTER)
    session.run("bpy.ops.image_to_mesh.open_preferences()")
    session.wait_for("len(bpy.context.window_manager.windows) == 2")
    place = session.run(PLACE)
    for name, notches in (("", 0), ("-end", 60)):
        if notches:
            session.scroll((place[0] + 2 * place[2]) // 3, (place[1] + place[3]) // 2, notches)
        session.move(place[0] + 80, place[3] - 80)
        time.sleep(1.5)
        shot = session.screenshot("state")
        pictures.cut(shot, place)
        shutil.move(shot, file.with_stem(file.stem + name))
    session.run(CLOSE)
    session.wait_for("len(bpy.context.window_manager.windows) == 1")


def make_sheets(folder: Path) -> None:
    """Put the screenshots of a folder side by side, each below its name."""
    sheets = folder.parent / "sheets"
    sheets.mkdir(exist_ok=True)
    row: list[tuple[str, Any]] = []
    number = 0
    for file in sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime):
        with Image.open(file) as shot:
            image = shot.convert("RGB").crop((0, 0, shot.width, min(shot.height, TALL)))
        if row and sum(other.width + 6 for _, other in row) + image.width > ACROSS:
            number += 1
            _paste(row, sheets / f"{folder.name}-{number:02}.png")
            row = []
        row.append((file.stem, image))
    _paste(row, sheets / f"{folder.name}-{number + 1:02}.png")


def _paste(row: list[tuple[str, Any]], file: Path) -> None:
    height = max(image.height for _, image in row) + 14
    sheet = Image.new("RGB", (sum(image.width + 6 for _, image in row), height), "magenta")
    across = 0
    for name, image in row:
        ImageDraw.Draw(sheet).text((across + 2, 1), name, fill="white")
        sheet.paste(image, (across, 14))
        across += image.width + 6
    sheet.save(file)
