# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's hands on fields, menus, and the popover of the provider's line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gui.artist import ADDON
from gui.harness import slowness

if TYPE_CHECKING:
    from collections.abc import Callable

    from gui.artist import Artist

Spot = tuple[int, int]
POPOVERS = f"__import__('sys').modules['{ADDON}.state.visibility'].drawn_popovers()"
_ACROSS = 0.6
"""Where fields are, as a share of the sidebar's width: right of their titles, left of arrows."""
_AT_USE = 0.85
"""Where the buttons of a popover are, as a share of its width: also those beside a text."""
_STEP = 7
"""Pixels between two looks: each row is seen at least twice."""
_PAUSE = 0.4
"""Seconds until a menu or a popover is drawn, on a quiet machine."""
_ATTEMPTS = 4
_ANSWER = 1.5
"""Seconds until a click has had its effect, on a quiet machine."""
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
    rows = range(max(place["top"] + 4, start[1]), place["top"] + place["height"], _STEP)

    def name_here() -> str:
        seen = artist.session.under_pointer().removeprefix("bpy.ops.").partition("(")[0]
        return seen.rpartition("image_to_mesh.")[2]

    return _names_below(artist, across, rows, name_here, last)


def type_into(artist: Artist, spot: Spot, text: str) -> None:
    """Double-click a field, replace its text, and press Return."""
    session = artist.session
    session.double_click(*spot)
    session.press("ctrl+a")
    session.type_text(text)
    session.press("Return")
    artist.point_at_view()


def pick(artist: Artist, spot: Spot, key: str, code: str) -> None:
    """Choose the entry of a menu in which this letter is underlined; `code` is true after that.

    Tries again, since nothing tells whether a menu is open: on a busy machine that takes a while.
    """
    session = artist.session
    for attempt in range(1, _ATTEMPTS + 1):
        artist.point_at_view()
        session.click(*spot)
        time.sleep(attempt * _PAUSE * slowness())
        session.press(key)
        if _becomes_true(artist, code):
            return artist.point_at_view()
        session.press("Escape")
    session.screenshot("not-picked")
    raise AssertionError(f"the menu has no {key}, or does not open: {code}")


def press(artist: Artist, name: str, spot: Spot) -> None:
    """Click the button of one of the add-on's operators, such as `test_server`, seen at a spot."""
    artist.point_at_view()
    artist.session.found[f"image_to_mesh.{name}"] = spot
    artist.session.click_button(f"image_to_mesh.{name}")
    artist.point_at_view()


def toggle(artist: Artist, spot: Spot, code: str) -> None:
    """Click a checkbox; `code` is true after that."""
    artist.point_at_view()
    artist.session.click(*spot)
    assert _becomes_true(artist, code), code
    artist.point_at_view()


def _becomes_true(artist: Artist, code: str) -> bool:
    deadline = time.monotonic() + _ANSWER * slowness()
    while time.monotonic() < deadline:
        if artist.session.run(code):
            return True
        time.sleep(0.05)
    return False


def open_popover(artist: Artist, menu: Spot) -> dict[str, Spot]:
    """Click the line below the provider menu, which is at `menu`; return what is in it."""
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
    """Move down the open popover, and return the place of each operator's button.

    Keys are calls, such as `image_to_mesh.find_servers()`. Fields are left out: Blender does not
    name those of preferences.
    """
    session = artist.session
    left, top, width, height = session.run("place_of_popover()")
    across, rows = left + round(width * _AT_USE), range(top + 4, top + height - 4, _STEP)

    def name_here() -> str:
        return str(session.run("over_popover()")).removeprefix("bpy.ops.")

    return _names_below(artist, across, rows, name_here)


def _names_below(
    artist: Artist, across: int, rows: range, name_here: Callable[[], str], last: str = ""
) -> dict[str, Spot]:
    """Return the middle of each button that the pointer meets; `name_here` names it."""
    seen: dict[str, list[int]] = {}
    for y in rows:
        artist.session.move_seen((across, y))
        name = name_here()
        if last in seen and name != last:
            break
        # A name that comes again, further down, is that of another button.
        if name and seen.get(name, [y - _STEP])[-1] == y - _STEP:
            seen.setdefault(name, []).append(y)
    return {name: (across, (found[0] + found[-1]) // 2) for name, found in seen.items()}
