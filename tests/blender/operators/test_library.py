# SPDX-License-Identifier: GPL-3.0-or-later
"""The library in Blender: jobs are reused, shown and deleted; it is limited, and holds assets."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import places
import pytest
from blender.addon_modules import ADDON, addon_module

PICTURE = places.ROOT / "tests" / "data" / "dahlia.jpg"


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library, with a trash folder next to it."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setitem(sys.modules, "send2trash", _Trash(tmp_path / "bin"))
    return tmp_path / "library"


class _Trash(ModuleType):
    """Stands in for the system's trash."""

    def __init__(self, folder: Path) -> None:
        super().__init__("send2trash")
        self.folder = folder
        self.refuses = False

    def send2trash(self, path: Path) -> None:
        """Move a folder into the trash."""
        if self.refuses:
            raise OSError("no bin here")
        self.folder.mkdir(exist_ok=True)
        shutil.move(path, self.folder / path.name)


def job(library: Path, name: str = "dahlia", **changes: Any) -> Any:
    """Create a finished job in the library, without a prepared model."""
    jobs = addon_module("jobs")
    values: dict[str, Any] = {
        "id": f"20260101-{name}",
        "state": jobs.State.READY,
        "provider": "local",
        "name": name,
        "created": "2026-01-01T00:00:00+00:00",
        "pictures": (jobs.InputPicture("front", name, "front.jpg", sha256="x"),),
        "settings": {"shape": "relief", "face_count": 1234},
        "mesh": "mesh.glb",
    }
    record = jobs.Record(**{**values, **changes})
    jobs.Library(library).create(record, {"front.jpg": PICTURE.read_bytes(), "mesh.glb": b"glTF"})
    return record


def refresh_index(library: Path) -> Any:
    """Return the library's index after a refresh."""
    found = addon_module("jobs.library.index").library_index(library)
    found.refresh()
    return found


def test_a_job_can_be_reused(library: Path) -> None:
    record = job(library)
    chosen = bpy.context.scene.image_to_mesh
    chosen.provider = "tripo"
    assert bpy.ops.image_to_mesh.reuse(job=record.id) == {"FINISHED"}
    assert chosen.provider == "local"
    assert (chosen.local.shape, chosen.local.face_count) == ("relief", 1234)
    assert chosen.image.name == "dahlia"
    shutil.rmtree(library)  # the picture is in the file: nothing depends on the folder
    assert bytes(chosen.image.packed_file.data) == PICTURE.read_bytes()
    source = addon_module("scene.image_source").picture_source(chosen.image)
    assert (source.name, source.read()) == ("dahlia", PICTURE.read_bytes())


def test_reusing_a_job_twice_loads_its_image_once(library: Path) -> None:
    record = job(library)
    before = len(bpy.data.images)
    for _ in range(3):
        bpy.ops.image_to_mesh.reuse(job=record.id)
    assert len(bpy.data.images) == before + 1


def test_reusing_a_job_restores_its_views_only(library: Path) -> None:
    jobs = addon_module("jobs")
    pictures = tuple(
        jobs.InputPicture(view, f"a {view}", "front.jpg", sha256="x") for view in ("front", "left")
    )
    record = job(library, provider="rehearsal", pictures=pictures)
    with pytest.raises(RuntimeError, match="no provider “rehearsal”"):
        bpy.ops.image_to_mesh.reuse(job=record.id)
    record = job(
        library,
        "two",
        provider="tripo",
        pictures=pictures,
        settings={"texture": False, "pbr": False},
    )
    chosen = bpy.context.scene.image_to_mesh
    chosen.view_back = bpy.data.images.new("old", 8, 8)
    assert bpy.ops.image_to_mesh.reuse(job=record.id) == {"FINISHED"}
    assert (chosen.provider, chosen.tripo.texture) == ("tripo", False)
    assert chosen.view_left is not None
    assert chosen.view_back is None


def test_missing_files_are_reported_and_the_rest_is_reused(library: Path) -> None:
    record = job(library, settings={"shape": "relief", "of_old": 3})
    (library / record.id / "front.jpg").unlink()
    assert bpy.ops.image_to_mesh.reuse(job=record.id) == {"FINISHED"}
    assert bpy.context.scene.image_to_mesh.local.shape == "relief"
    assert bpy.context.scene.image_to_mesh.image is None
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.reuse(job="nobody")


