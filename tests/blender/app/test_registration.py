# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling, disabling and enabling again leaves no trace in Blender."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import addon_utils
import bpy
from blender.addon_modules import ADDON, addon_module

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pytest


def traces() -> dict[str, Any]:
    """Return everything in Blender that registering changes."""
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return {
        "types": set(dir(bpy.types)),
        "scene": set(dir(bpy.types.Scene)),
        "handlers": {name: list(item) for name, item in lists.items() if isinstance(item, list)},
        "operators": set(dir(bpy.ops.image_to_mesh)),
    }


def enable() -> ModuleType:
    """Enable the add-on as Blender's preferences do."""
    module = addon_utils.enable(ADDON, default_set=True)
    assert module is not None
    return module


def test_disabling_unregisters_everything() -> None:
    before = traces()
    for _ in range(3):
        enable()
        assert hasattr(bpy.types, "IMAGE_TO_MESH_OT_generate")
        assert hasattr(bpy.types.Scene, "image_to_mesh")
        assert traces()["handlers"] != before["handlers"]
        addon_utils.disable(ADDON, default_set=True)
        assert traces() == before


def test_disabling_during_a_job_leaves_nothing_behind(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    generate = addon_module("operators.generate")
    watch = addon_module("app.watcher")
    bpy.context.scene.image_to_mesh.image = bpy.data.images.new("painted", 64, 64)
    generate.start(bpy.context)
    watch.begin(bpy.context)
    start = time.monotonic()
    addon_utils.disable(ADDON, default_set=True)
    print(f"\ndisabled while a job runs: {time.monotonic() - start:.2f} s")
    assert time.monotonic() - start < 3.0  # 1 s at most on a quiet machine
    enable()
    jobs = addon_module("jobs")
    assert jobs.session().views() == ()
    assert not bpy.app.timers.is_registered(watch._come_back)


def test_settings_are_restored_when_the_add_on_is_enabled_again(addon: ModuleType) -> None:
    bpy.context.scene.image_to_mesh.local.thickness = 2.5
    addon_utils.disable(ADDON, default_set=True)
    enable()
    assert bpy.context.scene.image_to_mesh.local.thickness == 2.5


def test_blenders_command_line_runs_the_add_ons_commands(
    addon: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert addon._run_command(["providers"]) == 0
    assert "local" in capfd.readouterr().out
    assert addon._run_command(["generate", "/no/such/picture.png"]) == 2
    assert "picture.png" in capfd.readouterr().err


def test_operators_for_scripts_are_described(addon: ModuleType) -> None:
    for name in ("generate", "cancel", "import_result", "delete"):
        operator = getattr(bpy.ops.image_to_mesh, name).get_rna_type()
        assert operator.description, name
        assert not operator.description.endswith("."), name
        undescribed = [
            prop.identifier
            for prop in operator.properties
            if prop.identifier != "rna_type" and not prop.description
        ]
        assert not undescribed, name
    preferences = bpy.context.preferences.addons[ADDON].preferences
    assert preferences.bl_rna.properties["library"].subtype == "DIR_PATH"
