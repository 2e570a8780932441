# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend file, a preset and a library of version 0.1.0, opened with the add-on of today."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SAMPLES = places.ROOT / "tests" / "data" / "0.1.0"
MODEL = "cup"


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own default library, with the jobs of 0.1.0."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("IMAGE_TO_MESH_LIBRARY")
    addon_module("jobs.disk.signatures")._secret.cache_clear()
    addon_module("jobs").session.cache_clear()
    root = tmp_path / "data" / "image_to_mesh"
    shutil.copytree(SAMPLES / "library", root)
    for folder in (root, *root.iterdir()):
        folder.chmod(0o700)
    return root


@pytest.fixture
def opened(library: Path, tmp_path: Path) -> Any:
    """The scene's choices in the file that 0.1.0 saved."""
    path = tmp_path / "scene.blend"
    shutil.copyfile(SAMPLES / "scene.blend", path)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.context.scene.image_to_mesh


def ready_job(library: Path) -> str:
    """Return the id of the job that has a model."""
    return next(library.glob("*/model.blend")).parent.name


def test_the_scene_keeps_its_settings(opened: Any) -> None:
    assert (opened.provider, opened.image.name, opened.view_back.name) == (
        "tripo",
        "cup",
        "cup back",
    )
    assert (opened.local.face_count, opened.tripo.face_limit) == (200, 12345)
    assert opened.tripo.use_face_limit
    assert not opened.tripo.pbr
    properties = addon_module("state.scene_properties")
    scene = bpy.context.scene
    settings = properties.read_settings(scene, properties.provider_of(scene))
    assert (settings.face_limit, settings.pbr) == (12345, False)


def test_the_scene_keeps_its_import_options(opened: Any) -> None:
    placement, cleanup, edits = opened.placement, opened.mending, opened.care
    assert (placement.use_size, placement.size, placement.spacing) == (True, 0.5, 0.75)
    assert (cleanup.weld, cleanup.angle) == (False, pytest.approx(0.7))
    assert (edits.faces, edits.shells) == (4321, False)


def test_a_model_of_0_1_0_is_recognized_as_the_job_of_the_library(
    opened: Any, library: Path
) -> None:
    model = bpy.data.objects[MODEL]
    assert model["image_to_mesh_job"] == ready_job(library)
    assert json.loads(model["image_to_mesh_settings"])["face_count"] == 200
    bpy.ops.object.select_all(action="DESELECT")
    assert bpy.ops.image_to_mesh.select_made(job=ready_job(library)) == {"FINISHED"}
    assert bpy.context.selected_objects == [model]


def test_a_ready_job_of_0_1_0_is_imported(opened: Any, library: Path) -> None:
    assert bpy.ops.image_to_mesh.import_result(job=ready_job(library)) == {"FINISHED"}
    imported = bpy.context.view_layer.objects.active
    assert imported.name == f"{MODEL}.001"
    assert imported["image_to_mesh_job"] == ready_job(library)
    assert len(imported.data.polygons) == len(bpy.data.objects[MODEL].data.polygons)


def test_a_preset_of_0_1_0_is_applied(addon: ModuleType, tmp_path: Path) -> None:
    chosen = bpy.context.scene.image_to_mesh
    chosen.provider = "tripo"
    preset = tmp_path / "Own.py"
    shutil.copyfile(SAMPLES / "preset.txt", preset)
    bpy.ops.script.execute_preset(filepath=str(preset), menu_idname="IMAGE_TO_MESH_MT_presets")
    assert (chosen.tripo.use_face_limit, chosen.tripo.face_limit) == (True, 12345)
    assert not chosen.tripo.pbr
