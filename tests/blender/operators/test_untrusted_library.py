# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in a library of another user runs, even with Auto Run Python Scripts on."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.malicious_models import evaluate_scene, traces, write_malicious
from blender.recording import draw, draw_preferences

pytestmark = pytest.mark.once

OPS = bpy.ops.image_to_mesh
_finished_jobs: list[Path] = []


@pytest.fixture(autouse=True)
def auto_run() -> Iterator[None]:
    """Turn on Auto Run Python Scripts, as users of rigs do."""
    paths = bpy.context.preferences.filepaths
    before, paths.use_scripts_auto_execute = paths.use_scripts_auto_execute, True
    yield
    paths.use_scripts_auto_execute = before


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of an empty library, with the user's settings in a temporary folder."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path / "library"


@pytest.fixture
def job(library: Path, tmp_path: Path, tmp_path_factory: Any) -> str:
    """The id of a finished job, generated once for all tests, with its user's secret."""
    if not _finished_jobs:
        scene = bpy.context.scene
        scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))
        scene.image_to_mesh.local.face_count = 1000
        OPS.generate()
        folder = tmp_path_factory.mktemp("made")
        shutil.copytree(next(library.glob("*/job.json")).parent, folder / "job")
        shutil.copytree(tmp_path / "settings", folder / "settings")
        _finished_jobs.append(folder)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    addon_module("jobs").session.cache_clear()
    addon_module("app.bring_in").unregister()
    addon_module("jobs.disk.signatures")._secret.cache_clear()
    name = str(json.loads((_finished_jobs[0] / "job" / "job.json").read_text("utf-8"))["id"])
    for source, target in (("settings", tmp_path / "settings"), ("job", library / name)):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(_finished_jobs[0] / source, target)
    return name


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """The file that a malicious script would write."""
    return tmp_path / "sprung"


def become_another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Continue as another user, or on another computer."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))


def objects_of(job: str) -> list[bpy.types.Object]:
    """Return the objects of a job in the scene."""
    return [obj for obj in bpy.context.scene.objects if obj.get("image_to_mesh_job") == job]


def test_the_test_script_would_run_if_it_were_loaded(
    addon: ModuleType, tmp_path: Path, trap: Path
) -> None:
    """Blender runs the script of such a file, so the other tests can fail."""
    write_malicious(tmp_path / "evil.blend", trap)
    assert traces() == []
    with bpy.data.libraries.load(str(tmp_path / "evil.blend"), link=False) as (there, here):
        here.objects = there.objects
    bpy.context.scene.collection.objects.link(here.objects[0])
    evaluate_scene()
    assert trap.exists()
    assert {"startup.py", "evil", "driver of evil", "modifier of evil"} <= set(traces())


@pytest.mark.parametrize("storage", ["appended", "linked"])
@pytest.mark.parametrize("shared", [False, True])
def test_an_untrusted_model_is_prepared_again(
    job: str, library: Path, trap: Path, storage: str, shared: bool
) -> None:
    write_malicious(library / job / "model.blend", trap)
    library.chmod(0o777 if shared else 0o755)
    bpy.context.scene.image_to_mesh.placement.storage = storage
    assert OPS.import_result(job=job) == {"FINISHED"}
    evaluate_scene()
    assert not trap.exists()
    linked = storage == "linked" and not shared
    assert traces() == ([str(library / job / "model.blend")] if linked else [])
    (obj,) = objects_of(job)
    assert len(obj.data.polygons) > 500
    assert bool(obj.data.library) is linked


def test_a_model_of_the_user_is_not_prepared_again(
    job: str, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: ("/no/such/blender",))
    before = (library / job / "model.blend").read_bytes()
    for mode in (0o755, 0o777):
        library.chmod(mode)
        assert OPS.import_result(job=job) == {"FINISHED"}
    assert (library / job / "model.blend").read_bytes() == before
    assert len(objects_of(job)) == 2


@pytest.mark.parametrize("shared", [False, True])
def test_an_untrusted_job_asks_and_is_prepared_again(
    job: str, library: Path, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    shared: bool,
) -> None:  # fmt: skip
    write_malicious(library / job / "model.blend", trap)
    library.chmod(0o777 if shared else 0o755)
    become_another_user(monkeypatch, tmp_path)
    with pytest.raises(RuntimeError, match="no finished job"):
        OPS.import_result()
    for call in (OPS.import_result, OPS.reuse, OPS.resume):
        with pytest.raises(RuntimeError, match=r"not created by you|nothing to resume"):
            call(job=job)
    assert objects_of(job) == []
    assert OPS.trust_library() == {"FINISHED"}
    assert OPS.import_result(job=job) == {"FINISHED"}
    evaluate_scene()
    assert not trap.exists()
    assert traces() == []
    assert len(objects_of(job)) == 1
    assert not addon_module("jobs").Library(library).load(job).own
    assert OPS.trust_library(trust=False) == {"FINISHED"}
    with pytest.raises(RuntimeError, match="not created by you"):
        OPS.import_result(job=job)


