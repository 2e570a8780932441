# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model comes in parts: the same as at once, and nothing half-done whatever happens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from blender.large_models import JOB, ball, facts, make_job, mesh_facts, model_facts, named, room

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

MOST_TICKS = 30


@pytest.fixture
def folder(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished job whose model is there in parts, each with a tick of its own."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(room("scene.chunked_append"), "BYTES_PER_TICK", 1)
    return make_job(tmp_path / "library")


def advance(folder: Path, ticks: int | None = None) -> int:
    """Let so many ticks pass, or as many as it takes; return how many did."""
    assembling, done = room("scene.chunked_append"), 0
    while done != ticks:
        done += 1
        if assembling.advance(str(folder / "model.blend")):
            assert ticks is None
            break
    return done


def append(folder: Path) -> list[str]:
    names: list[str] = room("scene.link_to_scene").append_model(
        bpy.context, str(folder / "model.blend"), name="photo",
        properties={"image_to_mesh_job": JOB},
    )  # fmt: skip
    return names


def test_a_chunked_import_equals_a_single_one(folder: Path) -> None:
    advance(folder)
    in_parts = model_facts(append(folder))
    after = facts(hidden=True)
    for obj in bpy.data.objects:
        assert obj.type != "MESH" or not obj.data.validate()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    at_once = model_facts(append(folder))
    assert len(at_once) == 3
    for item, other in zip(in_parts, at_once, strict=True):
        assert item == other
    assert after == facts(hidden=True)


def test_a_second_chunked_import_gets_blenders_next_names(folder: Path) -> None:
    append(folder)
    advance(folder)
    names = ["photo 1.001", "photo 2.001", "photo.001"]
    assert sorted(append(folder)) == names
    assert set(names[:2]) < set(named("meshes", hidden=True))
    assert facts() == facts(hidden=True)


def test_an_incomplete_model_is_not_visible(folder: Path, tmp_path: Path) -> None:
    before, scene = facts(), list(bpy.context.scene.objects)
    path = str(tmp_path / "saved.blend")
    ticks = advance(folder, 1)
    while True:
        assert facts() == before
        assert list(bpy.context.scene.objects) == scene
        assert [mesh.users for mesh in bpy.data.meshes if mesh.name[0] == "."] == [0, 0]
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
        ticks += 1
        if room("scene.chunked_append").advance(str(folder / "model.blend")):
            break
    assert ticks > 15  # a frame, and eight parts and more of two meshes
    append(folder)
    bpy.ops.wm.open_mainfile(filepath=path)
    for kind in ("objects", "meshes", "images", "libraries"):
        assert [name for name in named(kind, hidden=True) if name not in before[kind]] == []


def test_small_chunks_share_a_tick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room("scene.chunked_append"), "BYTES_PER_TICK", 1 << 20)
    assert advance(folder) == 3  # the frame, all parts, and nothing left


def test_one_undo_step_whatever_the_artist_did_meanwhile(folder: Path) -> None:
    before = facts()
    cube = bpy.data.objects["Cube"]
    for step in (1.0, 2.0, 3.0):
        advance(folder, 5)
        cube.location.x = step
        bpy.ops.ed.undo_push(message="Move")
    advance(folder)
    names = append(folder)
    came = model_facts(names)
    after = facts()
    bpy.ops.ed.undo_push(message="Import")
    for step in (3.0, 2.0, 1.0, 0.0):
        bpy.ops.ed.undo()
        assert facts() == before
        assert bpy.data.objects["Cube"].location.x == step
    for _ in range(4):
        bpy.ops.ed.redo()
    assert facts() == after
    assert model_facts(names) == came


@pytest.mark.parametrize("undone", [1, 2])
def test_an_undo_during_the_import_restarts_it(folder: Path, undone: int) -> None:
    """To where a part of it was there, and to where nothing was."""
    for ticks in (4, 7):
        advance(folder, ticks)
        bpy.data.objects["Cube"].location.x += 1.0
        bpy.ops.ed.undo_push(message="Move")
    advance(folder, 3)
    for _ in range(undone):
        bpy.ops.ed.undo()
    blend = str(folder / "model.blend")
    assert room("scene.chunked_append").advance(blend)
    assert facts() == facts(hidden=True)
    in_middle = model_facts(append(folder))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert in_middle == model_facts(append(folder))


