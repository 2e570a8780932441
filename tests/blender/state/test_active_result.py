# SPDX-License-Identifier: GPL-3.0-or-later
"""The active object is a result of the chosen image and provider, or not."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import write_picture


def picture(path: Path, shade: int = 30) -> bpy.types.Image:
    """Return an image that was loaded from a file: a square of that shade on white."""
    pixels = np.full((48, 48, 3), 255, np.uint8)
    pixels[12:36, 12:36] = shade
    return bpy.data.images.load(str(write_picture(path, pixels)))


@pytest.fixture
def chosen(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene's choices, with an image from a file."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    choices = bpy.context.scene.image_to_mesh
    choices.image = picture(tmp_path / "vase.png")
    return choices


def active_result() -> Any:
    """Return the active result, or None."""
    return addon_module("state.active_result").active_result(bpy.context)


def generate() -> bpy.types.Object:
    """Generate a mesh offline; return its object, which becomes active."""
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    obj = bpy.context.view_layer.objects.active
    assert obj["image_to_mesh_job"]
    return obj


def test_a_new_mesh_is_the_active_result(chosen: Any) -> None:
    assert active_result() is None  # the factory's cube is active
    obj = generate()
    assert active_result() == (obj["image_to_mesh_job"], obj)
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert active_result() is None


def test_another_image_or_provider_has_no_active_result(chosen: Any, tmp_path: Path) -> None:
    generate()
    vase = chosen.image
    chosen.image = picture(tmp_path / "mug.png", 90)
    assert active_result() is None
    chosen.image = None
    assert active_result() is None
    chosen.image, chosen.provider = vase, "tripo"
    assert active_result() is None
    chosen.provider = "local"
    assert active_result() is not None


def test_side_views_and_settings_do_not_matter(chosen: Any, tmp_path: Path) -> None:
    generate()
    chosen.view_left = picture(tmp_path / "left.png", 90)
    chosen.local.thickness = 0.77
    assert active_result() is not None


def test_an_edit_of_the_image_counts_as_the_image(chosen: Any) -> None:
    generate()
    edited = bpy.data.images.new("vase prepared", 8, 8)
    edited["image_to_mesh_original"] = chosen.image.name
    chosen.image = edited
    assert active_result() is not None


def test_it_holds_after_the_file_was_saved_and_reopened(chosen: Any, tmp_path: Path) -> None:
    name = generate().name
    chosen.image.name = "renamed"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    result = active_result()
    assert result is not None
    assert result.object.name == name


def test_a_hidden_result_is_not_updated(chosen: Any) -> None:
    generate().hide_set(True)
    assert active_result() is None


def test_the_same_file_in_another_data_block_is_the_same_image(chosen: Any) -> None:
    obj = generate()
    job = obj["image_to_mesh_job"]
    bpy.data.images.remove(chosen.image)
    assert active_result() is None
    bpy.ops.image_to_mesh.reuse(job=job)  # loads the image from the job's folder
    assert active_result() == (job, obj)


def test_a_picked_file_is_recognized_once_it_was_inspected(chosen: Any, tmp_path: Path) -> None:
    generate()
    bpy.data.images.remove(chosen.image)
    chosen.image = image = bpy.data.images.load(str(tmp_path / "vase.png"))
    assert active_result() is None
    checks, key = addon_module("jobs").image_checks(), addon_module("state.preflight").picture_key
    source = addon_module("scene.image_source").picture_source(image)
    detection = addon_module("app.periodic.image_checks").subject_detection(bpy.context)
    checks.check(key(image), source, detection)
    while checks.report(key(image)).waiting:
        pass
    assert active_result() is not None


def test_an_image_that_was_painted_on_is_still_the_same(chosen: Any) -> None:
    generate()
    chosen.image.pixels.foreach_set(np.ones(len(chosen.image.pixels), np.float32))
    assert chosen.image.is_dirty
    assert active_result() is not None
