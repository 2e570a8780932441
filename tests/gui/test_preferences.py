# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's page of the preferences, in a window of its own, in both languages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui.artist import Artist

READ = """
preferences = sys.modules['bl_ext.user_default.image_to_mesh.preferences']
languages = sys.modules['bl_ext.user_default.image_to_mesh.languages']
page = []

def read(self, context):
    page[:] = _words(self.layout.introspect())

preferences._drawing.append(read)
"""
OPEN = "bpy.ops.image_to_mesh.open_preferences()"
WINDOWS = "len(bpy.context.window_manager.windows)"
CLOSE = """
window = bpy.context.window_manager.windows[-1]
with bpy.context.temp_override(window=window):
    bpy.ops.wm.window_close()
"""
POINTER = (1100, 300)
"""Where the pointer is when the window opens, which comes up around it."""
NOTCHES = 60


def test_the_page_in_english_and_german(artist: Artist) -> None:
    artist.session.run("import sys")
    artist.session.run(READ)
    english = look(artist, "preferences-import")
    assert {"Library", "Defaults for Import", "Keep This Scene's", "Asset Library"} <= english
    artist.speak("de_DE")
    german = look(artist, "german-preferences-import")
    assert {"Bibliothek", "Vorgaben für den Import", "Asset-Bibliothek"} <= german
    left = "[one for one in page if languages.GERMAN.get(one, one) != one]"
    assert artist.session.run(left) == []
    artist.speak("en_US")


def look(artist: Artist, name: str) -> set[str]:
    """Open the page, go to its end, take a picture and return what it says."""
    artist.session.move(*POINTER)
    artist.session.run("page.clear()")
    artist.session.run(OPEN)
    artist.session.wait_for(f"{WINDOWS} == 2 and bool(page)")
    artist.session.scroll(*POINTER, NOTCHES)
    time.sleep(1)  # it slides there
    artist.session.screenshot(name)
    words = set(artist.session.run("page"))
    artist.session.run(CLOSE)
    artist.session.wait_for(f"{WINDOWS} == 1")
    return words
