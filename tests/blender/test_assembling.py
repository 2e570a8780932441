# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model comes in parts: the same as at once, and nothing half-done whatever happens."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import places
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

ADDON = "bl_ext.user_default.image_to_mesh"
JOB = "2026-11-21_0002_photo"
MOST_TICKS = 30
KINDS = ("objects", "meshes", "materials", "images", "libraries", "node_groups", "collections")


def room(name: str) -> Any:
    return import_module(f"{ADDON}.{name}")


def textured(name: str) -> bpy.types.Material:
    image = bpy.data.images.new(name, 32, 32)
    image.pack()
    material = room("scene.background.surfaces").new_material(name)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return material


def ball(name: str, segments: int) -> bpy.types.Object:
    """A ball of quads and triangles with all that a mended mesh may have."""
    mesh = bpy.data.meshes.new(name)
    work = bmesh.new()
    bmesh.ops.create_uvsphere(work, u_segments=segments, v_segments=6, radius=1.0)
    work.to_mesh(mesh)
    work.free()
    chosen = np.random.default_rng(segments)
    uvs = mesh.uv_layers.new(name="UVMap").uv
    uvs.foreach_set("vector", chosen.random(len(mesh.loops) * 2, np.float32))
    color = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
    color.data.foreach_set("color", chosen.random(len(mesh.vertices) * 4, np.float32))
    mesh.color_attributes.active_color_index = mesh.color_attributes.render_color_index = 0
    for material in (textured(f"{name} a"), None, textured(f"{name} b")):
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", chosen.integers(0, 3, len(mesh.polygons)))
    flat = mesh.attributes.get("sharp_face") or mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
    flat.data.foreach_set("value", chosen.random(len(mesh.polygons)) < 0.5)
    if bpy.app.version >= (4, 5):  # before, they are no attribute
        mesh.normals_split_custom_set(chosen.random((len(mesh.loops), 3), np.float32))
    mesh["note"] = "a mesh's own"
    room("scene.background.mesh_arrays").drop_selections(mesh)
    return bpy.data.objects.new(name, mesh)


@pytest.fixture
def folder(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished job whose model of two balls under an empty is there in parts, too."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    things = [bpy.data.objects.new("photo", None), ball("photo 1", 8), ball("photo 2", 12)]
    for part in things[1:]:
        part.parent = things[0]
        part["note"] = "an object's own"
    jobs = room("jobs")
    library = jobs.Library(tmp_path / "library")
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(library.root))
    folder: Path = library.folder(JOB)
    folder.mkdir(parents=True)
    room("scene.background.parts").write_parts(folder / "model-parts", things, 0)
    bpy.data.libraries.write(str(folder / "model.blend"), set(things))
    (folder / "model.glb").write_bytes(b"glTF")
    library.save(jobs.Record(
        id=JOB, state=jobs.State.READY, provider="local", name="photo",
        created="2026-11-21T00:00:02+00:00", mesh="model.glb", blend="model.blend",
    ))  # fmt: skip
    monkeypatch.setattr(room("scene.assembling"), "TOGETHER", 1)  # a tick for every part
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.ed.undo_push(message="Start")
    return folder


def named(kind: str, *, hidden: bool = False) -> list[str]:
    names = [one.name for one in getattr(bpy.data, kind)]
    return sorted(name for name in names if hidden or not name.startswith("."))


def facts(*, hidden: bool = False) -> dict[str, list[str]]:
    return {kind: named(kind, hidden=hidden) for kind in KINDS}


def advance(folder: Path, ticks: int | None = None) -> int:
    """Let so many ticks pass, or as many as it takes; return how many did."""
    assembling, done = room("scene.assembling"), 0
    while done != ticks:
        done += 1
        if assembling.advance(str(folder / "model.blend")):
            assert ticks is None
            break
    return done


def append(folder: Path) -> list[str]:
    names: list[str] = room("scene.placing").append_model(
        bpy.context, str(folder / "model.blend"), name="photo",
        properties={"image_to_mesh_job": JOB},
    )  # fmt: skip
    return names


def values(items: Any, name: str, dtype: type, width: int = 1) -> list[Any]:
    found: Any = np.empty(len(items) * width, dtype)
    items.foreach_get(name, found)
    return list(found)


