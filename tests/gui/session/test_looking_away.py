# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is lost while the panel is hidden: sidebar, workspace, full screen, window, scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

MANY_FACES = 400_000
IN_THE_MIDDLE = "any((one['fraction'] or 0) > 0.3 for one in running_jobs())"
SWITCHED = """
window = bpy.context.window_manager.windows[0]
window.workspace = bpy.data.workspaces['Modeling']
"""
OTHER_SCENE = """
other = bpy.data.scenes.new('Other')
bpy.context.window_manager.windows[0].scene = other
"""
RESULTS = """
import sys
results = sys.modules['bl_ext.user_default.image_to_mesh.panels.sidebar'].IMAGE_TO_MESH_PT_results
bpy.utils.unregister_class(results)
results.bl_options, results.bl_idname = set(), 'IMAGE_TO_MESH_PT_results_open'
bpy.utils.register_class(results)
"""
THUMBNAIL = """
thumbnails = sys.modules['bl_ext.user_default.image_to_mesh.state.thumbnails']
addon = 'bl_ext.user_default.image_to_mesh'
library = sys.modules[f'{addon}.preferences'].library(bpy.context)
index = sys.modules[f'{addon}.jobs.library.index'].library_index(library)
redraw_sidebar()
bool(index.results) and thumbnails.number_of(index.results[0].job) > 0
"""
AWAY = (
    "view3d().spaces.active.show_region_ui = False",
    "with within(): bpy.ops.screen.screen_full_area()",
    "with within(): bpy.ops.screen.screen_full_area()",
    SWITCHED,
    "with within(): bpy.ops.wm.window_new()",
    OTHER_SCENE,
)
BACK = """
for window in bpy.context.window_manager.windows[1:]:
    with bpy.context.temp_override(window=window):
        bpy.ops.wm.window_close()
window = bpy.context.window_manager.windows[0]
window.scene = bpy.data.scenes['Scene']
window.workspace = bpy.data.workspaces['Layout']
"""
LANDED = "[one.name for one in bpy.data.scenes['Scene'].objects if 'image_to_mesh_job' in one]"


def test_a_job_continues_while_the_panel_is_not_visible(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=MANY_FACES)
    artist.press_generate()
    artist.session.wait_for("running_jobs()", 10)
    artist.session.wait_for("running_jobs()", 10)
    artist.point_at_view()
    artist.session.wait_for(IN_THE_MIDDLE, 30)
    artist.session.screenshot("panel-running", "UI")
    for step in AWAY:
        artist.session.run(step)
        artist.session.screenshot("looking-away")
        told = [*artist.running(), *artist.endings()]
        assert len({item["job"] for item in told}) == 1
        assert not any(item.get("kind") for item in told), told
    artist.session.wait_for(LANDED, 90)
    assert artist.session.run("len(bpy.data.scenes['Other'].objects)") == 0
    artist.session.run(BACK)
    artist.session.open_tab()
    artist.shows("Import Again")
    artist.session.run(RESULTS)
    artist.session.wait_for(THUMBNAIL, 20)
    artist.keep("panel-results")
    assert "Traceback" not in artist.session.output()
