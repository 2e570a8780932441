# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh tools work on any mesh, in its object; the former mesh stays as a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(autouse=True)
def _empty_library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    bpy.ops.wm.read_homefile(use_factory_startup=True)


@pytest.fixture
def monkey() -> bpy.types.Object:
    """Suzanne with a material, a modifier, a child, and an object that refers to it."""
    bpy.ops.mesh.primitive_monkey_add(location=(3, 0, 0), rotation=(0, 0, 1), scale=(2, 1, 1))
    obj: bpy.types.Object = bpy.context.object
    obj.data.materials.append(bpy.data.materials.new("fur"))
    obj.data["note"] = "mine"
    obj.modifiers.new("Subdivision", "SUBSURF")
    bpy.data.objects["Light"].parent = obj
    bpy.data.objects["Cube"].modifiers.new("Wrap", "SHRINKWRAP").target = obj
    bpy.context.scene.image_to_mesh.care.faces = 300
    return obj


def versions(obj: bpy.types.Object) -> list[str]:
    """Return the names of the object's versions as the panel shows them."""
    names = addon_module("jobs.mesh_versions")
    return [str(names.stored_label(obj, mesh)) for _, mesh in names.versions_of(obj)]


def triangles(obj: bpy.types.Object) -> int:
    obj.data.calc_loop_triangles()
    return len(obj.data.loop_triangles)


def test_reducing_exchanges_the_mesh_and_nothing_else(monkey: bpy.types.Object) -> None:
    former, matrix, names = monkey.data, monkey.matrix_world.copy(), set(bpy.data.objects.keys())
    assert bpy.ops.image_to_mesh.decimate() == {"FINISHED"}
    assert set(bpy.data.objects.keys()) == names
    assert monkey.data != former
    assert (monkey.name, monkey.data.name, former.name) == (
        "Suzanne", "Suzanne", "Suzanne (original)")  # fmt: skip
    assert triangles(monkey) == pytest.approx(300, rel=0.05)
    assert monkey.matrix_world == matrix
    assert [modifier.type for modifier in monkey.modifiers] == ["SUBSURF"]
    assert bpy.data.objects["Light"].parent == monkey
    assert bpy.data.objects["Cube"].modifiers["Wrap"].target == monkey
    assert monkey.select_get()
    assert bpy.context.view_layer.objects.active == monkey
    assert monkey.data["note"] == "mine"
    assert [slot.material.name for slot in monkey.material_slots] == ["fur"]
    assert [item.name for item in bpy.data.materials if "fur" in item.name] == ["fur"]
    assert not bpy.data.libraries