def mesh_facts(mesh: bpy.types.Mesh) -> dict[str, Any]:
    """Return all that can be seen of a mesh, value for value."""
    layouts = room("scene.background.mesh_arrays").LAYOUTS
    found: dict[str, Any] = {}
    for one in mesh.attributes:
        name, width, dtype = layouts[one.data_type]
        found[one.name] = (one.data_type, one.domain, values(one.data, name, dtype, width))
    uvs, colors = mesh.uv_layers, mesh.color_attributes
    return {
        **found,
        "names": (mesh.name, [material and material.name for material in mesh.materials]),
        "faces": values(mesh.polygons, "loop_start", np.int32),
        "normals": values(mesh.corner_normals, "vector", np.float32, 3),
        "edges": values(mesh.edges, "is_loose", bool),
        "uvs": (uvs.active_index, [(uv.name, uv.active_render) for uv in uvs]),
        "colors": (colors.active_color_index, colors.render_color_index),
        "custom": (dict(mesh.items()), mesh.has_custom_normals, mesh.users, mesh.use_fake_user),
    }


def model_facts(names: list[str]) -> list[Any]:
    bpy.context.view_layer.update()
    found: list[Any] = []
    for thing in (bpy.data.objects[name] for name in names):
        mesh = mesh_facts(thing.data) if thing.type == "MESH" else None
        box = [tuple(corner) for corner in thing.bound_box]
        slots = [(slot.link, slot.name) for slot in thing.material_slots]
        parent = thing.parent and thing.parent.name
        own = (thing.name, dict(thing.items()), parent, slots, thing.users, box, mesh)
        evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append((own, len(evaluated.data.vertices) if mesh else 0))
    return found


def test_it_is_the_same_as_at_once(folder: Path) -> None:
    advance(folder)
    in_parts = model_facts(append(folder))
    after = facts(hidden=True)
    for thing in bpy.data.objects:
        assert thing.type != "MESH" or not thing.data.validate()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    at_once = model_facts(append(folder))
    assert len(at_once) == 3
    for one, other in zip(in_parts, at_once, strict=True):
        assert one == other
    assert after == facts(hidden=True)


def test_a_second_one_gets_blenders_next_names(folder: Path) -> None:
    append(folder)
    advance(folder)
    names = ["photo 1.001", "photo 2.001", "photo.001"]
    assert sorted(append(folder)) == names
    assert set(names[:2]) < set(named("meshes", hidden=True))
    assert facts() == facts(hidden=True)


def test_until_it_is_whole_it_is_nowhere_to_be_seen(folder: Path, tmp_path: Path) -> None:
    before, scene = facts(), list(bpy.context.scene.objects)
    path = str(tmp_path / "saved.blend")
    ticks = advance(folder, 1)
    while True:
        assert facts() == before
        assert list(bpy.context.scene.objects) == scene
        assert [mesh.users for mesh in bpy.data.meshes if mesh.name[0] == "."] == [0, 0]
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
        ticks += 1
        if room("scene.assembling").advance(str(folder / "model.blend")):
            break
    assert ticks > 15  # a frame, and eight parts and more of two meshes
    append(folder)
    bpy.ops.wm.open_mainfile(filepath=path)
    for kind in ("objects", "meshes", "images", "libraries"):
        assert [name for name in named(kind, hidden=True) if name not in before[kind]] == []


def test_small_parts_share_a_tick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room("scene.assembling"), "TOGETHER", 1 << 20)
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
def test_undo_in_the_middle_starts_over(folder: Path, undone: int) -> None:
    """To where a part of it was there, and to where nothing was."""
    for ticks in (4, 7):
        advance(folder, ticks)
        bpy.data.objects["Cube"].location.x += 1.0
        bpy.ops.ed.undo_push(message="Move")
    advance(folder, 3)
    for _ in range(undone):
        bpy.ops.ed.undo()
    blend = str(folder / "model.blend")
    assert room("scene.assembling").advance(blend)
    assert facts() == facts(hidden=True)
    in_middle = model_facts(append(folder))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert in_middle == model_facts(append(folder))


def test_what_undo_brings_back_is_as_it_was_then(folder: Path) -> None:
    """Blender's undo steps share the arrays that the later parts are copied into."""
    advance(folder, 4)
    hidden = {one.name: mesh_facts(one) for one in bpy.data.meshes if one.name[0] == "."}
    bpy.ops.ed.undo_push(message="In the middle")
    advance(folder)
    append(folder)
    bpy.ops.ed.undo_push(message="Import")
    bpy.ops.ed.undo()
    assert {one.name: mesh_facts(one) for one in bpy.data.meshes if one.name[0] == "."} == hidden


