# SPDX-License-Identifier: GPL-3.0-or-later
"""The depth model in the panel: its size before, progress and cancel, a sentence, then Body."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import Seen, draw
from fakes.files import Files, Trouble, serving

DATA = bytes(range(256)) * 4_000


@pytest.fixture
def files(addon: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Files]:
    """The host of a small model that stands in for the real one."""
    table, jobs = addon_module("jobs.weights.table"), addon_module("jobs")
    fetch, store = addon_module("jobs.weights.fetch"), addon_module("jobs.weights.store")
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "models")
    monkeypatch.setattr(fetch, "SPARE", 0)
    digest = hashlib.sha256(DATA).hexdigest()
    with serving(Files(data=DATA)) as running:
        small = dataclasses.replace(table.DEPTH, size=len(DATA), sha256=digest, page=running.url)
        monkeypatch.setattr(jobs, "DEPTH", small)
        monkeypatch.setitem(table._TABLE, small.name, small)
        jobs.weights_downloads.cache_clear()
        jobs.weights_downloads().refresh(small)
        yield running
        jobs.weights_downloads().close()
        jobs.weights_downloads.cache_clear()


def panel() -> Seen:
    """Return what the whole tab shows for the built-in provider."""
    scene = bpy.context.scene
    scene.image_to_mesh.provider = "local"
    if scene.image_to_mesh.image is None:
        scene.image_to_mesh.image = bpy.data.images.new("cup", 64, 64)
    return draw(unfolded=True, width=2000)


def get_in_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the download as with a window: without waiting for it."""
    module = addon_module("operators.models.depth_model")
    monkeypatch.setattr(module, "_begin", lambda *_: {"FINISHED"})
    assert bpy.ops.image_to_mesh.get_depth_model() == {"FINISHED"}


def test_the_size_is_said_before(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    table = addon_module("jobs.weights.table")
    name = table.DEPTH.name
    real_size = dataclasses.replace(table._TABLE[name], size=table.DEPTH.size)
    monkeypatch.setitem(table._TABLE, name, real_size)
    assert panel().button("image_to_mesh.get_depth_model")["text"] == "Download"
    assert "Depth Model (99 MB)" in panel().text()
    assert panel().buttons("image_to_mesh.depth_model_from_file")


def test_a_script_without_a_window_gets_it(files: Files) -> None:
    assert bpy.ops.image_to_mesh.get_depth_model() == {"FINISHED"}
    assert not panel().buttons("image_to_mesh.get_depth_model"), "it is there"
    assert len(files.seen) == 1


def test_a_failure_is_a_sentence_in_the_panel(files: Files) -> None:
    files.data = DATA[:-1] + b"x"
    with pytest.raises(RuntimeError, match="is not the expected file"):
        bpy.ops.image_to_mesh.get_depth_model()
    assert "is not the expected file and was deleted" in panel().text()
    assert panel().buttons("image_to_mesh.get_depth_model"), "it can be tried again"


def test_progress_and_cancel(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.troubles = [Trouble(drip=1024)]
    get_in_window(monkeypatch)
    seen = panel()
    assert seen.all("progress")[0]["text"].startswith("Downloading depth model ")
    assert not seen.buttons("image_to_mesh.get_depth_model")
    assert seen.buttons("image_to_mesh.cancel_depth_model")
    bpy.ops.image_to_mesh.cancel_depth_model()
    until = time.monotonic() + 10
    while panel().all("progress") and time.monotonic() < until:
        time.sleep(0.05)
    assert panel().buttons("image_to_mesh.get_depth_model")
    assert "expected" not in panel().text()


def test_offline_the_way_online_is_offered(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addon_module("preferences"), "may_reach", lambda _: False)
    seen = panel()
    assert not seen.buttons("image_to_mesh.get_depth_model")
    assert seen.button("image_to_mesh.allow_online")["icon"] == "CHECKMARK"
    assert seen.buttons("image_to_mesh.depth_model_from_file")
    assert "Depth Model (" in seen.text()
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.image_to_mesh.get_depth_model()


def test_from_a_file(files: Files, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(DATA)
    path = str(tmp_path / "model.safetensors")
    assert bpy.ops.image_to_mesh.depth_model_from_file(filepath=path) == {"FINISHED"}
    assert files.seen == []
    assert not panel().buttons("image_to_mesh.get_depth_model")


def test_nothing_is_offered_before_it_is_known_whether_it_is_there(files: Files) -> None:
    addon_module("jobs").weights_downloads.cache_clear()
    assert not panel().buttons("image_to_mesh.get_depth_model")
    addon_module("app.models.depth_model").poll(bpy.context, 0.0)
    assert panel().buttons("image_to_mesh.get_depth_model")


def test_other_providers_do_not_offer_it(files: Files) -> None:
    panel()
    bpy.context.scene.image_to_mesh.provider = "tripo"
    assert not draw(unfolded=True, width=2000).buttons("image_to_mesh.get_depth_model")


def test_generate_says_that_body_needs_it(files: Files) -> None:
    panel()
    group: Any = bpy.context.scene.image_to_mesh.local
    why_not = addon_module("state.preflight").why_not
    assert not why_not(bpy.context)
    group.shape = "body"
    assert why_not(bpy.context) == ("Depth Anything V2 Small is missing: download it in Settings")
    bpy.ops.image_to_mesh.get_depth_model()
    assert not why_not(bpy.context)


def test_body_is_the_default_once_the_model_is_there(files: Files) -> None:
    panel()
    group: Any = bpy.context.scene.image_to_mesh.local
    step = addon_module("app.models.depth_model")
    step.use_by_default(bpy.context)
    assert group.shape == "inflate", "it is not there yet"
    bpy.ops.image_to_mesh.get_depth_model()
    result = bpy.data.objects["Cube"]
    result["image_to_mesh_job"] = "a job"
    bpy.context.view_layer.objects.active = None
    step.use_by_default(bpy.context)
    assert group.shape == "inflate", "a result would change without a click, once it is active"
    del result["image_to_mesh_job"]
    step.use_by_default(bpy.context)
    assert group.shape == "body"
    group.shape = "inflate"
    step.use_by_default(bpy.context)
    assert group.shape == "inflate", "the user's choice"