def test_each_version_can_be_shown_again(monkey: bpy.types.Object, tmp_path: Path) -> None:
    former = monkey.data
    bpy.ops.image_to_mesh.decimate()
    bpy.context.scene.image_to_mesh.care.faces = 100
    bpy.ops.image_to_mesh.decimate()
    counts = [
        len(mesh.polygons) for _, mesh in addon_module("jobs.mesh_versions").versions_of(monkey)
    ]
    assert versions(monkey) == [
        "Original, 500 faces", f"Reduced, {counts[1]} faces", f"Reduced, {counts[2]} faces"
    ]  # fmt: skip
    assert bpy.ops.image_to_mesh.bring_version(stored="1") == {"FINISHED"}
    assert monkey.data == former
    assert monkey.data.name == "Suzanne"
    assert len(versions(monkey)) == 3
    # They are in the saved file, although no object shows them.
    path = str(tmp_path / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    opened = bpy.data.objects["Suzanne"]
    bpy.context.view_layer.objects.active = opened
    assert bpy.ops.image_to_mesh.bring_version(stored="3") == {"FINISHED"}
    assert len(opened.data.polygons) == counts[2]


def test_other_versions_can_be_removed(monkey: bpy.types.Object) -> None:
    assert not bpy.ops.image_to_mesh.forget_versions.poll()
    bpy.ops.image_to_mesh.decimate()
    assert bpy.ops.image_to_mesh.forget_versions() == {"FINISHED"}
    assert versions(monkey) == []
    assert "Suzanne (original)" not in bpy.data.meshes
    assert triangles(monkey) == pytest.approx(300, rel=0.05)


def test_a_version_that_is_gone_is_reported(monkey: bpy.types.Object) -> None:
    bpy.ops.image_to_mesh.decimate()
    bpy.data.meshes.remove(bpy.data.meshes["Suzanne (original)"])
    assert len(versions(monkey)) == 1
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.image_to_mesh.bring_version(stored="1")


def test_nothing_to_clean_is_said_and_makes_no_version() -> None:
    cube = bpy.data.objects["Cube"]
    mesh = cube.data
    assert bpy.ops.image_to_mesh.clean_mesh() == {"FINISHED"}
    assert cube.data == mesh
    assert versions(cube) == []
    edits = addon_module("jobs").mesh_edits()
    view = edits.view(addon_module("jobs").object_key(cube.session_uid))
    assert view.summary == "Nothing to clean"
    assert not view.order.scene.folder.exists()


def test_a_mesh_without_more_faces_is_not_reduced() -> None:
    with pytest.raises(RuntimeError, match="has only 12 triangles"):
        bpy.ops.image_to_mesh.decimate()
    assert versions(bpy.data.objects["Cube"]) == []


def test_a_report_shows_the_size_in_the_scene() -> None:
    cube = bpy.data.objects["Cube"]
    cube.scale = (1.0, 2.0, -3.0)
    bpy.context.view_layer.update()
    bpy.ops.image_to_mesh.health_card()
    card = (
        addon_module("jobs")
        .mesh_edits()
        .card(addon_module("jobs").object_key(cube.session_uid), str(cube.data.session_uid))
    )
    assert card["size"] == pytest.approx([2.0, 4.0, 6.0])
    assert card["flipped_faces"] == 0
    assert card["watertight"]


def test_cleaning_keeps_weights_and_seams() -> None:
    cube = bpy.data.objects["Cube"]
    group = cube.vertex_groups.new(name="top")
    group.add([0, 1], 0.5, "REPLACE")
    work = bmesh.new()
    work.from_mesh(cube.data)
    work.edges.ensure_lookup_table()
    work.edges[0].seam = True
    work.verts.new((5.0, 0.0, 0.0))
    work.to_mesh(cube.data)
    work.free()
    assert bpy.ops.image_to_mesh.clean_mesh() == {"FINISHED"}
    assert len(cube.data.vertices) == 8
    assert [group.name for group in cube.vertex_groups] == ["top"]
    weights = [element.weight for vertex in cube.data.vertices for element in vertex.groups]
    assert weights == [0.5, 0.5]
    assert sum(edge.use_seam for edge in cube.data.edges) == 1


def test_quads_bring_their_own_material(monkey: bpy.types.Object) -> None:
    monkey.modifiers.clear()
    bpy.context.scene.image_to_mesh.care.faces = 400
    assert bpy.ops.image_to_mesh.quad_remesh() == {"FINISHED"}
    assert [slot.material.name for slot in monkey.material_slots] == ["Suzanne quads"]
    assert bpy.ops.image_to_mesh.bring_version(stored="1") == {"FINISHED"}
    assert [slot.material.name for slot in monkey.material_slots] == ["fur"]


def test_levels_of_detail_stand_in_a_row(monkey: bpy.types.Object) -> None:
    mesh = monkey.data
    bpy.data.objects["Cube"].modifiers.clear()
    bpy.context.scene.image_to_mesh.care.faces = 100
    bpy.context.scene.image_to_mesh.care.levels = 3
    assert bpy.ops.image_to_mesh.detail_levels() == {"FINISHED"}
    assert monkey.data == mesh
    made = [bpy.data.objects[f"Suzanne LOD{level}"] for level in (1, 2)]
    counts = [triangles(obj) for obj in (monkey, *made)]
    assert counts == sorted(counts, reverse=True)
    assert counts[2] == pytest.approx(100, rel=0.1)
    view = addon_module("jobs").mesh_edits().views()[-1]
    assert (
        view.summary == f"Levels of detail: {', '.join(f'{count:,}' for count in counts)} triangles"
    )
    bpy.context.view_layer.update()
    boxes = [world_box(obj) for obj in (monkey, *made, bpy.data.objects["Cube"])]
    for number, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[number + 1 :]:
            assert (low > other_high).any() or (high < other_low).any()
    assert {round(float(low[2]), 3) for low, _ in boxes[1:3]} == {
        round(float(obj.matrix_world.translation.z + min(v.co.z for v in obj.data.vertices)), 3)
        for obj in made
    }
    assert [obj.material_slots[0].material.name for obj in made] == ["fur", "fur"]


def world_box(obj: bpy.types.Object) -> tuple[Any, Any]:
    corners = np.array([obj.matrix_world @ vertex.co for vertex in obj.data.vertices])
    return corners.min(axis=0), corners.max(axis=0)


def test_a_mesh_whose_job_was_deleted_is_still_edited(monkey: bpy.types.Object) -> None:
    monkey["image_to_mesh_job"] = "20261128-141650-dahlia-9ddb"
    assert bpy.ops.image_to_mesh.decimate() == {"FINISHED"}
    assert triangles(monkey) == pytest.approx(300, rel=0.05)
    assert monkey["image_to_mesh_job"] == "20261128-141650-dahlia-9ddb"
    with pytest.raises(RuntimeError, match="no longer in the library"):
        bpy.ops.image_to_mesh.library_versions()


def _share(obj: bpy.types.Object) -> None:
    bpy.context.scene.collection.objects.link(obj.copy())


def _add_shape_keys(obj: bpy.types.Object) -> None:
    obj.shape_key_add(name="Basis")


def _enter_edit_mode(_: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


def _empty(obj: bpy.types.Object) -> None:
    obj.data.clear_geometry()


def _sculpt_details(obj: bpy.types.Object) -> None:
    obj.modifiers.new("Details", "MULTIRES")


def _activate_camera(_: bpy.types.Object) -> None:
    bpy.context.view_layer.objects.active = bpy.data.objects["Camera"]


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_share, "shares its mesh: 2 objects"),
        (_add_shape_keys, "shape keys"),
        (_enter_edit_mode, "Object Mode"),
        (_empty, "no faces"),
        (_sculpt_details, "Multiresolution"),
        (_activate_camera, "No mesh is active"),
    ],
)
def test_what_cannot_be_edited_is_refused_in_words(
    prepare: Any, message: str, monkey: bpy.types.Object
) -> None:
    prepare(monkey)
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.image_to_mesh.decimate()
    assert versions(monkey) == []


