# SPDX-License-Identifier: GPL-3.0-or-later
"""Models in the scene can be selected by job, replaced by other results, and restored."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import bpy
import pytest
from blender.addon_modules import addon_module
from mathutils import Matrix

PLACE = Matrix.LocRotScale((1.0, 2.0, 3.0), None, (2.0, 2.0, 2.0))


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of an empty library."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


def box(name: str, height: float) -> bpy.types.Object:
    """Return a box with a material, standing on the ground."""
    mesh = bpy.data.meshes.new(name)
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, height)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.from_pydata(corners, [], faces)
    mesh.materials.append(bpy.data.materials.new(f"{name} paint"))
    return bpy.data.objects.new(name, mesh)


def job(library: Path, name: str, *, height: float = 1.0, part_count: int = 1) -> str:
    """Put a finished job with its prepared model into the library; return its id."""
    jobs = addon_module("jobs")
    pictures = (jobs.InputPicture("front", f"{name} photo", None, url="https://example.com/a.png"),)
    record = jobs.Record(
        id=f"20260101-{name}", state=jobs.State.READY, provider="local", name=name,
        created="2026-01-01T00:00:00+00:00", mesh="mesh.glb", blend="model.blend",
        pictures=pictures, settings={"shape": "relief"},
    )  # fmt: skip
    jobs.Library(library).create(record, {"mesh.glb": b"glTF"})
    if part_count == 1:
        objects = [box(name, height)]
    else:
        objects = [bpy.data.objects.new(name, None)]
        objects += [box(f"{name} {number}", height) for number in range(part_count)]
        for part in objects[1:]:
            part.parent = objects[0]
    bpy.data.libraries.write(str(library / record.id / "model.blend"), set(objects))
    addon_module("jobs.disk.signatures").mark_file(library / record.id / "model.blend")
    for obj in objects:
        data = obj.data
        bpy.data.objects.remove(obj)
        if data:
            materials = list(data.materials)
            bpy.data.meshes.remove(data)
            bpy.data.batch_remove(materials)
    return str(record.id)


def import_model(job_id: str) -> bpy.types.Object:
    """Import a job's model; return its root, which becomes active."""
    assert bpy.ops.image_to_mesh.import_result(job=job_id) == {"FINISHED"}
    bpy.context.view_layer.update()
    return bpy.context.view_layer.objects.active


