# SPDX-License-Identifier: GPL-3.0-or-later
"""A box is dragged around the subject in the Image Editor; Escape and undo take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

ADDON_NAME = "bl_ext.user_default.image_to_mesh"
SETUP = f"""
import sys
box_module = sys.modules['{ADDON_NAME}.state.subject_box']
def box():
    return list(box_module.box_of(bpy.context.scene.image_to_mesh))
def editor():
    areas = bpy.context.window_manager.windows[0].screen.areas
    return next(area for area in areas if area.type in ('IMAGE_EDITOR', 'PROPERTIES'))
def spot(x, y):
    window = bpy.context.window_manager.windows[0]
    region = next(region for region in editor().regions if region.type == 'WINDOW')
    across, up = region.view2d.view_to_region(x, y, clip=False)
    return [region.x + across, window.height - region.y - up]
def mark():
    with within('UI'):
        bpy.ops.image_to_mesh.mark_subject('INVOKE_DEFAULT')
"""
SHOW = """
area = editor()
area.type = 'IMAGE_EDITOR'
area.spaces.active.image = bpy.context.scene.image_to_mesh.image
"""
FIT = """
area = editor()
region = next(region for region in area.regions if region.type == 'WINDOW')
window = bpy.context.window_manager.windows[0]
with bpy.context.temp_override(window=window, area=area, region=region):
    bpy.ops.image.view_all(fit_view=True)
"""
RESTORE = "editor().type = 'PROPERTIES'"
CLOSE = """
window = bpy.context.window_manager.windows[-1]
with bpy.context.temp_override(window=window):
    bpy.ops.wm.window_close()
"""


@pytest.fixture
def marking(artist: Artist, photograph: Path) -> Any:
    """An artist with an image in the sidebar, before any box."""
    artist.new_file()
    artist.choose(photograph)
    artist.session.run(SETUP)
    return artist


def test_a_box_is_dragged_cancelled_and_undone(marking: Artist) -> None:
    session = marking.session
    session.run(SHOW)
    session.run(FIT)
    session.run("mark()")
    start, end = (tuple(session.run(f"spot({x}, {y})")) for x, y in ((0.2, 0.9), (0.7, 0.4)))
    session.drag(start, end, held=lambda: session.screenshot("mark-subject"))
    session.wait_for("box()")
    assert session.run("box()") == pytest.approx([0.2, 0.1, 0.7, 0.6], abs=0.02)
    session.run("mark()")
    session.press("Escape")
    assert session.run("box()") == pytest.approx([0.2, 0.1, 0.7, 0.6], abs=0.02)
    marking.point_at_view()
    session.press("ctrl+z")
    session.wait_for("not box()")
    session.run(RESTORE)


def test_without_an_image_editor_a_window_opens(marking: Artist) -> None:
    session = marking.session
    session.run("mark()")
    assert session.run("len(bpy.context.window_manager.windows)") == 2
    kind = session.run("bpy.context.window_manager.windows[-1].screen.areas[0].type")
    assert kind == "IMAGE_EDITOR"
    session.run(CLOSE)
    assert session.run("box()") == []