def test_a_reused_job_has_its_own_box(library: Path) -> None:
    box = {"box_left": 0.25, "box_top": 0.0, "box_right": 0.75, "box_bottom": 0.5}
    record = job(library, settings=box)
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("present", 64, 64)
    bpy.ops.image_to_mesh.mark_subject(left=0.5)
    assert bpy.ops.image_to_mesh.reuse(job=record.id) == {"FINISHED"}
    found = addon_module("state.subject_box").box_of
    assert (chosen.image.name, found(chosen)) == ("dahlia", (0.25, 0.0, 0.75, 0.5))


def test_the_present_box_stays_if_the_image_of_the_job_is_gone(library: Path) -> None:
    record = job(library, settings={"box_left": 0.25})
    (library / record.id / "front.jpg").unlink()
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("present", 64, 64)
    bpy.ops.image_to_mesh.mark_subject(left=0.5)
    assert bpy.ops.image_to_mesh.reuse(job=record.id) == {"FINISHED"}
    found = addon_module("state.subject_box").box_of
    assert (chosen.image.name, found(chosen)) == ("present", (0.5, 0.0, 1.0, 1.0))


def test_delete_moves_the_job_to_the_trash(library: Path, tmp_path: Path) -> None:
    record = job(library)
    assert bpy.ops.image_to_mesh.delete(job=record.id) == {"FINISHED"}
    assert not (library / record.id).exists()
    assert (tmp_path / "bin" / record.id / "job.json").is_file()


def test_delete_without_a_trash_is_permanent(library: Path) -> None:
    record = job(library)
    sys.modules["send2trash"].refuses = True  # type: ignore[attr-defined]
    assert bpy.ops.image_to_mesh.delete(job=record.id) == {"FINISHED"}
    assert not (library / record.id).exists()
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.delete(job=record.id)


def test_cleanup_keeps_results_that_were_never_imported(
    library: Path, preferences: Any, tmp_path: Path
) -> None:
    old, new = job(library, "old"), job(library, "new", created="2026-02-01T00:00:00+00:00")
    assert not bpy.ops.image_to_mesh.clean_up.poll()
    found = refresh_index(library)
    preferences.library_limit = found.size * 0.6 / 1e9
    assert not bpy.ops.image_to_mesh.clean_up.poll()
    for item in (old, new):
        addon_module("jobs.library.import_log").log_import(library / item.id)
    refresh_index(library)
    assert bpy.ops.image_to_mesh.clean_up() == {"FINISHED"}
    assert (tmp_path / "bin" / old.id).is_dir()
    assert (library / new.id).is_dir()


def test_the_library_is_registered_as_an_asset_library_once(library: Path) -> None:
    folders = bpy.context.preferences.filepaths.asset_libraries
    before = len(folders)
    job(library)
    catalogs = library / "blender_assets.cats.txt"
    assert bpy.ops.image_to_mesh.add_asset_library() == {"FINISHED"}
    own = "11111111-2222-3333-4444-555555555555:Mine:Mine\n"
    first = catalogs.read_text()
    catalogs.write_text(first + own)
    assert bpy.ops.image_to_mesh.add_asset_library() == {"FINISHED"}
    try:
        assert len(folders) == before + 1
        assert Path(folders[-1].path) == library
        assert catalogs.read_text() == first + own
        ident, path = addon_module("jobs.library.asset_metadata").asset_catalog("tripo", "Tripo")
        assert f"{ident}:{path}:Image to Mesh-Tripo" in first.splitlines()
        assert "VERSION 1" in first
    finally:
        folders.remove(folders[-1])


def test_an_asset_holds_its_provenance(library: Path, tmp_path: Path) -> None:
    record = job(library, credits=30.0, provider="tripo", settings={"texture": False, "pbr": True})
    metadata = addon_module("jobs.library.asset_metadata").asset_data(record)
    obj = bpy.data.objects.new("thing", None)
    addon_module("worker.prepare.asset").mark_asset(obj, metadata)
    path = tmp_path / "marked.blend"
    bpy.data.libraries.write(str(path), {obj})
    bpy.data.objects.remove(obj)
    with bpy.data.libraries.load(str(path), assets_only=True) as (_, here):
        here.objects = ["thing"]
    data = here.objects[0].asset_data
    assert (
        data.catalog_id
        == addon_module("jobs.library.asset_metadata").asset_catalog("tripo", "Tripo")[0]
    )
    assert {tag.name for tag in data.tags} == {"Image to Mesh", "Tripo", "dahlia"}
    assert "30 Credits" in data.description
    assert "texture False" in data.description
    assert "pbr" not in data.description
    assert "terms of Tripo" in data.license
    assert data["image_to_mesh_job"] == record.id
    assert data["image_to_mesh_picture"] == "dahlia"


