# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's hands on fields, menus, and the popover of the provider's line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gui.artist import ADDON
from gui.harness import slowness

if TYPE_CHECKING:
    from gui.artist import Artist

Spot = tuple[int, int]
POPOVERS = f"__import__('sys').modules['{ADDON}.state.visibility'].drawn_popovers()"
_ACROSS = 0.6
"""Where fields are, as a share of the sidebar's width: right of their titles, left of arrows."""
_STEP = 9
"""Pixels between two looks: less than half of a row."""
_PAUSE = 0.4
"""Seconds until a menu or a popover is drawn, on a quiet machine."""
_LINE = range(22, 90, 11)
"""Pixels from the provider menu down to the line that opens the popover."""
_OVER_POPOVER = f"""
def over_popover():
    manager = bpy.context.window_manager
    manager.clipboard = ""
    with bpy.context.temp_override(window=manager.windows[0], region={POPOVERS}[0]):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
    return manager.clipboard

def place_of_popover():
    if not {POPOVERS}:
        return None
    here, height = {POPOVERS}[0], bpy.context.window_manager.windows[0].height
    return [here.x, height - here.y - here.height, here.width, here.height]
"""


def find_fields(artist: Artist, start: Spot = (0, 0), last: str = "") -> dict[str, Spot]:
    """Move down the sidebar once, and return where each button and field was found.

    Keys are names of the add-on's operators, such as `generate`, and data paths of the scene's
    choices, such as `custom.path`. Begins at `start`, and ends with `last`.
    """
    place = artist.session.run("place_of('UI')")
    across = place["left"] + round(place["width"] * _ACROSS)
    found: dict[str, Spot] = {}
    for y in range(max(place["top"] + 4, start[1]), place["top"] + place["height"], _STEP):
        artist.session.move_seen((across, y))
        name = artist.session.under_pointer().removeprefix("bpy.ops.").partition("(")[0]
        if name:
            found.setdefault(name.rpartition("image_to_mesh.")[2], (across, y))
        if last in found:
            break
    return found


def type_into(artist: Artist, spot: Spot, text: str) -> None:
    """Double-click a field, replace its text, and press Return."""
    session = artist.session
    session.double_click(*spot)
    session.press("ctrl+a")
    session.type_text(text)
    session.press("Return")
    artist.point_at_view()


def pick(artist: Artist, spot: Spot, key: str) -> None:
    """Open a menu, and choose the entry in which this letter is underlined."""
    artist.session.click(*spot)
    time.sleep(_PAUSE * slowness())
    artist.session.press(key)
    time.sleep(_PAUSE * slowness())
    artist.point_at_view()


def open_popover(artist: Artist, menu: Spot) -> dict[str, Spot]:
    """Click the line below the provider menu, which is at `menu`; return the buttons it opens."""
    session = artist.session
    session.run(_OVER_POPOVER)
    for row in _LINE:
        session.click(menu[0], menu[1] + row)
        time.sleep(_PAUSE * slowness())
        if session.run("bool(place_of_popover())"):
            return find_in_popover(artist)
        session.press("Escape")
    session.screenshot("no-popover")
    raise AssertionError("nothing below the provider menu opens the popover")


def find_in_popover(artist: Artist) -> dict[str, Spot]:
    """Move down the open popover, and return where each operator's first button was found.

    Only operators are found: Blender does not name the fields of preferences. The operators of
    several rows have a number behind the name from the second on.
    """
    session = artist.session
    left, top, width, height = session.run("place_of_popover()")
    found: dict[str, Spot] = {}
    last = ""
    for y in range(top + 4, top + height - 4, _STEP):
        session.move_seen((left + round(width * 0.85), y))
        name = str(session.run("over_popover()")).removeprefix("bpy.ops.")
        if name and name != last:
            found.setdefault(name, (left + round(width * 0.85), y))
        last = name
    return found
