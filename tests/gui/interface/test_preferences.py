# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's page of the preferences, in a window of its own, in both languages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gui import pictures

if TYPE_CHECKING:
    from gui.artist import Artist

READ = """
preferences = sys.modules['bl_ext.user_default.image_to_mesh.preferences']
catalog = sys.modules['bl_ext.user_default.image_to_mesh.i18n.catalog']
german = catalog.read_catalog(catalog.FOLDER / 'de_DE.po')
page = []

class Page(Recorder):
    # The page draws properties of Blender's own object, not of the stand-in.
    def prop(self, data, *names, **how):
        data = getattr(data, '_panel', data)
        return self._record_calls('prop', self.layout.prop)(data, *names, **how)

drawn = preferences._drawing[-1]

def read(self, context):
    layout = Page(self.layout)
    drawn(_Panel(self, layout), context)
    page[:] = layout.words()

preferences._drawing[-1] = read
"""
OPEN = "bpy.ops.image_to_mesh.open_preferences()"
WINDOWS = "len(bpy.context.window_manager.windows)"
PLACE = """
window, root = bpy.context.window_manager.windows[-1], bpy.context.window_manager.windows[0]
top = root.height - window.y - window.height
[window.x, top, window.x + window.width, top + window.height]
"""
CLOSE = """
window = bpy.context.window_manager.windows[-1]
with bpy.context.temp_override(window=window):
    bpy.ops.wm.window_close()
"""
POINTER = (1100, 300)
"""Where the pointer is when the window opens, which comes up around it."""
NOTCHES = 60
ASIDE = 80
"""Pixels from the window's lower left corner, where the pointer highlights nothing."""


def test_the_page_in_english_and_german(artist: Artist) -> None:
    artist.session.run("import sys")
    artist.session.run(READ)
    english = read_page(artist, "preferences-import")
    assert {"Library", "Import Defaults", "Save as Import Defaults", "Asset Library"} <= english
    artist.speak("de_DE")
    german = read_page(artist, "german-preferences-import")
    assert {"Bibliothek", "Standardwerte für den Import", "Asset-Bibliothek"} <= german
    left = "[one for one in page if german.get(one, one) != one]"
    assert artist.session.run(left) == []
    artist.speak("en_US")


def read_page(artist: Artist, name: str) -> set[str]:
    """Open the page, scroll to its end, take a screenshot and return its words."""
    artist.session.move(*POINTER)
    artist.session.run("page.clear()")
    artist.session.run(OPEN)
    artist.session.wait_for(f"{WINDOWS} == 2 and bool(page)")
    left, top, right, bottom = place = artist.session.run(PLACE)
    artist.session.scroll((left + 2 * right) // 3, (top + bottom) // 2, NOTCHES)
    artist.session.move(left + ASIDE, bottom - ASIDE)
    time.sleep(1)  # it slides there
    pictures.cut(artist.session.screenshot(name), place)
    words = set(artist.session.run("page"))
    artist.session.run(CLOSE)
    artist.session.wait_for(f"{WINDOWS} == 1")
    return words