def test_show_folder_opens_the_folder_of_the_job(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / "programs" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/opened"\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(opener.parent), prepend=":")
    record = job(library)
    assert bpy.ops.image_to_mesh.show_folder(job=record.id) == {"FINISHED"}
    assert bpy.ops.image_to_mesh.show_folder() == {"FINISHED"}
    assert bpy.ops.image_to_mesh.show_folder(job="nobody") == {"CANCELLED"}
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.show_folder(job="../..")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        output = (tmp_path / "opened").read_text() if (tmp_path / "opened").exists() else ""
        if output.count("\n") == 2:
            break
        time.sleep(0.05)
    assert sorted(output.split()) == sorted([str(library / record.id), str(library)])


def test_the_index_is_refreshed_on_a_thread_and_redrawn_on_change(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library_step = addon_module("app.periodic.library")
    job(library)
    drawn: list[int] = []
    monkeypatch.setattr(library_step, "redraw", lambda context: drawn.append(1))
    found = addon_module("jobs.library.index").library_index(library)
    for _ in range(200):
        library_step.poll(bpy.context, 0.0)
        if drawn:
            break
        time.sleep(0.05)
    assert len(found.entries) == 1
    count = len(drawn)
    library_step.poll(bpy.context, found.refreshed_at)
    assert len(drawn) == count


def test_the_library_limit_is_enforced_automatically(
    library: Path, preferences: Any, tmp_path: Path
) -> None:
    library_step = addon_module("app.periodic.library")
    record = job(library)
    addon_module("jobs.library.import_log").log_import(library / record.id)
    found = refresh_index(library)
    preferences.library_limit = 1e-7
    for _ in range(200):
        library_step.poll(bpy.context, found.refreshed_at)
        if not (library / record.id).exists():
            break
        time.sleep(0.05)
    assert (tmp_path / "bin" / record.id / "job.json").is_file()


def test_jobs_shown_in_this_session_are_not_cleaned_up(library: Path, preferences: Any) -> None:
    record = job(library)
    addon_module("jobs.library.import_log").log_import(library / record.id)
    refresh_index(library)
    preferences.library_limit = 1e-7
    assert bpy.ops.image_to_mesh.clean_up.poll()
    view = addon_module("jobs").JobView(
        record.id, "local", "x", record.state, "Done", 1.0, 0.0, record
    )
    addon_module("jobs").session().show(view)
    assert not bpy.ops.image_to_mesh.clean_up.poll()


def test_imports_are_logged_in_the_job_folder(library: Path) -> None:
    record = job(library, mesh=None)
    with pytest.raises(RuntimeError):
        bpy.ops.image_to_mesh.import_result(job=record.id)
    assert not (library / record.id / "imported.json").exists()
    objects = {bpy.data.objects.new("dahlia", bpy.data.meshes.new("dahlia"))}
    bpy.data.libraries.write(str(library / record.id / "model.blend"), objects)
    addon_module("jobs.disk.signatures").mark_file(library / record.id / "model.blend")
    addon_module("jobs").Library(library).save(replace(record, mesh="mesh.glb"))
    assert bpy.ops.image_to_mesh.import_result(job=record.id) == {"FINISHED"}
    assert json.loads((library / record.id / "imported.json").read_text())["times"] == 1


def test_enabling_the_add_on_reads_no_library(
    library: Path, monkeypatch: pytest.MonkeyPatch, addon: ModuleType
) -> None:
    job(library)
    bpy.ops.preferences.addon_disable(module=ADDON)
    bpy.ops.preferences.addon_enable(module=ADDON)
    assert addon_module("jobs.library.index").library_index.cache_info().currsize == 0
    assert not (library / ".catalogue.json").exists()
