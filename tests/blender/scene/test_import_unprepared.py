# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing a job whose mesh file has not been prepared yet."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import write_picture

if TYPE_CHECKING:
    from types import ModuleType

JOB = "20260101-000000-dahlia-0000"
HANGING = """
import json, sys, time
token = json.loads(sys.stdin.readline())["token"]
print(f'@image_to_mesh {token} {{"ready": {{"blender": [4, 5, 0]}}}}', flush=True)
time.sleep(60)
"""
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A library with one job, whose textured mesh could not be prepared when it ended."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    jobs = addon_module("jobs")
    library = jobs.Library(tmp_path / "library")
    failure = jobs.Failure("failed", "The background Blender ended unexpectedly.", "Try again.")
    values = {"id": JOB, "provider": "local", "name": "dahlia", "created": "2026-01-01T00:00:00"}
    state = jobs.State.PREPARING
    library.create(jobs.Record(**values, state=state, mesh="mesh.obj", failure=failure), {})
    folder = library.folder(JOB)
    write_picture(folder / "skin.png", np.full((4, 4, 3), 9, np.uint8))
    (folder / "mesh.mtl").write_text("newmtl a\nmap_Kd skin.png\n")
    (folder / "mesh.obj").write_text(f"mtllib mesh.mtl\nusemtl a\n{TRIANGLE}")
    return library


def show(library: Any, **changes: Any) -> None:
    """Show the job in this session."""
    record = library.load(JOB)
    values = {"job": JOB, "provider": "local", "name": "dahlia", "state": record.state}
    view = addon_module("jobs").JobView(
        **values, phase="", fraction=None, started=0.0, record=record
    )
    addon_module("jobs").session().show(replace(view, **changes))


def test_a_job_prepared_at_import_is_saved_as_ready(library: Any) -> None:
    show(library, failure=library.load(JOB).failure)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    record = library.load(JOB)
    assert (record.state, record.failure) == ("ready", None)
    assert (record.blend, record.preview, record.faces) == ("model.blend", "preview.png", 1)
    (view,) = addon_module("jobs").session().views()
    assert (view.state, view.failure) == ("ready", None)


def test_preparing_stops_at_the_time_limit(
    library: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging = tmp_path / "hanging.py"
    hanging.write_text(HANGING)
    command = (sys.executable, str(hanging))
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: command)
    monkeypatch.setattr(addon_module("app.bring_in"), "LIMIT", 1.0)
    with pytest.raises(RuntimeError, match="within 1 seconds"):
        bpy.ops.image_to_mesh.import_result(job=JOB)
    assert library.load(JOB).state == "preparing"


def test_a_running_job_is_not_imported(library: Any) -> None:
    show(library)
    with pytest.raises(RuntimeError, match="not finished yet"):
        bpy.ops.image_to_mesh.import_result(job=JOB)
    with pytest.raises(RuntimeError, match="no finished job"):
        bpy.ops.image_to_mesh.import_result()


def test_packed_textures_unpack_next_to_the_file_not_into_the_library(
    library: Any, tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.image_to_mesh.import_result(job=JOB)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "art.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "art.blend"))
    (image,) = [image for image in bpy.data.images if image.packed_file]
    assert image.filepath == "//dahlia.png"
    assert tuple(image.size) == (4, 4)
    image.unpack(method="WRITE_ORIGINAL")
    assert (tmp_path / "dahlia.png").is_file()
    assert not (library.folder(JOB) / "dahlia.png").exists()
