# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel on small and unusual screens, and what drawing it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui.pictures import pixels

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

ADDON = "bl_ext.user_default.image_to_mesh"
SCENE = "bpy.context.scene.image_to_mesh"
CROWD = f"""
import sys, time, bpy
jobs = sys.modules['{ADDON}.jobs']
index = sys.modules['{ADDON}.jobs.library.index'].library_index(
    sys.modules['{ADDON}.preferences'].library(bpy.context))
index.refresh_soon = lambda: None
Entry = sys.modules['{ADDON}.jobs.library.index_entry'].Entry
entry = lambda number: Entry(**{{
    **dict.fromkeys(Entry._fields, ''), 'credits': None, 'thumbnail': None,
    'job': f'job-{{number}}', 'state': jobs.State.READY,
    'provider': 'local', 'name': f'cup {{number}}', 'created': '2026', 'seconds': 4.0,
    'faces': 4000, 'size': 1000}})
index._show({{f'job-{{number}}': ((1, 1, 1), entry(number)) for number in range(200)}})
for number in range(50):
    jobs.session().show(jobs.JobView(
        job=f'running-{{number}}', provider='local', name=f'cup {{number}}', fraction=0.4,
        state=jobs.State.RUNNING, phase='Shaping', started=time.monotonic()))
"""
GONE = "jobs.session()._views.clear()"
OPENED = f"""
import bpy
panels = sys.modules['{ADDON}.panels.sidebar']
for panel in panels.classes[1:]:
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()
    panel.bl_idname = panel.bl_idname + "_open"
    bpy.utils.register_class(panel)
"""
TIMED = """
import time
spent, watched = {}, {panel: panel.draw for panel in panels.classes}
def timed(panel):
    plain = getattr(panel, 'draws', panel.draw)  # without what the tests have it keep
    def draw(self, context):
        start = time.perf_counter()
        plain(self, context)
        spent.setdefault(panel.__name__, []).append(time.perf_counter() - start)
    panel.draw = draw
for panel in panels.classes:
    timed(panel)
"""
# All but Views, which the built-in provider does not have.
DRAWN = (
    "redraw_sidebar(); len(spent) == len(panels.classes) - 1 and min(map(len, spent.values())) > 15"
)
WATCHED = "for panel, draw in watched.items(): panel.draw = draw"
PLAIN = """
panel = bpy.types.IMAGE_TO_MESH_PT_sidebar
recording, panel.draw = panel.draw, panel.draws
with within("UI"):
    region("UI").tag_redraw()
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=2)
"""
SCALE = "bpy.context.preferences.view.ui_scale = {}"


def test_the_panel_at_double_interface_scale(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph)
    artist.session.run(SCALE.format(2))
    try:
        assert "Generate" in artist.words()
        artist.keep("panel-scale-2")
        place = artist.session.run("place_of('UI')")
        artist.session.scroll(place["left"] + 40, place["top"] + 400, 30)
        artist.keep("panel-scale-2-below")
    finally:
        artist.session.run(SCALE.format(1))


def test_reading_the_panel_does_not_change_it(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph)
    artist.session.run(f"{SCENE}.provider = 'tripo'")
    artist.shows("Sends 1024 × 1024")
    read = pixels(artist.keep("panel-read"))
    artist.session.run(PLAIN)
    plain = pixels(artist.session.screenshot("panel-plain", "UI"))
    artist.session.run("panel.draw = recording")
    artist.session.run(f"{SCENE}.provider = 'local'")
    assert read == plain


@pytest.mark.parametrize("provider", ["tripo", "aiml_triposr"])
def test_a_disabled_button_says_why(artist: Artist, photograph: Path, provider: str) -> None:
    artist.choose(photograph)
    artist.session.run(f"{SCENE}.provider = {provider!r}")
    assert "needs an API key" in " ".join(artist.words().splitlines())
    artist.keep(f"panel-no-key-{provider}")
    artist.session.run(f"{SCENE}.provider = 'local'")


def test_drawing_is_cheap_with_many_jobs_and_results(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph)
    artist.session.run(CROWD)
    artist.shows("46 more running")
    artist.keep("panel-crowded")
    artist.session.run(OPENED)
    artist.words()
    artist.session.run(TIMED)
    artist.session.wait_for(DRAWN, 30)
    shortest = artist.session.run("{name: min(times) for name, times in spent.items()}")
    print(f"\ndraw: {', '.join(f'{name} {1000 * item:.2f} ms' for name, item in shortest.items())}")
    artist.session.run(GONE)
    artist.session.run(WATCHED)
    assert sum(shortest.values()) < 0.005  # 1 ms on a quiet machine; printed above
