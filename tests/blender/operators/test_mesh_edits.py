# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh edits report correct figures and add versions; the original is never changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from mathutils import Matrix

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

JOB = "2026-11-21_0001_ball"


def add_ball(radius: float = 1.0, *, segments: int = 48, flip: bool = False) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("ball")
    work = bmesh.new()
    layer = work.loops.layers.uv.new("UVMap")
    bmesh.ops.create_uvsphere(work, u_segments=segments, v_segments=segments // 2, radius=radius)
    for face in work.faces:
        face.smooth = True
        for loop in face.loops:
            loop[layer].uv = loop.vert.co.x / 2.2 + 0.5, loop.vert.co.z / 2.2 + 0.5
    if flip:
        bmesh.ops.reverse_faces(work, faces=work.faces)
    work.to_mesh(mesh)
    work.free()
    obj = bpy.data.objects.new("ball", mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def new_two_colored_material() -> bpy.types.Material:
    """Return a textured material: red on the left, blue on the right."""
    image = bpy.data.images.new("ball", 64, 64)
    pixels = np.zeros((64, 64, 4), np.float32)
    pixels[:, :32, 0] = pixels[:, 32:, 2] = pixels[..., 3] = 1.0
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    surfaces = addon_module("worker.prepare.principled")
    material: bpy.types.Material = surfaces.new_material("ball")
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    surface = surfaces.find_principled(material)
    surface.inputs["Roughness"].default_value = 0.85
    material.node_tree.links.new(node.outputs["Color"], surface.inputs["Base Color"])
    return material


def join(*objects: bpy.types.Object) -> bpy.types.Object:
    bpy.context.view_layer.update()
    for obj in objects:
        obj.select_set(True)
    bpy.context.view_layer.objects.active = objects[0]
    bpy.ops.object.join()
    return objects[0]


def is_quad_of_the_ball(face: bmesh.types.BMFace) -> bool:
    """Tell whether a face is a quad of the outer ball, not at its poles."""
    return len(face.verts) == 4 and 0.9 < face.calc_center_median().length < 1.1


@pytest.fixture
def ball(addon: ModuleType, tmp_path: Path) -> Path:
    """A prepared model: a ball with a shell inside, a crumb beside it, and a small hole."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    whole, shell, crumb = add_ball(), add_ball(0.4, segments=12), add_ball(0.005, segments=8)
    crumb.data.transform(Matrix.Translation((1.2, 0, 0)))
    whole.data.materials.append(new_two_colored_material())
    obj = join(whole, shell, crumb)
    work = bmesh.new()
    work.from_mesh(obj.data)
    # Found by its shape: joining may put the faces of the three balls in any order.
    hole = next(face for face in work.faces if is_quad_of_the_ball(face))
    bmesh.ops.delete(work, geom=[hole], context="FACES")
    work.to_mesh(obj.data)
    work.free()
    obj.data.transform(Matrix.Translation((0, 0, 1)))
    path = tmp_path / "model.blend"
    bpy.data.libraries.write(str(path), {obj})
    return path


def ignore_progress(_fraction: float, _phase: str) -> None:
    """Accept progress and do nothing with it."""


@pytest.fixture
def edit(ball: Path) -> Callable[..., dict[str, Any]]:
    def run(task: str, **asked: Any) -> dict[str, Any]:
        request = {
            "task": task,
            "name": "ball",
            "blend": str(ball),
            "output": str(ball.with_name("model-v2.blend")),
            "asked": asked,
        }
        done: dict[str, Any] = addon_module("worker.edits.run_edit").run_edit(
            request, ignore_progress
        )
        return done

    return run


def colors_seen(path: Path) -> tuple[Any, Any]:
    """Return the mean colors of the left and right half of a model's preview."""
    empty = addon_module("worker.fresh_file").open_empty_file
    empty()
    root = addon_module("worker.edits.run_edit").open_model(str(path))
    picture = addon_module("worker.prepare.preview").render_preview(root).astype(float)
    half = picture.shape[1] // 2
    left, right = picture[:, : half - 40], picture[:, half + 40 :]
    return left[left[..., 3] > 250].mean(0), right[right[..., 3] > 250].mean(0)


def test_the_mesh_report_shows_the_counts(edit: Any) -> None:
    card = edit("card")["card"]
    assert card["parts"] == 3
    assert card["inner_shells"] == 1
    assert (card["holes"], card["open_edges"]) == (1, 4)
    assert (card["non_manifold_edges"], card["flipped_faces"]) == (0, 0)
    assert not card["watertight"]
    assert card["triangles"] == sum(2 * (n // 2 - 1) * n for n in (48, 12, 8)) - 2
    assert card["size"] == pytest.approx([2.205, 2.0, 2.0], abs=1e-3)
    assert card["textures"] == [{"name": "ball", "width": 64, "height": 64}]
    assert card["uv_islands"] == 3


def test_inverted_faces_are_counted_and_flipped(edit: Any, ball: Path, addon: ModuleType) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.data.libraries.write(str(ball), {add_ball(flip=True)})
    faces = 48 * 24
    assert edit("card")["card"]["flipped_faces"] == faces
    done = edit("clean")
    assert done["card"]["flipped_faces"] == 0
    assert any(f"{faces:,}" in note for note in done["notes"])


def test_cleaning_leaves_one_closed_part(edit: Any, ball: Path) -> None:
    before = hashlib.sha256(ball.read_bytes()).digest()
    card = edit("clean", shells=True, debris=0.05, fill=64)["card"]
    assert (card["parts"], card["inner_shells"], card["holes"]) == (1, 0, 0)
    assert card["watertight"]
    assert hashlib.sha256(ball.read_bytes()).digest() == before
    left, right = colors_seen(ball.with_name("model-v2.blend"))
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]


def test_cleaning_respects_its_options(edit: Any) -> None:
    card = edit("clean", shells=False, debris=0.0, fill=0)["card"]
    assert (card["parts"], card["inner_shells"], card["holes"]) == (3, 1, 1)


def test_reducing_keeps_the_texture(edit: Any, ball: Path) -> None:
    before = colors_seen(ball)
    card = edit("decimate", faces=600)["card"]
    assert card["triangles"] == pytest.approx(600, rel=0.05)
    after = colors_seen(ball.with_name("model-v2.blend"))
    np.testing.assert_allclose(after, before, atol=12)


def test_reducing_keeps_the_border_of_two_materials(edit: Any, ball: Path) -> None:
    """A face across the border would show the wrong texture."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    obj = add_ball(segments=160)
    for name in ("above", "below"):
        obj.data.materials.append(bpy.data.materials.new(name))
    for face in obj.data.polygons:
        face.material_index = int(face.center.z < 0.0)
    bpy.data.libraries.write(str(ball), {obj})
    edit("decimate", faces=2500)
    addon_module("worker.fresh_file").open_empty_file()
    version = addon_module("worker.edits.run_edit").open_model(
        str(ball.with_name("model-v2.blend"))
    )
    assert not version.vertex_groups
    sides: dict[int, set[int]] = {}
    for face in version.data.polygons:
        for vertex in face.vertices:
            sides.setdefault(vertex, set()).add(face.material_index)
    border = [version.data.vertices[item].co.z for item, found in sides.items() if len(found) == 2]
    assert len(border) > 20
    assert max(map(abs, border)) < 0.005


def test_reducing_to_more_is_refused(edit: Any) -> None:
    with pytest.raises(addon_module("worker.refusal").Refusal, match="has only"):
        edit("decimate", faces=10_000_000)


def test_a_quad_remesh_keeps_the_texture(edit: Any, ball: Path) -> None:
    before = colors_seen(ball)
    card = edit("quads", faces=800)["card"]
    assert card["quads"] / card["faces"] >= 0.95
    assert 400 <= card["faces"] <= 1600
    assert card["watertight"]
    assert {texture["name"] for texture in card["textures"]} == {"ball base color", "ball normal"}
    addon_module("worker.fresh_file").open_empty_file()
    version = addon_module("worker.edits.run_edit").open_model(
        str(ball.with_name("model-v2.blend"))
    )
    surface = addon_module("worker.prepare.principled").find_principled(version.data.materials[0])
    assert surface.inputs["Roughness"].default_value == pytest.approx(0.85)
    after = colors_seen(ball.with_name("model-v2.blend"))
    np.testing.assert_allclose(after, before, atol=25)


def test_detail_levels_decrease_evenly(edit: Any, ball: Path) -> None:
    done = edit("levels", faces=200, levels=3)
    assert sorted(done["objects"]) == ["ball", "ball LOD0", "ball LOD1", "ball LOD2"]
    addon_module("worker.fresh_file").open_empty_file()
    root = addon_module("worker.edits.run_edit").open_model(str(ball.with_name("model-v2.blend")))
    counts = [
        addon_module("worker.edits.reduce").triangle_count(obj.data)
        for obj in sorted(root.children, key=lambda child: str(child.name))
    ]
    assert counts[0] > counts[1] > counts[2]
    assert counts[2] == pytest.approx(200, rel=0.1)
    assert [obj.hide_viewport for obj in sorted(root.children, key=lambda child: str(child.name))] \
        == [False, True, True]  # fmt: skip


def test_the_print_check_measures_the_wall(edit: Any, ball: Path) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    hollow = join(add_ball(1.0, segments=96), add_ball(0.95, segments=96, flip=True))
    bpy.data.libraries.write(str(ball), {hollow})
    measured = edit("print", print_height=100.0, wall=0.8)["card"]["print"]
    assert measured["size"] == pytest.approx([100, 100, 100], abs=0.2)
    assert measured["thinnest"] == pytest.approx(2.5, abs=0.15)
    assert measured["volume"] == pytest.approx(4 / 3 * np.pi * 5**3 * (1 - 0.95**3), rel=0.02)
    assert measured["watertight"]
    assert edit("print", print_height=100.0, wall=3.0)["card"]["print"]["printable"] is False


@pytest.fixture
def job(ball: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A finished job in an empty library; the factory scene is open."""
    library = tmp_path / "library"
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(library))
    jobs = addon_module("jobs")
    record = jobs.Record(
        id=JOB,
        state=jobs.State.READY,
        provider="local",
        name="ball",
        created="2026-11-21T00:00:01+00:00",
        mesh="model.glb",
        format="glb",
        blend="model.blend",
    )
    folder = library / JOB
    folder.mkdir(parents=True)
    (folder / "model.blend").write_bytes(ball.read_bytes())
    addon_module("jobs.disk.signatures").mark_file(folder / "model.blend")
    (folder / "model.glb").write_bytes(b"glTF")
    jobs.Library(library).save(record)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    return folder


def test_a_version_takes_the_place_of_the_original(job: Path) -> None:
    original = (job / "model.blend").read_bytes()
    scene = bpy.context.scene
    scene.image_to_mesh.placement.use_size = True
    scene.image_to_mesh.placement.size = 4.0
    scene.cursor.location = (1, 2, 3)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    first = bpy.context.view_layer.objects.active
    first.rotation_euler.z = 0.5
    bpy.context.view_layer.update()
    before, size = first.matrix_world.copy(), first.dimensions.copy()
    scene.image_to_mesh.care.faces = 500
    assert bpy.ops.image_to_mesh.decimate() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == first
    assert first["image_to_mesh_version"] == "model-v2.blend"
    assert [obj for obj in bpy.data.objects if "image_to_mesh_job" in obj] == [first]
    bpy.context.view_layer.update()
    np.testing.assert_allclose(first.matrix_world, before, atol=1e-5)
    np.testing.assert_allclose(first.dimensions, size, atol=0.05)
    assert (job / "model.blend").read_bytes() == original
    listed = json.loads((job / "versions.json").read_text("utf-8"))
    assert [item["file"] for item in listed] == ["model-v2.blend"]
    assert listed[0]["made_by"] == "decimate"
    assert listed[0]["card"]["triangles"] == pytest.approx(500, rel=0.05)


def test_a_version_of_a_version_has_the_next_number(job: Path) -> None:
    bpy.context.scene.image_to_mesh.care.faces = 500
    bpy.ops.image_to_mesh.decimate(job=JOB)
    bpy.ops.image_to_mesh.clean_mesh()
    assert sorted(path.name for path in job.glob("model*.blend")) == [
        "model-v2.blend", "model-v3.blend", "model.blend"]  # fmt: skip
    versions_found = addon_module("jobs.library.versions").versions(job)
    assert [name.source for name in versions_found] == ["", "model.blend", "model-v2.blend"]


def test_reports_create_no_version(job: Path) -> None:
    bpy.ops.image_to_mesh.health_card(job=JOB)
    bpy.ops.image_to_mesh.print_check(job=JOB)
    assert not list(job.glob("model-v*"))
    card = addon_module("jobs.tasks.mesh_edits").mesh_edits().card(JOB)
    assert card["parts"] == 3
    assert card["print"]["size"][2] == pytest.approx(2000, abs=1)


def test_a_failed_edit_is_reported_and_leaves_no_version(job: Path) -> None:
    bpy.context.scene.image_to_mesh.care.faces = 10_000_000
    with pytest.raises(RuntimeError, match="has only"):
        bpy.ops.image_to_mesh.decimate(job=JOB)
    assert not list(job.glob("*v2*"))
    with pytest.raises(RuntimeError, match="no version"):
        bpy.ops.image_to_mesh.decimate(job=JOB, version="../../etc/passwd")


def test_a_mesh_edit_can_be_stopped(job: Path) -> None:
    mesh_edits, request = (
        addon_module("jobs.tasks.mesh_edits"),
        addon_module("jobs.tasks.mesh_edits").EditRequest,
    )
    begun = mesh_edits.mesh_edits().start(
        request(JOB, "ball", job, "quads", asked={"faces": 50_000}),
        addon_module("scene").background_command(),
    )
    with pytest.raises(addon_module("providers").LibraryProblem):
        mesh_edits.mesh_edits().start(request(JOB, "ball", job, "card"), ())
    assert mesh_edits.mesh_edits().stop(JOB)
    begun.thread.join(30)
    assert begun.view.over
    assert begun.view.phase == "Canceled"
    assert not list(job.glob("*v2*"))
