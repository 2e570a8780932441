# SPDX-License-Identifier: GPL-3.0-or-later
"""Update puts a new mesh into the same object, and loses nothing."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.operators.test_replace import add_relations, import_model, job, library
from blender.picture_files import write_picture

__all__ = ["library"]  # a fixture


def update(obj: bpy.types.Object, job_id: str) -> None:
    """Put a job's mesh into an object, as the end of an update does; one undo step."""
    done = bpy.ops.image_to_mesh.import_result(
        "EXEC_DEFAULT", True, job=job_id, into=obj.session_uid
    )
    assert done == {"FINISHED"}
    bpy.context.view_layer.update()


def heights(mesh: bpy.types.Mesh) -> tuple[float, float]:
    """Return the lowest and the highest Z of a mesh."""
    z = [vertex.co.z for vertex in mesh.vertices]
    return min(z), max(z)


@pytest.fixture
def picture(addon: ModuleType, library: Path, tmp_path: Path) -> bpy.types.Image:
    """The scene's image: a dark square on white, from a file."""
    pixels = np.full((48, 48, 3), 255, np.uint8)
    pixels[12:36, 12:36] = 30
    image = bpy.data.images.load(str(write_picture(tmp_path / "vase.png", pixels)))
    bpy.context.scene.image_to_mesh.image = image
    return image


def depth_of(obj: bpy.types.Object) -> float:
    """Return the depth of an object's mesh."""
    return max(v.co.y for v in obj.data.vertices) - min(v.co.y for v in obj.data.vertices)


def test_update_changes_the_mesh_and_keeps_the_object(picture: bpy.types.Image) -> None:
    bpy.ops.image_to_mesh.generate()
    vase = bpy.context.view_layer.objects.active
    first, name, mesh_name = vase["image_to_mesh_job"], vase.name, vase.data.name
    depth, before = depth_of(vase), vase.data
    objects = set(bpy.data.objects)
    settings = bpy.context.scene.image_to_mesh.local
    settings.thickness *= 2.0
    assert bpy.ops.image_to_mesh.update() == {"FINISHED"}
    assert set(bpy.data.objects) == objects
    assert (vase.name, vase.data.name) == (name, mesh_name)
    assert vase.data is not before
    assert vase["image_to_mesh_job"] != first
    assert depth_of(vase) > 1.5 * depth
    assert bpy.context.view_layer.objects.active == vase
    assert bpy.context.selected_objects == [vase]
    # It is a result of the image again, and the old mesh comes back.
    assert bpy.ops.image_to_mesh.update.poll()
    new, second = vase.data, vase["image_to_mesh_job"]
    assert list(vase["image_to_mesh_versions"].values()) == [before, ""]
    assert new.users == 1  # else its scale could not be applied
    assert before["image_to_mesh_job"] == first
    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    assert (vase.data, vase.data.name, vase["image_to_mesh_job"]) == (before, mesh_name, first)
    assert list(vase["image_to_mesh_versions"].values()) == ["", new]
    assert new["image_to_mesh_job"] == second
    assert not bpy.ops.image_to_mesh.bring_back.poll()


def test_versions_say_which_of_them_are_updates(picture: bpy.types.Image) -> None:
    names = addon_module("jobs.mesh_versions")
    bpy.ops.image_to_mesh.generate()
    vase = bpy.context.view_layer.objects.active
    bpy.context.scene.image_to_mesh.local.thickness *= 2.0
    bpy.ops.image_to_mesh.update()
    labels = [str(names.stored_label(vase, mesh)) for _, mesh in names.versions_of(vase)]
    assert re.fullmatch(r"Original, [\d,]+ faces", labels[0])
    assert re.fullmatch(r"Updated \d\d:\d\d, [\d,]+ faces", labels[1])
    vase["image_to_mesh_date"] = "unknown"
    assert re.fullmatch(r"Updated, [\d,]+ faces", str(names.stored_label(vase, vase.data)))
    bpy.ops.image_to_mesh.bring_back()
    assert str(names.stored_label(vase, vase.data)) == labels[0]


