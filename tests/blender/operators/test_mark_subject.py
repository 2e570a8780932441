# SPDX-License-Identifier: GPL-3.0-or-later
"""A box around the subject: set by a script, used for every provider, dropped with its image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
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
