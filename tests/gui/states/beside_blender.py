# SPDX-License-Identifier: GPL-3.0-or-later
"""Take screenshots of the add-on beside Blender's own interface, for review by the artist.

Not among the tests: `tools/screenshots.py --beside` runs it. One window has the sidebar, a Geometry
Nodes modifier, and the asset browser; the preferences are shown on the add-on's page, on the list
of extensions, and on a page of Blender's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from gui import pictures
from gui.artist import Artist
from gui.interface.test_preferences import CLOSE, PLACE, POINTER
from gui.interface.test_results import COPIES, LOADED
from gui.states.every_state import INSIDE, THEME

if TYPE_CHECKING:
    from pathlib import Path

    from gui.conftest import StartBlender

pytestmark = pytest.mark.timeout(900)
ARRANGE = """
tree = bpy.data.node_groups.new('Scatter', 'GeometryNodeTree')
for title, kind in (('Geometry', 'NodeSocketGeometry'), ('Density', 'NodeSocketFloat'),
                    ('Seed', 'NodeSocketInt'), ('Instance', 'NodeSocketObject'),
                    ('Align to Normal', 'NodeSocketBool'), ('Scale', 'NodeSocketVector')):
    tree.interface.new_socket(title, in_out='INPUT', socket_type=kind)
tree.interface.new_socket('Geometry', in_out='OUTPUT', socket_type='NodeSocketGeometry')
tree.links.new(
    tree.nodes.new('NodeGroupOutput').inputs[0], tree.nodes.new('NodeGroupInput').outputs[0]
)
bpy.context.object.modifiers.new('Scatter', 'NODES').node_group = tree
screen = bpy.context.window.screen
view = next(area for area in screen.areas if area.type == 'VIEW_3D')
with bpy.context.temp_override(area=view):
    bpy.ops.screen.area_split(direction='VERTICAL', factor=0.5)
views = [area for area in screen.areas if area.type == 'VIEW_3D']
min(views, key=lambda area: area.x).ui_type = 'ASSETS'
editor = next(area for area in screen.areas if area.type == 'PROPERTIES')
editor.spaces.active.context = 'MODIFIER'
"""
PAGES = {
    "ours": "bpy.ops.image_to_mesh.open_preferences()",
    "extensions": "bpy.ops.screen.userpref_show(section='EXTENSIONS')",
    "files": "bpy.ops.screen.userpref_show(section='FILE_PATHS')",
}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_beside_blender(start_blender: StartBlender, photograph: Path, theme: str) -> None:
    session = start_blender()
    session.open_tab()
    artist = Artist(session)
    session.run(INSIDE.read_text("utf-8"))
    artist.choose(photograph)
    artist.press_generate()
    session.wait_for("len(ended_jobs()) > 0", 90)
    session.run(COPIES, seconds=60)
    if theme == "light":
        session.run(THEME)
    session.run(ARRANGE)
    artist.unfold("results")
    session.move(*POINTER)
    session.wait_for(LOADED, 30)
    time.sleep(4)  # the asset browser reads the library
    session.screenshot(f"beside-{theme}")
    for name, call in PAGES.items():
        session.run(call)
        session.wait_for("len(bpy.context.window_manager.windows) == 2")
        time.sleep(2)
        shot = session.screenshot(f"beside-{theme}-{name}")
        pictures.cut(shot, session.run(PLACE))
        session.run(CLOSE)
        session.wait_for("len(bpy.context.window_manager.windows) == 1")
