# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in German, in a real window: Blender's own catalog and the add-on's beside it."""

from __future__ import annotations

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
for name in ("placement", "cleanup", "settings"):
    panel = getattr(bpy.types, f"IMAGE_TO_MESH_PT_{name}")
    bpy.utils.unregister_class(panel)
    panel.bl_options, panel.bl_idname = set(), panel.bl_idname + "_open"
    bpy.utils.register_class(panel)
"""


@pytest.fixture
def german(artist: Artist) -> Iterator[Artist]:
    """The artist's Blender in German."""
    artist.speak("de_DE")
    yield artist
    artist.speak("en_US")


def test_the_panel_speaks_german_at_every_width(german: Artist, photograph: Path) -> None:
    assert {"Bild öffnen...", "Beispielbild ausprobieren"} <= set(german.words().splitlines())
    german.keep("german-empty")
    german.choose(photograph, face_count=2_000)
    german.session.run(PROVIDER.format("tripo"))
    german.keep("german-no-key")
    german.drag_sidebar_to(NARROW)
    for provider in ("aiml_triposr", "scenario", "tripo"):
        german.session.run(PROVIDER.format(provider))
        assert "Schlüssel eintragen" in german.words()
        german.keep(f"german-narrow-{provider}")
    german.session.run(PROVIDER.format("local"))
    german.press_generate()
    german.wait_for_mesh(30)
    german.shows("Erneut importieren")
    german.keep("german-narrow-done")
    german.session.run(OPENED)
    german.words()
    place = german.session.run("place_of('UI')")
    german.session.scroll(place["left"] + 60, place["top"] + 300, 30)
    german.keep("german-narrow-placement")
