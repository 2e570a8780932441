# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved defaults of placement and cleanup apply to new scenes, and to no other scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
from blender.recording import draw_preferences

if TYPE_CHECKING:
    from pathlib import Path


def choices() -> Any:
    return bpy.context.scene.image_to_mesh


def keep(**placement: Any) -> None:
    for name, value in placement.items():
        setattr(choices().placement, name, value)
    choices().mending.weld = False
    assert bpy.ops.image_to_mesh.keep_defaults() == {"FINISHED"}


def test_a_new_file_starts_with_the_saved_defaults(preferences: Any) -> None:
    keep(position="surface", storage="linked", size=2.5)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    placement = choices().placement
    assert (placement.position, placement.storage, placement.size) == ("surface", "linked", 2.5)
    assert choices().mending.weld is False
    assert "your saved placement" in draw_preferences(preferences).text().replace("\n", " ")


def test_after_a_reset_new_files_start_with_the_shipped_defaults(preferences: Any) -> None:
    keep(position="origin")
    assert bpy.ops.image_to_mesh.forget_defaults() == {"FINISHED"}
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert choices().placement.position == "free"
    assert choices().mending.weld is True
    assert not bpy.ops.image_to_mesh.forget_defaults.poll()


def test_a_scene_with_own_choices_is_not_changed(preferences: Any, tmp_path: Path) -> None:
    choices().placement.position = "origin"
    file = str(tmp_path / "chosen.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    keep(position="surface", storage="linked")
    bpy.ops.wm.open_mainfile(filepath=file)
    assert choices().placement.position == "origin"
    assert choices().placement.storage == "appended"
    assert choices().mending.weld is True


def test_a_reference_object_is_not_saved_as_a_default(preferences: Any) -> None:
    keep(position="reference", reference=bpy.data.objects["Cube"], use_row=False)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert choices().placement.position == "free"
    assert not choices().placement.use_row


def test_defaults_saved_by_another_version_are_tolerated(preferences: Any) -> None:
    preferences.import_defaults = '{"placement.position": "moon", "mending.weld": false, "x": 1}'
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert choices().placement.position == "free"
    assert choices().mending.weld is False
    preferences.import_defaults = "not json"
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert choices().mending.weld is True
