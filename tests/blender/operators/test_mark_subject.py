# SPDX-License-Identifier: GPL-3.0-or-later
"""A box around the subject: set by a script, used for every provider, dropped with its image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

BOX = {"left": 0.25, "top": 0.125, "right": 0.75, "bottom": 0.5}
ENDS = (0.25, 0.125, 0.75, 0.5)


@pytest.fixture
def chosen(addon: ModuleType) -> Any:
    """Return the scene's choices, with an image."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("Subject", 64, 64)
    return chosen


def box_of(chosen: Any) -> Any:
    """Return the scene's box."""
    return addon_module("state.subject_box").box_of(chosen)


def test_a_script_marks_and_clears_the_subject(chosen: Any) -> None:
    assert bpy.ops.image_to_mesh.mark_subject(**BOX) == {"FINISHED"}
    assert box_of(chosen) == ENDS
    settings = addon_module("state.scene_properties").read_group(
        chosen.local, addon_module("providers.local").LocalSettings
    )
    assert (settings.box_left, settings.box_bottom) == (0.25, 0.5)
    assert bpy.ops.image_to_mesh.clear_subject() == {"FINISHED"}
    assert box_of(chosen) == ()
    assert not bpy.ops.image_to_mesh.clear_subject.poll()


def test_the_box_serves_edits_and_previews_for_every_provider(chosen: Any) -> None:
    bpy.ops.image_to_mesh.mark_subject(**BOX)
    for provider in ("local", "tripo"):
        chosen.provider = provider
        detection = addon_module("app.periodic.image_checks").subject_detection(bpy.context)
        assert detection.box == ENDS
        wish = addon_module("state.previews.sent_image").wish_of(bpy.context)
        assert wish is not None
        assert wish[3] == ENDS


def test_an_empty_box_is_refused_and_the_whole_image_is_no_box(chosen: Any) -> None:
    with pytest.raises(RuntimeError, match="The box is empty"):
        bpy.ops.image_to_mesh.mark_subject(left=0.5, right=0.5)
    bpy.ops.image_to_mesh.mark_subject()
    assert box_of(chosen) == ()


def test_another_image_has_no_box(chosen: Any) -> None:
    bpy.ops.image_to_mesh.mark_subject(**BOX)
    chosen.image = chosen.image
    assert box_of(chosen) == ENDS
    chosen.image = bpy.data.images.new("Another", 64, 64)
    assert box_of(chosen) == ()


def test_without_an_image_there_is_nothing_to_mark(chosen: Any) -> None:
    chosen.image = None
    assert not bpy.ops.image_to_mesh.mark_subject.poll()


def preset_lines() -> list[str]:
    """Return the properties that a preset of the built-in provider holds."""
    operator = addon_module("operators.presets").IMAGE_TO_MESH_OT_preset_add
    lines: list[str] = operator.preset_values.fget(None)
    return lines


def test_presets_and_resets_leave_the_box_with_its_image(chosen: Any) -> None:
    chosen.provider = "local"
    bpy.ops.image_to_mesh.mark_subject(**BOX)
    assert preset_lines(), "a preset holds other settings"
    assert not [line for line in preset_lines() if "box" in line]
    path = bpy.utils.preset_find("Draft", "image_to_mesh/local")
    bpy.ops.script.execute_preset(filepath=path, menu_idname="IMAGE_TO_MESH_MT_presets")
    assert (box_of(chosen), chosen.local.face_count) == (ENDS, 4000)
    bpy.ops.image_to_mesh.reset_settings()
    assert (box_of(chosen), chosen.local.face_count) == (ENDS, 40_000)
    chosen.image = bpy.data.images.new("Another", 64, 64)
    assert box_of(chosen) == ()


def test_files_made_beside_the_image_have_no_box(chosen: Any, tmp_path: Path) -> None:
    chosen.provider = "local"
    file = tmp_path / "other.png"
    picture = bpy.data.images.new("Other", 64, 64)
    picture.filepath_raw, picture.file_format = str(file), "PNG"
    picture.save()
    bpy.ops.image_to_mesh.mark_subject(**BOX)
    jobs, specify = addon_module("jobs"), addon_module("operators.generate").specify
    provider = addon_module("providers").get_provider("local")
    dropped = specify(bpy.context, provider, (jobs.picture_from(str(file)),)).settings
    assert (dropped.box_left, dropped.box_top) == (0.0, 0.0)
    assert (dropped.box_right, dropped.box_bottom) == (1.0, 1.0)
    own = specify(bpy.context, provider).settings
    assert (own.box_left, own.box_bottom) == (0.25, 0.5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_on_the_stored_pixels_is_one_on_the_upright_image(
    addon: ModuleType, orientation: int
) -> None:
    stored = np.zeros((80, 120, 4), np.float32)
    stored[10:30, 24:60] = 1.0
    box = (24 / 120, 10 / 80, 60 / 120, 30 / 80)
    upright = addon_module("worker.images.pixels").apply_orientation(stored, orientation)
    rows, columns = np.nonzero(upright[:, :, 0])
    height, width = upright.shape[:2]
    expected = (columns.min() / width, rows.min() / height,
                (columns.max() + 1) / width, (rows.max() + 1) / height)  # fmt: skip
    found = addon_module("state.subject_box").upright_box(box, orientation)
    assert found == pytest.approx(expected)