def test_quads_do_not_drop_weights(monkey: bpy.types.Object) -> None:
    monkey.vertex_groups.new(name="head")
    with pytest.raises(RuntimeError, match="vertex groups"):
        bpy.ops.image_to_mesh.quad_remesh()


def test_a_linked_mesh_is_refused(monkey: bpy.types.Object, tmp_path: Path) -> None:
    path = str(tmp_path / "other.blend")
    bpy.data.libraries.write(path, {monkey.data})
    with bpy.data.libraries.load(path, link=True) as (source, target):
        target.meshes = source.meshes
    monkey.data = target.meshes[0]
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.image_to_mesh.clean_mesh()


def test_a_mesh_waits_while_its_object_is_edited(monkey: bpy.types.Object) -> None:
    """Swapping the mesh in Edit Mode would lose the artist's changes."""
    requests = addon_module("operators.results.edit_requests")
    periodic, jobs = addon_module("app.periodic.mesh_edits"), addon_module("jobs")
    order = requests.for_scene(bpy.context, "decimate", {"faces": 300})
    edit = jobs.mesh_edits().start(order, addon_module("scene").background_command())
    bpy.ops.object.mode_set(mode="EDIT")
    edit.thread.join(60)
    periodic.bring_results()
    assert jobs.mesh_edits().is_awaited()
    assert versions(monkey) == []
    bpy.ops.object.mode_set(mode="OBJECT")
    periodic.bring_results()
    assert not jobs.mesh_edits().is_awaited()
    assert triangles(monkey) == pytest.approx(300, rel=0.05)


def test_an_object_that_was_deleted_meanwhile_is_reported(monkey: bpy.types.Object) -> None:
    requests = addon_module("operators.results.edit_requests")
    periodic, jobs = addon_module("app.periodic.mesh_edits"), addon_module("jobs")
    order = requests.for_scene(bpy.context, "decimate", {"faces": 300})
    edit = jobs.mesh_edits().start(order, addon_module("scene").background_command())
    edit.thread.join(60)
    bpy.data.objects.remove(monkey)
    periodic.bring_results()
    assert edit.view.failure is not None
    assert "no longer in the scene" in edit.view.failure.message
    assert not order.scene.folder.exists()


def test_the_meshes_of_a_model_are_edited_together() -> None:
    root = bpy.data.objects.new("cup", None)
    bpy.context.scene.collection.objects.link(root)
    root["image_to_mesh_job"] = "20261128-141650-dahlia-9ddb"
    for number in range(2):
        bpy.ops.mesh.primitive_monkey_add(location=(3 * number, 0, 0))
        bpy.context.object.parent = root
        bpy.context.object["image_to_mesh_job"] = root["image_to_mesh_job"]
    bpy.context.view_layer.objects.active = root
    bpy.context.scene.image_to_mesh.care.faces = 600
    assert bpy.ops.image_to_mesh.decimate() == {"FINISHED"}
    assert [triangles(obj) for obj in root.children] == pytest.approx([300, 300], rel=0.05)
    with pytest.raises(RuntimeError, match="several meshes"):
        bpy.ops.image_to_mesh.quad_remesh()
    assert bpy.ops.image_to_mesh.bring_version(stored="1") == {"FINISHED"}
    assert [len(obj.data.polygons) for obj in root.children] == [500, 500]
    assert bpy.ops.image_to_mesh.forget_versions() == {"FINISHED"}
    assert [versions(obj) for obj in root.children] == [[], []]
