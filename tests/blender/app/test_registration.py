# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable, disable, enable again: nothing stays behind, and nothing heavy is loaded."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import addon_utils
import bpy
import places

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pytest
    from fakes.promised import Promised

ADDON = "bl_ext.user_default.image_to_mesh"

# Leaves without Python's end: there bpy 4.2 frees the classes of panels, even of unregistered ones,
# after the interpreter that they belong to (PyThreadState_New with no interpreter).
FRESH = """
import json, os, sys, time
import bpy
heavy = {"requests", "pydantic", "pydantic_core"}
heavy -= set(sys.modules)  # bpy 5.2 loads some of them itself
sys.path.insert(0, "tests")
from fakes.promised import calls_of
start = time.thread_time()
import image_to_mesh
imported = time.thread_time() - start
before = set(sys.modules)
calls = calls_of(image_to_mesh.register)
loaded = sorted(heavy & set(sys.modules) | set(sys.modules) - before)
image_to_mesh.unregister()
times = []
for _ in range(5):
    start = time.thread_time()
    image_to_mesh.register()
    times.append(time.thread_time() - start)
    image_to_mesh.unregister()
print(json.dumps([loaded, calls, imported * 1000, min(times) * 1000]), flush=True)
os._exit(0)
"""


def traces() -> dict[str, Any]:
    """Return everything in Blender that registering could leave something in."""
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


def test_unregistering_removes_everything() -> None:
    before = traces()
    for _ in range(3):
        enable()
        assert hasattr(bpy.types, "IMAGE_TO_MESH_OT_generate")
        assert hasattr(bpy.types.Scene, "image_to_mesh")
        assert traces()["handlers"] != before["handlers"]
        addon_utils.disable(ADDON, default_set=True)
        assert traces() == before


def test_nothing_is_left_by_a_running_job(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    generate = importlib.import_module(f"{ADDON}.operators.generate")
    watch = importlib.import_module(f"{ADDON}.app.watcher")
    bpy.context.scene.image_to_mesh.image = bpy.data.images.new("painted", 64, 64)
    generate.start(bpy.context)
    watch.begin(bpy.context)
    start = time.monotonic()
    addon_utils.disable(ADDON, default_set=True)
    print(f"\ndisabled while a job runs: {time.monotonic() - start:.2f} s")
    assert time.monotonic() - start < 3.0  # 1 s at most on a quiet machine
    enable()
    jobs = importlib.import_module(f"{ADDON}.jobs")
    assert jobs.session().views() == ()
    assert not bpy.app.timers.is_registered(watch._come_back)


def test_values_come_back_when_it_is_enabled_again(addon: ModuleType) -> None:
    bpy.context.scene.image_to_mesh.local.thickness = 2.5
    addon_utils.disable(ADDON, default_set=True)
    enable()
    assert bpy.context.scene.image_to_mesh.local.thickness == 2.5


def test_registering_is_light(promised: Promised) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FRESH], capture_output=True, text=True, check=True, cwd=places.ROOT
    )
    loaded, calls, imported, registered = json.loads(done.stdout.splitlines()[-1])
    assert loaded == []  # nothing heavy, and no file read while registering
    assert calls <= 2700
    if os.environ.get("BENCH"):
        promised.tell(f"import {imported:.1f} ms, register() {registered:.1f} ms of 10")
        assert registered <= 10.0


def test_blenders_command_line_runs_our_commands(
    addon: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    assert addon._run_command(["providers"]) == 0
    assert "local" in capfd.readouterr().out
    assert addon._run_command(["generate", "/no/such/picture.png"]) == 2
    assert "picture.png" in capfd.readouterr().err


def test_public_operators_and_properties_exist(addon: ModuleType) -> None:
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
