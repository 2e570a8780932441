# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model imported in chunks equals a single import, and is never visible half-done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.large_models import (
    JOB,
    all_names,
    ball,
    data_block_names,
    make_job,
    mesh_facts,
    model_facts,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

MOST_TICKS = 30


@pytest.fixture
def folder(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished job with a model in chunks, each imported in its own tick."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(addon_module("scene.chunked_append"), "BYTES_PER_TICK", 1)
    return make_job(tmp_path / "library")


def advance(folder: Path, ticks: int | None = None) -> int:
    """Run `ticks` ticks, or as many as the import needs; return their number."""
    chunked_append, done = addon_module("scene.chunked_append"), 0
    while done != ticks:
        done += 1
        if chunked_append.advance(str(folder / "model.blend")):
            assert ticks is None
            break
    return done


def append(folder: Path) -> list[str]:
    names: list[str] = addon_module("scene.link_to_scene").append_model(
        bpy.context, str(folder / "model.blend"), name="photo",
        properties={"image_to_mesh_job": JOB},
    )  # fmt: skip
    return names


def test_a_chunked_import_equals_a_single_one(folder: Path) -> None:
    advance(folder)
    in_chunks = model_facts(append(folder))
    after = all_names(hidden=True)
    for obj in bpy.data.objects:
        assert obj.type != "MESH" or not obj.data.validate()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    at_once = model_facts(append(folder))
    assert len(at_once) == 3
    for item, other in zip(in_chunks, at_once, strict=True):
        assert item == other
    assert after == all_names(hidden=True)


def test_a_second_chunked_import_gets_blenders_next_names(folder: Path) -> None:
    append(folder)
    advance(folder)
    names = ["photo 1.001", "photo 2.001", "photo.001"]
    assert sorted(append(folder)) == names
    assert set(names[:2]) < set(data_block_names("meshes", hidden=True))
    assert all_names() == all_names(hidden=True)


def test_an_incomplete_model_is_not_visible(folder: Path, tmp_path: Path) -> None:
    before, scene = all_names(), list(bpy.context.scene.objects)
    path = str(tmp_path / "saved.blend")
    ticks = advance(folder, 1)
    while True:
        assert all_names() == before
        assert list(bpy.context.scene.objects) == scene
        assert [mesh.users for mesh in bpy.data.meshes if mesh.name[0] == "."] == [0, 0]
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
        ticks += 1
        if addon_module("scene.chunked_append").advance(str(folder / "model.blend")):
            break
    assert ticks > 15  # the frame file, and at least eight chunks for each mesh
    append(folder)
    bpy.ops.wm.open_mainfile(filepath=path)
    for kind in ("objects", "meshes", "images", "libraries"):
        assert [
            name for name in data_block_names(kind, hidden=True) if name not in before[kind]
        ] == []


def test_small_chunks_share_a_tick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addon_module("scene.chunked_append"), "BYTES_PER_TICK", 1 << 20)
    assert advance(folder) == 3  # the frame file, all chunks, and the check that none remain


def test_the_import_is_one_undo_step_even_if_the_artist_worked_meanwhile(folder: Path) -> None:
    before = all_names()
    cube = bpy.data.objects["Cube"]
    for step in (1.0, 2.0, 3.0):
        advance(folder, 5)
        cube.location.x = step
        bpy.ops.ed.undo_push(message="Move")
    advance(folder)
    names = append(folder)
    imported = model_facts(names)
    after = all_names()
    bpy.ops.ed.undo_push(message="Import")
    for step in (3.0, 2.0, 1.0, 0.0):
        bpy.ops.ed.undo()
        assert all_names() == before
        assert bpy.data.objects["Cube"].location.x == step
    for _ in range(4):
        bpy.ops.ed.redo()
    assert all_names() == after
    assert model_facts(names) == imported


@pytest.mark.parametrize("undone", [1, 2])
def test_an_undo_during_the_import_restarts_it(folder: Path, undone: int) -> None:
    """Both an undo to a partial import, and one to before it."""
    for ticks in (4, 7):
        advance(folder, ticks)
        bpy.data.objects["Cube"].location.x += 1.0
        bpy.ops.ed.undo_push(message="Move")
    advance(folder, 3)
    for _ in range(undone):
        bpy.ops.ed.undo()
    blend = str(folder / "model.blend")
    assert addon_module("scene.chunked_append").advance(blend)
    assert all_names() == all_names(hidden=True)
    in_middle = model_facts(append(folder))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert in_middle == model_facts(append(folder))