def test_update_needs_an_active_result_of_the_image(
    picture: bpy.types.Image, tmp_path: Path
) -> None:
    assert not bpy.ops.image_to_mesh.update.poll()
    bpy.ops.image_to_mesh.generate()
    assert bpy.ops.image_to_mesh.update.poll()
    other = np.full((48, 48, 3), 255, np.uint8)
    other[4:40, 20:30] = 90
    path = write_picture(tmp_path / "other.png", other)
    bpy.context.scene.image_to_mesh.image = bpy.data.images.load(str(path))
    assert not bpy.ops.image_to_mesh.update.poll()
    bpy.ops.image_to_mesh.generate()
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job")]) == 2


def test_a_script_cannot_update_an_object_in_edit_mode(picture: bpy.types.Image) -> None:
    bpy.ops.image_to_mesh.generate()
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Switch to Object Mode first"):
        bpy.ops.image_to_mesh.update()


def test_everything_that_belongs_to_the_object_stays(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    around = add_relations(cup)
    cup.vertex_groups.new(name="handle")
    cup["mine"] = 7
    world, name = cup.matrix_world.copy(), cup.name
    bpy.ops.object.select_all(action="DESELECT")
    around["child"].select_set(True)
    around["aim"].select_set(True)
    bpy.context.view_layer.objects.active = around["child"]
    update(cup, job(library, "pot", height=2.0))
    assert (cup.name, cup.matrix_world, cup["mine"]) == (name, world, 7)
    assert (cup.parent, around["child"].parent) == (around["parent"], cup)
    assert cup.users_collection == (around["shelf"],)
    assert (cup.modifiers["Doubled"].count, cup.constraints[0].target) == (3, around["aim"])
    assert set(bpy.context.selected_objects) == {around["child"], around["aim"]}
    assert bpy.context.view_layer.objects.active == around["child"]
    assert cup["image_to_mesh_job"] == "20260101-pot"
    assert not [obj for obj in bpy.data.objects if "pot" in obj.name]
    # The new model's own size: it is twice as high, and the object's scale is kept.
    assert heights(cup.data) == pytest.approx((0.0, 2.0), abs=1e-5)


def test_a_scaled_model_is_updated_at_the_same_scale(library: Path) -> None:
    placement = bpy.context.scene.image_to_mesh.placement
    placement.use_size, placement.size = True, 3.0
    cup = import_model(job(library, "cup"))
    placement.use_size = False
    update(cup, job(library, "pot", height=2.0))
    assert heights(cup.data) == pytest.approx((0.0, 6.0), abs=1e-5)
    # Applying the object's scale by hand counts as part of its size.
    cup.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.objects.active = cup
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    update(cup, job(library, "jug"))
    assert heights(cup.data) == pytest.approx((0.0, 1.5), abs=1e-5)


def test_materials_of_the_artist_stay_and_ours_are_renewed(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    clay = bpy.data.materials.new("clay")
    glaze = bpy.data.materials.new("glaze")
    update(cup, job(library, "pot"))
    assert [slot.material.name for slot in cup.material_slots] == ["pot paint"]
    cup.data.materials.append(glaze)
    cup.material_slots[0].material = clay
    update(cup, job(library, "jug"))
    assert [slot.material for slot in cup.material_slots] == [clay, glaze]
    assert "jug paint" not in bpy.data.materials
    cup.material_slots[0].link = "OBJECT"
    cup.material_slots[0].material = glaze
    update(cup, job(library, "bowl"))
    assert [(slot.link, slot.material) for slot in cup.material_slots] == [
        ("OBJECT", glaze), ("DATA", glaze),
    ]  # fmt: skip


def test_changed_materials_keep_the_changes_with_the_new_texture(
    picture: bpy.types.Image,
) -> None:
    bpy.ops.image_to_mesh.generate()
    vase = bpy.context.view_layer.objects.active
    material = vase.material_slots[0].material
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    texture = next(node for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
    old_image = texture.image
    shader.inputs["Roughness"].default_value = 0.123
    assert bpy.ops.image_to_mesh.update() == {"FINISHED"}
    renewed = vase.material_slots[0].material
    assert renewed != material
    shader, texture = (renewed.node_tree.nodes[node.name] for node in (shader, texture))
    assert shader.inputs["Roughness"].default_value == pytest.approx(0.123)
    assert texture.image is not None
    assert texture.image != old_image


def test_linked_duplicates_are_updated_together(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    before = cup.data
    twin = cup.copy()
    bpy.context.scene.collection.objects.link(twin)
    twin.location = (5.0, 0.0, 0.0)
    alone = cup.copy()
    alone.data = cup.data.copy()
    bpy.context.scene.collection.objects.link(alone)
    update(cup, job(library, "pot", height=2.0))
    assert twin.data is cup.data
    assert (twin["image_to_mesh_job"], twin.location.x) == ("20260101-pot", 5.0)
    assert (alone["image_to_mesh_job"], len(alone.data.vertices)) == ("20260101-cup", 8)
    bpy.context.view_layer.objects.active = twin
    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
    assert cup.data is twin.data is before
    assert cup["image_to_mesh_job"] == twin["image_to_mesh_job"] == "20260101-cup"


def test_a_mesh_that_was_edited_by_hand_is_kept_for_good(library: Path, tmp_path: Path) -> None:
    cup = import_model(job(library, "cup"))
    first = cup.data
    update(cup, job(library, "pot"))
    assert not first.use_fake_user  # the library has it
    cup.data.vertices[0].co.x = -7.0
    edited = cup.data
    update(cup, job(library, "jug"))
    assert edited.use_fake_user
    name = edited.name
    bpy.data.objects.remove(cup)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    assert bpy.data.meshes[name].vertices[0].co.x == -7.0


def test_an_update_is_undone_and_redone_in_one_step(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    cup.modifiers.new("Doubled", "ARRAY")
    bpy.ops.ed.undo_push(message="before")
    update(cup, job(library, "pot", height=2.0))

    def state() -> tuple[Any, ...]:
        obj = bpy.data.objects["cup"]
        return obj["image_to_mesh_job"], heights(obj.data)[1], list(obj.modifiers.keys())

    assert state() == ("20260101-pot", 2.0, ["Doubled"])
    bpy.ops.ed.undo()
    assert state() == ("20260101-cup", 1.0, ["Doubled"])
    bpy.ops.ed.redo()
    assert state() == ("20260101-pot", 2.0, ["Doubled"])


def test_without_its_object_an_update_adds_a_new_one(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    uid = cup.session_uid
    bpy.data.objects.remove(cup)
    pot = job(library, "pot")
    bpy.ops.image_to_mesh.import_result(job=pot, into=uid)
    assert bpy.context.view_layer.objects.active["image_to_mesh_job"] == pot
    # An object that only another scene has is not changed.
    jug = import_model(job(library, "jug"))
    other = bpy.data.scenes.new("other")
    bpy.context.scene.collection.objects.unlink(jug) if jug.name in (
        bpy.context.scene.collection.objects
    ) else jug.users_collection[0].objects.unlink(jug)
    other.collection.objects.link(jug)
    bpy.ops.image_to_mesh.import_result(job=pot, into=jug.session_uid)
    assert jug["image_to_mesh_job"] == "20260101-jug"


def test_an_update_whose_object_is_gone_says_so(
    picture: bpy.types.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.image_to_mesh.generate()
    events = addon_module("app.job_events")
    bring_in = events._bring_in

    def without_object(context: Any, view: Any) -> Any:
        for obj in [obj for obj in bpy.data.objects if obj.get("image_to_mesh_job")]:
            bpy.data.objects.remove(obj)
        return bring_in(context, view)

    monkeypatch.setattr(events, "_bring_in", without_object)
    assert bpy.ops.image_to_mesh.update() == {"FINISHED"}
    view = addon_module("jobs").session().views()[0]
    assert any("no longer in this scene" in note for note in view.record.notes)
    assert bpy.context.view_layer.objects.active["image_to_mesh_job"] == view.job


def test_a_model_of_several_objects_takes_the_place_of_the_old_one(library: Path) -> None:
    cup = import_model(job(library, "cup", part_count=2))
    cup.location = (1.0, 2.0, 3.0)
    update(cup, job(library, "pot", part_count=3))
    pot = bpy.context.view_layer.objects.active
    assert pot["image_to_mesh_job"] == "20260101-pot"
    assert tuple(pot.location) == (1.0, 2.0, 3.0)
    assert pot.select_get()
    assert bpy.ops.image_to_mesh.bring_back() == {"FINISHED"}
