# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in German, in a real window: Blender's own catalogue and the add-on's beside it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.artist import Artist

NARROW = 220
PROVIDER = "bpy.context.scene.image_to_mesh.provider = {!r}"
OPENED = """
import sys
placing = sys.modules['bl_ext.user_default.image_to_mesh.panels.placement']
for panel in placing.classes:
    bpy.utils.unregister_class(panel)
    panel.bl_options, panel.bl_idname = set(), panel.bl_idname + "_open"
    bpy.utils.register_class(panel)
"""
ALONE = """
import sys, types
panels = 'bl_ext.user_default.image_to_mesh.panels.'
real = getattr(sys.modules[panels + {module!r}], {panel!r})

class Opened:
    # A layout whose folded parts are open.
    def __init__(self, layout):
        self.__dict__['layout'] = layout
    def __getattr__(self, name):
        return getattr(self.layout, name)
    def __setattr__(self, name, value):
        setattr(self.layout, name, value)
    def column(self, **how):
        return Opened(self.layout.column(**how))
    def panel(self, name, default_closed):
        return self.layout.panel(name + '_open', default_closed=False)

class ALONE_PT_panel(bpy.types.Panel):
    bl_label, bl_space_type, bl_region_type = real.bl_label, 'VIEW_3D', 'UI'
    bl_category = 'Alone'
    def draw(self, context):
        real.draw(types.SimpleNamespace(layout=Opened(self.layout)), context)
        words = list(_words(self.layout.introspect()))
        shown.append({{'at': time.monotonic(), 'words': words}})

bpy.utils.register_class(ALONE_PT_panel)
"""
GONE = "bpy.utils.unregister_class(ALONE_PT_panel)"
ENGLISH = """
languages = sys.modules['bl_ext.user_default.image_to_mesh.languages']
[text for text in shown[-1]['words'] if languages.GERMAN.get(text, text) != text]
"""
WIDE = """
import blf
blf.size(0, 11.0)
[text for text in shown[-1]['words']
 if blf.dimensions(0, text)[0] > {} and not text[0].isdigit()]
"""
ROOM = 145
"""Pixels that a title has beside its icon where the sidebar is that narrow; figures have more."""


@pytest.fixture
def german(artist: Artist) -> Iterator[Artist]:
    """The artist's Blender in German."""
    artist.speak("de_DE")
    yield artist
    artist.speak("en_US")


def test_the_panel_speaks_german_at_every_width(german: Artist, photograph: Path) -> None:
    assert german.words().splitlines()[-2:] == ["Erzeugen", "Wähle ein Bild"]
    german.session.screenshot("german-empty")
    german.choose(photograph, face_count=2_000)
    german.session.run(PROVIDER.format("tripo"))
    german.words()
    german.session.screenshot("german-no-key")
    german.drag_sidebar_to(NARROW)
    for provider in ("aiml_triposr", "scenario", "tripo"):
        german.session.run(PROVIDER.format(provider))
        assert "Schlüssel eintragen" in german.words()
        german.point_at_view()
        german.session.screenshot(f"german-narrow-{provider}")
    german.session.run(PROVIDER.format("local"))
    german.press_generate()
    german.wait_for_mesh(30)
    german.shows("Erneut importieren")
    german.point_at_view()
    german.session.screenshot("german-narrow-done")
    german.session.run(OPENED)
    german.words()
    place = german.session.run("place_of('UI')")
    german.session.scroll(place["left"] + 60, place["top"] + 300, 30)
    german.words()
    german.session.screenshot("german-narrow-placement")


def test_mending_and_care_in_a_narrow_sidebar(german: Artist, photograph: Path) -> None:
    german.new_file()
    german.choose(photograph, face_count=2_000)
    german.press_generate()
    mesh = german.wait_for_mesh(40)
    german.shows("Erneut importieren")
    german.drag_sidebar_to(NARROW)
    german.session.run(f"bpy.context.view_layer.objects.active = bpy.data.objects[{mesh!r}]")
    german.session.run("with within(): bpy.ops.image_to_mesh.print_check('EXEC_DEFAULT')", 60)
    for module, name, words in (
        ("care", "care", ("Dreiecke", "Dünnste Wand", "Vierecke legen", "Innere Hüllen")),
        ("placement", "mending", ("Vertexfarben", "Transformation anwenden", "Texturgrenze")),
    ):
        german.session.run(ALONE.format(module=module, panel=f"IMAGE_TO_MESH_PT_{module}"))
        german.session.open_tab("Alone")
        said = german.words().splitlines()
        assert set(words) <= set(said)
        assert german.session.run(ENGLISH) == []
        assert german.session.run(WIDE.format(ROOM)) == []
        german.point_at_view()
        time.sleep(1)  # panels slide to their places
        german.session.screenshot(f"german-narrow-{name}")
        german.session.run(GONE)
        german.session.open_tab()