def test_undo_restores_the_scene_of_that_time(folder: Path) -> None:
    """Blender's undo steps share the arrays that later chunks are copied into."""
    advance(folder, 4)
    hidden = {mesh.name: mesh_facts(mesh) for mesh in bpy.data.meshes if mesh.name[0] == "."}
    bpy.ops.ed.undo_push(message="In the middle")
    advance(folder)
    append(folder)
    bpy.ops.ed.undo_push(message="Import")
    bpy.ops.ed.undo()
    assert {
        mesh.name: mesh_facts(mesh) for mesh in bpy.data.meshes if mesh.name[0] == "."
    } == hidden


@pytest.mark.parametrize("case", ["file", "purge", "chunks", "broken", "cut"])
def test_lost_chunks_fall_back_to_a_single_import(folder: Path, case: str) -> None:
    advance(folder, 9)
    chunks = folder / "model-parts"
    if case == "file":
        bpy.ops.wm.read_homefile(use_factory_startup=True)
    elif case == "purge":
        bpy.data.orphans_purge(do_recursive=True)
    for number in range(2):
        for file in chunks.glob(f"{number}-*.raw"):
            if case == "chunks":
                file.unlink()
            elif case == "broken":
                file.write_bytes(b"nothing")
            elif case == "cut":
                file.write_bytes(file.read_bytes()[:-1])
    assert advance(folder) <= MOST_TICKS
    recovered = model_facts(append(folder))
    assert all_names() == all_names(hidden=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert recovered == model_facts(append(folder))


def test_an_incomplete_model_can_still_be_imported(folder: Path) -> None:
    advance(folder, 6)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB]) == 3
    assert all_names() == all_names(hidden=True)


# -- in the worker ------------------------------------------------------------------------------


def test_only_large_models_are_split_into_chunks(addon: ModuleType, tmp_path: Path) -> None:
    chunks = addon_module("worker.prepare.chunks")
    obj = ball("ball", 8)
    chunks.write_chunks(tmp_path / "model-parts", [obj], 1 << 20)
    assert not (tmp_path / "model-parts").exists()
    chunks.write_chunks(tmp_path / "model-parts", [obj], 0)
    assert (tmp_path / "model-parts" / chunks.CHUNKS_FILE).is_file()
    # A list from an earlier run must not remain.
    chunks.write_chunks(tmp_path / "model-parts", [obj], 1 << 20)
    assert not (tmp_path / "model-parts" / chunks.CHUNKS_FILE).exists()


@pytest.mark.parametrize("case", ["shape keys", "groups", "bytes", "maps", "normals", "own"])
def test_data_that_arrays_cannot_carry_is_imported_at_once(
    addon: ModuleType, tmp_path: Path, case: str
) -> None:
    obj = ball("ball", 8)
    if case == "shape keys":
        obj.shape_key_add(name="Basis")
    elif case == "groups":
        obj.vertex_groups.new(name="Group").add([0], 1.0, "REPLACE")
    elif case == "maps":
        obj.data.uv_layers.new(name="Second")
    elif case == "bytes":
        obj.data.color_attributes.new("Bytes", "BYTE_COLOR", "CORNER")
    elif case == "own":
        obj.data.materials.append(bpy.data.materials.new("shared"))
        obj.material_slots[0].link = "OBJECT"
    else:
        normals = np.random.default_rng(1).random((len(obj.data.loops), 3), np.float32)
        obj.data.normals_split_custom_set(normals)
    addon_module("worker.prepare.chunks").write_chunks(tmp_path / "model-parts", [obj], 0)
    is_split = case == "normals" and bpy.app.version >= (4, 5)
    assert (tmp_path / "model-parts").exists() == is_split


def test_a_full_disk_skips_the_chunks_and_keeps_the_model(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks, obj = addon_module("worker.prepare.chunks"), ball("ball", 8)
    monkeypatch.setattr(chunks.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    chunks.write_chunks(tmp_path / "model-parts", [obj], 0)
    assert not (tmp_path / "model-parts").exists()


def test_writing_chunks_does_not_change_the_objects(addon: ModuleType, tmp_path: Path) -> None:
    obj = ball("ball", 8)
    before, names = mesh_facts(obj.data), all_names(hidden=True)
    addon_module("worker.prepare.chunks").write_chunks(tmp_path / "model-parts", [obj], 0)
    assert (mesh_facts(obj.data), all_names(hidden=True)) == (before, names)
