# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors, and the panels about the model, in German in a narrow sidebar: complete, not cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.artist import Artist

NARROW = 220
GRAY = "bpy.context.scene.image_to_mesh.image = bpy.data.images.new('gray', 256, 256)"
ALONE = """
import sys, types
panels = 'bl_ext.user_default.image_to_mesh.panels.'
real = getattr(sys.modules[panels + {module!r}], {panel!r})

class Opened(Recorder):
    # Folded panels are opened.
    def panel(self, name, *, default_closed):
        return self._record_calls('panel', self.layout.panel)(name + '_open', default_closed=False)

class ALONE_PT_panel(bpy.types.Panel):
    bl_label, bl_space_type, bl_region_type = real.bl_label, 'VIEW_3D', 'UI'
    bl_category = 'Alone'
    def draw(self, context):
        layout = Opened(self.layout)
        real.draw(types.SimpleNamespace(layout=layout), context)
        shown.append({{'at': time.monotonic(), 'words': list(layout.words())}})

bpy.utils.register_class(ALONE_PT_panel)
"""
GONE = "bpy.utils.unregister_class(ALONE_PT_panel)"
ENGLISH = """
catalog = sys.modules['bl_ext.user_default.image_to_mesh.i18n.catalog']
german = catalog.read_catalog(catalog.FOLDER / 'de_DE.po')
[text for text in shown[-1]['words'] if german.get(text, text) != text]
"""
WIDE = """
import blf
blf.size(0, 11.0)
[text for text in shown[-1]['words']
 if blf.dimensions(0, text)[0] > {} and not text[0].isdigit()]
"""
ROOM = 145
"""Pixels that a title has beside its icon where the sidebar is that narrow; figures have more."""
ICONLESS = {"Als Standardwerte speichern"}
"""Titles of buttons that leave out their icon in a narrow sidebar."""


@pytest.fixture(autouse=True)
def german(artist: Artist) -> Iterator[None]:
    """Blender in German, with a narrow sidebar."""
    artist.new_file()
    artist.speak("de_DE")
    artist.drag_sidebar_to(NARROW)
    yield
    artist.speak("en_US")


def test_an_error_says_in_german_what_happened_and_what_to_do(artist: Artist) -> None:
    artist.session.run(GRAY)
    artist.press_generate()
    artist.shows("hebt sich von den Farben seines Randes ab.", 30)
    artist.shows("Nimm ein Bild")
    artist.keep("german-narrow-error")
    (ending,) = artist.endings()
    assert ending["message"].startswith("Nothing in the image stands out")


def test_cleanup_and_mesh_edits_in_a_narrow_sidebar(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=2_000)
    artist.press_generate()
    mesh = artist.wait_for_mesh(40)
    artist.shows("Erneut importieren")
    artist.session.run(f"bpy.context.view_layer.objects.active = bpy.data.objects[{mesh!r}]")
    artist.session.run("with within(): bpy.ops.image_to_mesh.print_check('EXEC_DEFAULT')", 60)
    for module, name, words in (
        ("mesh_edits", "care", ("Dreiecke", "Dünnste Wand", "Neu vermaschen", "Innere Hüllen")),
        ("sidebar", "placement", ("Position", "Größe")),
        ("sidebar", "cleanup", ("Vertexfarben", "Transformation anwenden", "Texturgrenze")),
    ):
        artist.session.run(ALONE.format(module=module, panel=f"IMAGE_TO_MESH_PT_{name}"))
        artist.session.open_tab("Alone")
        said = artist.words().splitlines()
        assert set(words) <= set(said)
        assert artist.session.run(ENGLISH) == []
        assert set(artist.session.run(WIDE.format(ROOM))) <= ICONLESS
        artist.keep(f"german-narrow-{name}")
        artist.session.run(GONE)
        artist.session.open_tab()