def test_without_a_worker_no_untrusted_mesh_is_read_in_this_process(
    job: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_another_user(monkeypatch, tmp_path)
    OPS.trust_library()
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: ("/no/such/blender",))
    with pytest.raises(RuntimeError, match="cannot be started in the background"):
        OPS.import_result(job=job)
    assert objects_of(job) == []


def test_an_untrusted_version_is_not_imported(job: str, library: Path, trap: Path) -> None:
    write_malicious(library / job / "model-v2.blend", trap)
    shutil.copy(library / job / ".model.blend.mark", library / job / ".model-v2.blend.mark")
    for mode in (0o755, 0o777):
        library.chmod(mode)
        with pytest.raises(RuntimeError, match="not created by you on this computer"):
            OPS.import_result(job=job, version="model-v2.blend")
        with pytest.raises(RuntimeError, match="not created by you on this computer"):
            OPS.bring_version(job=job, version="model-v2.blend")
        with pytest.raises(RuntimeError, match="not created by you on this computer"):
            OPS.clean_mesh(job=job, version="model-v2.blend")
    evaluate_scene()
    assert not trap.exists()
    assert traces() == []


def test_untrusted_chunks_are_not_imported(job: str, library: Path, trap: Path) -> None:
    chunks = library / job / "model-parts"
    chunks.mkdir()
    write_malicious(chunks / "frame.blend", trap)
    listed = [{"mesh": "evil", "objects": ["evil"], "materials": [], "values": [], "frame": "evil"}]
    (chunks / "parts.json").write_text(json.dumps(listed))
    assert addon_module("app.bring_in").at_hand(bpy.context, job)
    assert OPS.import_result(job=job) == {"FINISHED"}
    evaluate_scene()
    assert not trap.exists()
    assert traces() == []
    assert len(objects_of(job)[0].data.polygons) > 500


def test_the_asset_browser_lists_no_untrusted_models(job: str, library: Path, trap: Path) -> None:
    folders = bpy.context.preferences.filepaths.asset_libraries
    before = len(folders)
    assert OPS.add_asset_library() == {"FINISHED"}
    folders.remove(folders[-1])
    write_malicious(library / job / "model.blend", trap)
    with pytest.raises(RuntimeError, match="Asset Browser opens them unchecked"):
        OPS.add_asset_library()
    library.chmod(0o777)
    with pytest.raises(RuntimeError, match="Asset Browser opens them unchecked"):
        OPS.add_asset_library()
    assert len(folders) == before


def test_catalogs_are_not_written_through_a_link(job: str, library: Path, tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("letter")
    (library / "blender_assets.cats.txt").symlink_to(tmp_path / "private.txt")
    with pytest.raises(RuntimeError, match=r"asset catalogs in .* could not be written"):
        OPS.add_asset_library()
    assert (tmp_path / "private.txt").read_text() == "letter"


def test_invalid_images_are_neither_shown_nor_used(job: str, library: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    front = next((library / job).glob("front.*"))
    for path in (library / job / "preview.png", front):
        path.unlink()
        os.mkfifo(path)
    addon_module("jobs.library.index").library_index(library).refresh()
    addon_module("state.thumbnails").unregister()
    addon_module("state.thumbnails").register()
    addon_module("app.periodic.thumbnails").load_thumbnails(bpy.context)
    assert addon_module("state.thumbnails").number_of(job) == 0
    assert OPS.reuse(job=job) == {"FINISHED"}
    assert bpy.context.scene.image_to_mesh.image is None


def test_the_panel_mentions_untrusted_jobs_in_one_line(
    job: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    preferences: Any,
) -> None:  # fmt: skip
    jobs = addon_module("jobs")
    stored = jobs.Library(library)
    stored.save(jobs.Record(**{**vars(stored.load(job)), "state": jobs.State.RUNNING}))
    become_another_user(monkeypatch, tmp_path)
    returning = jobs.session().recovery
    returning.scan(addon_module("app.resume").resume_context(bpy.context))
    returning.join(10.0)
    seen = draw(width=2000)
    assert "1 job by another user. Trust this library to resume it." in seen.text()
    assert seen.button("image_to_mesh.trust_library")["enabled"]
    addon_module("jobs.library.index").library_index(library).refresh()
    button = draw_preferences(preferences).button("image_to_mesh.trust_library")
    assert button["text"] == "Trust This Library..."
    OPS.trust_library()
    returning.join(10.0)
    assert "another user" not in draw(width=2000).text()
    button = draw_preferences(preferences).button("image_to_mesh.trust_library")
    assert button["text"] == "Stop Trusting"


def test_deleting_does_not_touch_the_users_real_trash(
    job: str, library: Path, trash_folder: Path
) -> None:
    assert OPS.delete(job=job) == {"FINISHED"}
    assert (trash_folder / job / "job.json").is_file()
    assert str(Path.home()) not in os.environ["XDG_DATA_HOME"]


def test_a_picture_that_was_not_made_of_another_has_no_original(addon: ModuleType) -> None:
    scene = bpy.context.scene
    scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))
    assert not OPS.use_original.poll()
    scene.image_to_mesh.image["image_to_mesh_original"] = "gone"
    assert not OPS.use_original.poll()