@pytest.mark.parametrize("what", ["file", "purge", "parts", "broken", "cut"])
def test_what_is_lost_on_the_way_comes_in_at_once(folder: Path, what: str) -> None:
    advance(folder, 9)
    parts = folder / "model-parts"
    if what == "file":
        bpy.ops.wm.read_homefile(use_factory_startup=True)
    elif what == "purge":
        bpy.data.orphans_purge(do_recursive=True)
    for number in range(2):
        for file in parts.glob(f"{number}-*.npy"):
            if what == "parts":
                file.unlink()
            elif what == "broken":
                file.write_bytes(b"nothing")
            elif what == "cut":
                np.save(file, np.load(file)[:-1])
    assert advance(folder) <= MOST_TICKS
    lost = model_facts(append(folder))
    assert facts() == facts(hidden=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert lost == model_facts(append(folder))


def test_before_it_is_whole_it_can_be_imported_all_the_same(folder: Path) -> None:
    advance(folder, 6)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    assert len([one for one in bpy.data.objects if one.get("image_to_mesh_job") == JOB]) == 3
    assert facts() == facts(hidden=True)


# -- the watcher's way ---------------------------------------------------------------------------


def ended(**changes: Any) -> Any:
    jobs = room("jobs")
    record = room("operators.prepared").library_of(bpy.context, JOB).load(JOB)
    place = {"file": room("current_file").token(), "scene": "Scene", "location": [1, 2, 3]}
    values = {
        "job": JOB, "provider": "local", "name": "photo", "state": record.state, "phase": "Done",
        "fraction": 1.0, "started": time.monotonic(), "record": record, "place": place,
    }  # fmt: skip
    return jobs.Ended(JOB, jobs.JobView(**{**values, **changes}))


def until_gone(path: Path) -> None:
    deadline = time.monotonic() + 20.0
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def tick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Let the watcher tick, with these new events."""

    def run(*events: Any) -> list[Any]:
        session = room("jobs").session()
        monkeypatch.setattr(session, "drain", lambda: list(events))
        found: list[Any] = room("operators.watch").settle(bpy.context)
        return found

    return run


def test_the_watcher_takes_a_part_at_each_tick(tick: Any, folder: Path) -> None:
    before, ticks = facts(), 1
    outcomes = tick(ended())
    while not outcomes:
        assert facts() == before
        assert room("operators.watch").busy()
        ticks, outcomes = ticks + 1, tick()
    assert ticks > 15
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert tuple(bpy.data.objects["photo"].location) == (1, 2, 3)
    assert facts() == facts(hidden=True)
    until_gone(folder / "model-parts")
    assert (folder / "model.blend").is_file()
    bpy.ops.ed.undo()
    assert facts(hidden=True) == before
    bpy.ops.ed.redo()
    assert "photo 2" in bpy.data.objects


def test_the_same_model_is_not_taken_twice(tick: Any, folder: Path) -> None:
    """Its preview is drawn while it comes in; the end of the job comes later."""
    jobs, drawing = room("jobs"), room("jobs.versions").DRAWING
    view = ended(state=jobs.State.PREPARING, phase=drawing).view
    tick(jobs.Progressed(JOB, view))
    while not room("operators.events")._brought:
        tick()
    assert len(tick(ended())) == 1
    assert len([one for one in bpy.data.objects if one.get("image_to_mesh_job") == JOB]) == 3
    assert facts() == facts(hidden=True)


def test_its_end_does_not_overtake_it(tick: Any, folder: Path) -> None:
    jobs, drawing = room("jobs"), room("jobs.versions").DRAWING
    view = ended(state=jobs.State.PREPARING, phase=drawing).view
    outcomes, ticks = tick(jobs.Progressed(JOB, view), jobs.Progressed(JOB, view), ended()), 1
    while room("operators.watch").busy():
        ticks, outcomes = ticks + 1, outcomes + tick()
    assert ticks > 15
    assert len(outcomes) == 1
    assert sorted(one.name for one in bpy.data.objects if one.get("image_to_mesh_job")) == [
        "photo", "photo 1", "photo 2"]  # fmt: skip


def test_two_models_come_one_after_the_other(
    tick: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two together would take twice as long at each tick."""
    jobs, second = room("jobs"), f"{JOB}-2"
    shutil.copytree(folder, folder.with_name(second))
    library = room("operators.prepared").library_of(bpy.context, JOB)
    library.save(replace(library.load(JOB), id=second))
    view = replace(ended().view, job=second, record=library.load(second))
    fill, filled = room("scene.assembling")._fill, []

    def noted(*what: Any) -> None:
        filled.append(what)
        fill(*what)

    monkeypatch.setattr(room("scene.assembling"), "_fill", noted)
    outcomes, most = tick(ended(), jobs.Ended(second, view)), 0
    while room("operators.watch").busy():
        before = len(filled)
        outcomes += tick()
        most = max(most, len(filled) - before)
    assert (len(outcomes), most) == (2, 1)
    assert {"photo", "photo.001"} < set(bpy.data.objects.keys())
    assert facts() == facts(hidden=True)


@pytest.mark.parametrize("what", ["another file", "failed", "cancelled"])
def test_what_does_not_come_in_leaves_no_parts(tick: Any, folder: Path, what: str) -> None:
    jobs = room("jobs")
    tick(ended())
    tick()
    assert facts() != facts(hidden=True)
    room("operators.watch")._waiting.clear()
    changes: dict[str, Any] = {"state": jobs.State.CANCELLED}
    if what == "another file":
        changes = {"place": {"file": "another", "scene": "Scene", "location": [0, 0, 0]}}
    elif what == "failed":
        changes = {"failure": jobs.Failure("failed", "It failed."), "state": jobs.State.FAILED}
    assert len(tick(ended(**changes))) == 1
    until_gone(folder / "model-parts")
    assert facts() == facts(hidden=True)
    assert "photo" not in bpy.data.objects


def test_from_a_picture_to_the_scene(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    monkeypatch.setattr(room("jobs.preparing"), "LEAST", 0)
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.load(str(places.SAMPLE))
    chosen.local.face_count = 1000
    spec = room("operators.generate").specify(bpy.context, room("providers").get_provider("local"))
    assert spec.place["in_parts"] is False  # nobody watches: a script waits
    spec = replace(spec, place={**spec.place, "in_parts": True})
    job = room("operators.queue").begin(spec)
    outcomes: list[Any] = []
    half, deadline = 0, time.monotonic() + 50.0
    while not outcomes and time.monotonic() < deadline:
        outcomes = room("operators.watch").settle(bpy.context)
        half += any(mesh.name[0] == "." for mesh in bpy.data.meshes)
        time.sleep(0.01)
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert half
    (thing,) = [one for one in bpy.data.objects if one.get("image_to_mesh_job") == job]
    assert (thing.asset_data, thing.data.validate()) == (None, False)
    came, after = mesh_facts(thing.data), facts(hidden=True)
    until_gone(tmp_path / job / "model-parts")
    bpy.data.objects.remove(thing)
    bpy.data.orphans_purge(do_recursive=True)
    assert bpy.ops.image_to_mesh.import_result(job=job) == {"FINISHED"}
    assert mesh_facts(bpy.context.view_layer.objects.active.data) == came
    assert named("objects") == after["objects"]


# -- the background's way ------------------------------------------------------------------------


def test_only_large_models_are_made_in_parts(addon: ModuleType, tmp_path: Path) -> None:
    parts = room("scene.background.parts")
    thing = ball("ball", 8)
    parts.write_parts(tmp_path / "model-parts", [thing], 1 << 20)
    assert not (tmp_path / "model-parts").exists()
    parts.write_parts(tmp_path / "model-parts", [thing], 0)
    assert (tmp_path / "model-parts" / parts.LIST).is_file()
    # An older list is none of this model.
    parts.write_parts(tmp_path / "model-parts", [thing], 1 << 20)
    assert not (tmp_path / "model-parts" / parts.LIST).exists()


@pytest.mark.parametrize("what", ["shape keys", "groups", "bytes", "maps", "normals"])
def test_what_no_array_carries_comes_at_once(addon: ModuleType, tmp_path: Path, what: str) -> None:
    thing = ball("ball", 8)
    if what == "shape keys":
        thing.shape_key_add(name="Basis")
    elif what == "groups":
        thing.vertex_groups.new(name="Group").add([0], 1.0, "REPLACE")
    elif what == "maps":
        thing.data.uv_layers.new(name="Second")
    elif what == "bytes":
        thing.data.color_attributes.new("Bytes", "BYTE_COLOR", "CORNER")
    else:
        normals = np.random.default_rng(1).random((len(thing.data.loops), 3), np.float32)
        thing.data.normals_split_custom_set(normals)
    room("scene.background.parts").write_parts(tmp_path / "model-parts", [thing], 0)
    carried = what == "normals" and bpy.app.version >= (4, 5)
    assert (tmp_path / "model-parts").exists() == carried


def test_a_full_disk_is_left_to_the_model(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, thing = room("scene.background.parts"), ball("ball", 8)
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    parts.write_parts(tmp_path / "model-parts", [thing], 0)
    assert not (tmp_path / "model-parts").exists()


def test_the_objects_stay_as_they_are(addon: ModuleType, tmp_path: Path) -> None:
    thing = ball("ball", 8)
    before, names = mesh_facts(thing.data), facts(hidden=True)
    room("scene.background.parts").write_parts(tmp_path / "model-parts", [thing], 0)
    assert (mesh_facts(thing.data), facts(hidden=True)) == (before, names)
