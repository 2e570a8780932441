# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh tools by real clicks: in the object, with one line about it, undone in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.artist import Artist

ALONE = """
import sys, types
real = sys.modules['bl_ext.user_default.image_to_mesh.panels.mesh_edits'].IMAGE_TO_MESH_PT_care

class ALONE_PT_tools(bpy.types.Panel):
    bl_label, bl_space_type, bl_region_type = real.bl_label, 'VIEW_3D', 'UI'
    bl_category = 'Alone'
    def draw(self, context):
        layout = Recorder(self.layout)
        real.draw(types.SimpleNamespace(layout=layout), context)
        shown.append({'at': time.monotonic(), 'words': list(layout.words())})

bpy.utils.register_class(ALONE_PT_tools)
"""
GONE = "bpy.utils.unregister_class(ALONE_PT_tools)"
MONKEY = """
with within():
    bpy.ops.mesh.primitive_monkey_add(location=(3, 0, 1))
    bpy.context.object.modifiers.new('Bevel', 'BEVEL')
bpy.context.scene.image_to_mesh.care.faces = 300
"""
OBJECTS = "sorted(obj.name for obj in bpy.data.objects)"
FACES = "len(bpy.data.objects['Suzanne'].data.polygons)"
ACTIVE = "bpy.context.view_layer.objects.active.name"


@pytest.fixture(params=[220, 300])
def tools(artist: Artist, request: pytest.FixtureRequest) -> Iterator[Artist]:
    """A new file whose sidebar shows the panel Mesh Tools and nothing else."""
    artist.new_file()
    artist.drag_sidebar_to(request.param)
    artist.session.run(ALONE)
    artist.session.open_tab("Alone")
    yield artist
    artist.session.run(GONE)
    artist.session.open_tab()


def test_a_clean_cube_says_that_there_is_nothing_to_clean(tools: Artist) -> None:
    tools.remember()
    tools.session.click_button("image_to_mesh.clean_mesh")
    tools.shows("Nothing to clean", 30)
    assert tools.session.run("'image_to_mesh_versions' in bpy.data.objects['Cube']") is False
    tools.session.click_button("image_to_mesh.decimate")
    tools.shows("has only 12 triangles", 30)
    tools.keep(f"tools-cube-{tools.sidebar_width() // 100}")
    assert "Traceback" not in tools.session.output()


def test_reducing_suzanne_keeps_the_object_and_is_undone_in_one_step(tools: Artist) -> None:
    tools.session.run(MONKEY)
    tools.remember("Suzanne")
    wide = tools.sidebar_width() // 100
    before = tools.session.run(OBJECTS)
    tools.session.click_button("image_to_mesh.decimate")
    tools.shows("Reduced: 968", 40)
    tools.session.click_button("image_to_mesh.health_card")
    tools.shows("Watertight", 30)
    tools.keep(f"tools-suzanne-{wide}")
    tools.session.screenshot(f"tools-suzanne-window-{wide}")
    assert tools.session.run(OBJECTS) == before
    assert tools.session.run(ACTIVE) == "Suzanne"
    assert tools.session.run("[m.type for m in bpy.data.objects['Suzanne'].modifiers]") == ["BEVEL"]
    assert tools.session.run(FACES) < 320
    x, y = tools.session.find("image_to_mesh.health_card")
    # The versions are a menu right above the buttons.
    tools.session.click(x, y - 24)
    tools.session.screenshot(f"tools-versions-{wide}")
    tools.session.press("Escape")
    tools.point_at_view()
    tools.session.press("ctrl+z")
    tools.session.wait_for(f"{FACES} == 500")
    assert tools.session.run(OBJECTS) == before
    assert "Traceback" not in tools.session.output()


def test_levels_of_detail_are_seen_side_by_side(tools: Artist) -> None:
    tools.session.run(MONKEY)
    tools.remember("Suzanne")
    tools.session.click_button("image_to_mesh.detail_levels")
    tools.shows("Levels of detail: 968", 40)
    wide = tools.sidebar_width() // 100
    tools.keep(f"tools-levels-{wide}")
    tools.session.run("with within(): bpy.ops.view3d.view_all()\nbpy.context.view_layer.update()")
    tools.session.screenshot(f"tools-levels-window-{wide}")
    assert tools.session.run(OBJECTS) == [
        "Camera", "Cube", "Light", "Suzanne", "Suzanne LOD1", "Suzanne LOD2", "Suzanne LOD3",
    ]  # fmt: skip
    assert tools.session.run(ACTIVE) == "Suzanne"