def add_relations(obj: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """Give an object a transform, parent, collection, modifier, constraint and child."""
    parent = bpy.data.objects.new("parent", None)
    child, aim = bpy.data.objects.new("child", None), bpy.data.objects.new("aim", None)
    bpy.context.scene.collection.objects.link(parent)
    shelf = bpy.data.collections.new("shelf")
    bpy.context.scene.collection.children.link(shelf)
    for item in (child, aim, obj):
        shelf.objects.link(item)
    bpy.context.scene.collection.objects.unlink(obj) if obj.name in (
        bpy.context.scene.collection.objects
    ) else bpy.data.collections["Collection"].objects.unlink(obj)
    parent.location = (0.0, 0.0, 5.0)
    obj.parent = parent
    obj.matrix_basis = PLACE
    child.parent = obj
    child.location = (0.0, 0.0, 1.0)
    obj.constraints.new("TRACK_TO").target = aim
    meshes = [item for item in (obj, *obj.children_recursive) if item.type == "MESH"]
    meshes[0].modifiers.new("Doubled", "ARRAY").count = 3
    bpy.context.view_layer.update()
    return {"parent": parent, "child": child, "aim": aim, "shelf": shelf}


def activate(obj: bpy.types.Object) -> None:
    """Make an object the active one."""
    bpy.context.view_layer.objects.active = obj


def height_of(obj: bpy.types.Object) -> float:
    """Return an object's height along its own axis, without modifiers."""
    heights = [vertex.co.z for vertex in obj.data.vertices]
    return (max(heights) - min(heights)) * obj.matrix_world.to_scale().z


def test_objects_carry_their_provenance(library: Path) -> None:
    root = import_model(job(library, "cup"))
    assert root["image_to_mesh_job"] == "20260101-cup"
    assert root["image_to_mesh_provider"] == "local"
    assert json.loads(root["image_to_mesh_settings"]) == {"shape": "relief"}
    assert root["image_to_mesh_picture"] == "cup photo"


def test_the_objects_of_a_job_can_be_selected(library: Path) -> None:
    cup, pot = job(library, "cup"), job(library, "pot", part_count=2)
    cups = [import_model(cup), import_model(cup)]
    pots = import_model(pot)
    cups[1].hide_set(True)
    bpy.ops.image_to_mesh.select_made(job=cup)
    assert bpy.context.selected_objects == [cups[0]]
    assert bpy.context.view_layer.objects.active == cups[0]
    bpy.ops.image_to_mesh.select_made(job=pot, extend=True)
    assert set(bpy.context.selected_objects) == {cups[0], pots, *pots.children}
    activate(pots.children[0])
    bpy.ops.image_to_mesh.select_made()
    assert set(bpy.context.selected_objects) == {pots, *pots.children}
    assert bpy.ops.image_to_mesh.select_made(job="nobody") == {"CANCELLED"}
    activate(bpy.data.objects["Cube"])
    assert bpy.ops.image_to_mesh.select_made() == {"CANCELLED"}
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.image_to_mesh.select_made.poll()


def test_a_replaced_mesh_keeps_transform_parent_modifiers_and_constraints(library: Path) -> None:
    old, new = job(library, "cup"), job(library, "pot", height=4.0)
    cup = import_model(old)
    around = add_relations(cup)
    world, before = cup.matrix_world.copy(), cup.data
    objects = set(bpy.data.objects)
    activate(cup)
    assert bpy.ops.image_to_mesh.replace(job=new) == {"FINISHED"}
    assert set(bpy.data.objects) == objects
    assert cup.data is not before
    assert (cup.parent, around["child"].parent) == (around["parent"], cup)
    assert cup.matrix_world == world
    assert cup.users_collection == (around["shelf"],)
    assert (cup.modifiers["Doubled"].count, cup.constraints[0].target) == (3, around["aim"])
    assert [slot.material.name for slot in cup.material_slots] == ["pot paint"]
    assert cup["image_to_mesh_job"] == new
    assert height_of(cup) == pytest.approx(2.0, abs=1e-4)
    assert bpy.context.selected_objects == [cup]

    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    assert (cup.data, cup["image_to_mesh_job"]) == (before, old)
    assert [slot.material.name for slot in cup.material_slots] == ["cup paint"]
    assert not bpy.ops.image_to_mesh.bring_back.poll()
    assert not [name for name in before.keys() if "image_to_mesh" in name]  # noqa: SIM118


def test_two_replacements_are_restored_step_by_step(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    first = cup.data
    for name in ("pot", "jug"):
        activate(cup)
        bpy.ops.image_to_mesh.replace(job=job(library, name))
    names = [cup.data.name.split(".")[0]]
    while bpy.ops.image_to_mesh.bring_back.poll():
        bpy.ops.image_to_mesh.bring_back()
        names.append(cup.data.name.split(".")[0])
    assert names == ["jug", "pot", "cup"]
    assert cup.data is first


def test_the_replaced_model_is_saved_with_the_file(library: Path, tmp_path: Path) -> None:
    cup = import_model(job(library, "cup"))
    cup.data.vertices[0].co.x = -7.0  # the artist's own work
    activate(cup)
    bpy.ops.image_to_mesh.replace(job=job(library, "pot"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    cup = bpy.data.objects["cup"]
    activate(cup)
    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    assert cup.data.vertices[0].co.x == -7.0


@pytest.mark.parametrize(("parts_old", "parts_new"), [(1, 2), (2, 1), (2, 3)])
def test_models_of_several_objects_can_be_replaced(
    library: Path, parts_old: int, parts_new: int
) -> None:
    old = job(library, "cup", part_count=parts_old)
    new = job(library, "pot", part_count=parts_new, height=4.0)
    cup = import_model(old)
    around = add_relations(cup)
    world, child_world = cup.matrix_world.copy(), around["child"].matrix_world.copy()
    names_before = {obj.name for obj in bpy.context.view_layer.objects}
    activate(cup.children[0] if parts_old > 1 and cup.children[0] != around["child"] else cup)
    assert bpy.ops.image_to_mesh.replace(job=new) == {"FINISHED"}
    bpy.context.view_layer.update()
    pot = bpy.context.view_layer.objects.active
    pieces = [
        item for item in (pot, *pot.children_recursive) if item.get("image_to_mesh_job") == new
    ]
    assert len(pieces) == parts_new + (parts_new > 1)
    assert pot.parent == around["parent"]
    assert (pot.matrix_world.translation - world.translation).length < 1e-4
    assert all(part.users_collection == (around["shelf"],) for part in pieces)
    assert around["child"].parent == pot
    assert (around["child"].matrix_world.translation - child_world.translation).length < 1e-4
    meshes = [part for part in pieces if part.type == "MESH"]
    assert all(mesh.modifiers["Doubled"].count == 3 for mesh in meshes)
    assert pot.constraints[0].target == around["aim"]
    assert height_of(meshes[0]) == pytest.approx(2.0, abs=1e-3)
    assert not any("cup" in obj.name for obj in bpy.context.view_layer.objects)

    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert {obj.name for obj in bpy.context.view_layer.objects} == names_before
    assert (cup.matrix_world.translation - world.translation).length < 1e-4
    assert around["child"].parent == cup
    assert not [collection for collection in bpy.data.collections if "replaced" in collection.name]


def test_any_mesh_can_be_replaced_without_keeping_the_height(library: Path) -> None:
    cube = bpy.data.objects["Cube"]
    before = cube.data
    activate(cube)
    assert bpy.ops.image_to_mesh.replace(job=job(library, "pot"), keep_height=False) == {"FINISHED"}
    assert height_of(cube) == pytest.approx(1.0)
    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    assert cube.data is before
    assert "image_to_mesh_job" not in cube


def test_replacing_without_a_model_does_nothing(library: Path) -> None:
    activate(bpy.data.objects["Camera"])
    assert not bpy.ops.image_to_mesh.replace.poll()
    activate(bpy.data.objects["Cube"])
    before = set(bpy.data.objects)
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.replace(job="nobody")
    assert set(bpy.data.objects) == before
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.image_to_mesh.replace.poll()


def test_a_replacement_is_undone_in_one_step(library: Path) -> None:
    job_id = job(library, "pot")
    activate(bpy.data.objects["Cube"])
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.image_to_mesh.replace("EXEC_DEFAULT", True, job=job_id)
    assert bpy.data.objects["Cube"]["image_to_mesh_job"] == job_id
    bpy.ops.ed.undo()
    cube = bpy.data.objects["Cube"]
    assert "image_to_mesh_job" not in cube
    assert (cube.data.name, len(cube.data.vertices)) == ("Cube", 8)
    assert [slot.material.name for slot in cube.material_slots] == ["Material"]