def test_undo_restores_the_scene_of_that_time(folder: Path) -> None:
    """Blender's undo steps share the arrays that the later parts are copied into."""
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


@pytest.mark.parametrize("what", ["file", "purge", "parts", "broken", "cut"])
def test_lost_chunks_fall_back_to_a_single_import(folder: Path, what: str) -> None:
    advance(folder, 9)
    parts = folder / "model-parts"
    if what == "file":
        bpy.ops.wm.read_homefile(use_factory_startup=True)
    elif what == "purge":
        bpy.data.orphans_purge(do_recursive=True)
    for number in range(2):
        for file in parts.glob(f"{number}-*.raw"):
            if what == "parts":
                file.unlink()
            elif what == "broken":
                file.write_bytes(b"nothing")
            elif what == "cut":
                file.write_bytes(file.read_bytes()[:-1])
    assert advance(folder) <= MOST_TICKS
    lost = model_facts(append(folder))
    assert facts() == facts(hidden=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert lost == model_facts(append(folder))


def test_an_incomplete_model_can_still_be_imported(folder: Path) -> None:
    advance(folder, 6)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB]) == 3
    assert facts() == facts(hidden=True)


# -- the background's way ------------------------------------------------------------------------


def test_only_large_models_are_split_into_chunks(addon: ModuleType, tmp_path: Path) -> None:
    parts = room("worker.prepare.chunks")
    obj = ball("ball", 8)
    parts.write_chunks(tmp_path / "model-parts", [obj], 1 << 20)
    assert not (tmp_path / "model-parts").exists()
    parts.write_chunks(tmp_path / "model-parts", [obj], 0)
    assert (tmp_path / "model-parts" / parts.CHUNKS_FILE).is_file()
    # An older list is none of this model.
    parts.write_chunks(tmp_path / "model-parts", [obj], 1 << 20)
    assert not (tmp_path / "model-parts" / parts.CHUNKS_FILE).exists()


@pytest.mark.parametrize("what", ["shape keys", "groups", "bytes", "maps", "normals", "own"])
def test_data_that_arrays_cannot_carry_is_imported_at_once(
    addon: ModuleType, tmp_path: Path, what: str
) -> None:
    obj = ball("ball", 8)
    if what == "shape keys":
        obj.shape_key_add(name="Basis")
    elif what == "groups":
        obj.vertex_groups.new(name="Group").add([0], 1.0, "REPLACE")
    elif what == "maps":
        obj.data.uv_layers.new(name="Second")
    elif what == "bytes":
        obj.data.color_attributes.new("Bytes", "BYTE_COLOR", "CORNER")
    elif what == "own":
        obj.data.materials.append(bpy.data.materials.new("shared"))
        obj.material_slots[0].link = "OBJECT"
    else:
        normals = np.random.default_rng(1).random((len(obj.data.loops), 3), np.float32)
        obj.data.normals_split_custom_set(normals)
    room("worker.prepare.chunks").write_chunks(tmp_path / "model-parts", [obj], 0)
    carried = what == "normals" and bpy.app.version >= (4, 5)
    assert (tmp_path / "model-parts").exists() == carried


def test_a_full_disk_skips_the_chunks_and_keeps_the_model(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, obj = room("worker.prepare.chunks"), ball("ball", 8)
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    parts.write_chunks(tmp_path / "model-parts", [obj], 0)
    assert not (tmp_path / "model-parts").exists()


def test_the_objects_stay_as_they_are(addon: ModuleType, tmp_path: Path) -> None:
    obj = ball("ball", 8)
    before, names = mesh_facts(obj.data), facts(hidden=True)
    room("worker.prepare.chunks").write_chunks(tmp_path / "model-parts", [obj], 0)
    assert (mesh_facts(obj.data), facts(hidden=True)) == (before, names)
