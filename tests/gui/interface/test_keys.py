# SPDX-License-Identifier: GPL-3.0-or-later
"""A key is entered in the sidebar by mouse and keyboard, and is still there after a restart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from fakes.glb import triangle_glb
from fakes.running import wait_until
from fakes.service import KEY, Service, serving
from gui import pictures
from gui.artist import ADDON, Artist
from gui.harness import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import blenders
    from gui.conftest import StartBlender

POPOVERS = f"__import__('sys').modules['{ADDON}.state.visibility'].drawn_popovers()"
STORED = f"bpy.context.preferences.addons['{ADDON}'].preferences.rehearsal_api_key"
NO_AUTO_SAVE = """
bpy.context.preferences.use_preferences_save = False
bpy.ops.wm.save_userpref()
bpy.context.scene.image_to_mesh.provider = 'rehearsal'
"""
PLACE = f"""
here = {POPOVERS}[0]
[here.x + here.width // 2, bpy.context.window_manager.windows[0].height - here.y - here.height]
"""
WATCH = f"""
import sys
panel, seen = bpy.types.IMAGE_TO_MESH_PT_key, []
state_of = sys.modules['{ADDON}.panels.account_text'].state_of
provider = sys.modules['{ADDON}.providers'].get_provider('rehearsal')
panel.draws = panel.draw

def draw(self, context):
    seen.append(state_of(context, provider, none='No Key').text)
    panel.draws(self, context)

panel.draw = draw
"""
FIELD, TEST = 56, 80
"""Pixels from the popover's upper border down to the field of the key, and to Test."""
ROWS = range(22, 90, 11)
"""Pixels from the provider menu down to the line that opens the popover."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The service, which answers at once."""
    with serving(Service(mesh=triangle_glb(5))) as running:
        yield running


def open_popover(artist: Artist) -> tuple[int, int, int]:
    """Click the line below the provider menu; return the middle and the rows of field and Test."""
    session = artist.session
    x, top = session.find("image_to_mesh.provider")
    for row in ROWS:
        session.click(x, top + row)
        time.sleep(0.5)
        if session.run(f"bool({POPOVERS})"):
            across, upper = session.run(PLACE)
            return across, upper + FIELD, upper + TEST
        session.press("Escape")
    session.screenshot("no-popover")
    raise AssertionError("nothing below the provider menu opens the popover")


def keep(artist: Artist, name: str) -> None:
    """Take a screenshot of the sidebar and what covers it."""
    place = artist.session.run("place_of('UI')")
    start, top = place["left"] - 120, place["top"]
    file = artist.session.screenshot(name)
    pictures.cut(file, [start, top, start + place["width"] + 200, top + 560])


def test_a_key_from_the_popover_outlives_a_restart(
    start_blender: StartBlender,
    place: blenders.Place,
    rehearsal: Path,
    service: Service,
    photograph: Path,
) -> None:
    """Also with Auto-Save Preferences off; the service then gets the key by itself."""
    first = start_blender(rehearsal, REHEARSAL_BASE_URL=service.url)
    first.open_tab()
    artist = Artist(first)
    first.run(NO_AUTO_SAVE)
    artist.choose(photograph)
    first.wait_for("bpy.context.preferences.is_dirty is False")
    first.run(WATCH)
    x, field, test = open_popover(artist)
    before = first.clicks - 1  # of the clicks that looked for the popover, one opened it
    keep(artist, "key-popover-empty")
    first.click(x, field)
    first.type_text(KEY)
    first.press("Return")
    first.wait_for(f"{STORED} == {KEY!r}")
    artist.shows("Balance: 42 Credits")
    assert service.calls("GET", "/balance") == 1
    assert first.clicks - before <= 3, "too many clicks to enter a key"
    # The open popover updates by itself, without a move of the pointer.
    first.wait_for("seen[-1] == 'Balance: 42 Credits'")
    keep(artist, "key-popover-balance")
    first.click(x, test)
    wait_until(lambda: service.calls("GET", "/balance") == 2)
    first.wait_for("seen[-1] == 'Balance: 42 Credits' and 'Checking...' in seen")
    first.close()
    with Session(place, first.profile, REHEARSAL_BASE_URL=service.url) as second:
        assert second.run("bpy.context.preferences.use_preferences_save") is False
        assert second.run(STORED) == KEY
        second.open_tab()
        again = Artist(second)
        second.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")
        again.choose(photograph)
        again.shows("Balance: 42 Credits")
        again.keep("key-after-restart")
        assert second.run("bpy.ops.image_to_mesh.generate.poll()")
    assert service.submits == []


def test_online_access_is_allowed_with_one_click(
    start_blender: StartBlender, photograph: Path
) -> None:
    """The proxy does not exist, so that no request reaches the service."""
    session = start_blender(TRIPO_API_KEY="tsk_0123456789", HTTPS_PROXY="http://127.0.0.1:9")
    session.open_tab()
    artist = Artist(session)
    session.run("bpy.context.scene.image_to_mesh.provider = 'tripo'")
    artist.choose(photograph)
    artist.shows("Blender is offline")
    assert not session.run("bpy.app.online_access or bpy.ops.image_to_mesh.generate.poll()")
    before = session.clicks
    session.click_button("image_to_mesh.allow_online")
    session.wait_for("bpy.app.online_access and bpy.ops.image_to_mesh.generate.poll()")
    assert session.clicks - before == 1
    artist.shows("Balance Unknown")
    words = artist.words()
    assert "Allow Online Access" not in words
    assert "Blender is offline" not in words
    artist.keep("key-online")
