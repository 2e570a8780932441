# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cleanup step of an import works, and can be switched off."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import read_picture
from blender.worker.prepare.test_prepare import (
    FACES,
    PYRAMID,
    ignore_progress,
    split_at_every_face,
    write_glb,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

RED, GREEN = (255, 0, 0, 255), (0, 255, 0, 255)


@pytest.fixture
def prepare(addon: ModuleType, tmp_path: Path) -> Callable[..., list[bpy.types.Object]]:
    """Return a function that prepares a mesh file and appends its objects to an empty file."""

    def run(mesh: Path, **options: Any) -> list[bpy.types.Object]:
        request = {
            "mesh": str(mesh),
            "name": "photo",
            "output": str(tmp_path / "model.blend"),
            "mending": options,
        }
        addon_module("worker.prepare.build_model").prepare_model(request, ignore_progress)
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        with bpy.data.libraries.load(request["output"], link=False) as (there, here):
            here.objects = there.objects
        for obj in here.objects:
            bpy.context.scene.collection.objects.link(obj)
        bpy.context.view_layer.update()
        return sorted(here.objects, key=lambda obj: obj.parent is not None)

    return run


@pytest.fixture
def colored(tmp_path: Path) -> Path:
    """A GLB with vertex colors only, as TripoSR writes it: red on the left, green on the right."""
    left = PYRAMID[:, :1] < 0
    middle = np.where(PYRAMID[:, :1] == 0, RED, GREEN)
    colors = np.where(left, RED, middle).astype(np.uint8)
    return write_glb(
        tmp_path / "mesh.glb", {"POSITION": PYRAMID, "COLOR_0": colors, "indices": FACES}
    )


def render_front(path: Path) -> Any:
    """Render the scene from the front in even white light; return the pixels."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.resolution_x = scene.render.resolution_y = 48
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath, scene.render.image_settings.file_format = str(path), "PNG"
    world = bpy.data.worlds.new("white")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    scene.world = world
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 3.0
    camera.location, camera.rotation_euler = (0, -9, 1), (np.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.ops.render.render(write_still=True)
    return read_picture(path).astype(int)


def halves(pixels: Any) -> tuple[Any, Any]:
    """Return the mean opaque colors left and right of the middle."""
    sides = pixels[20:30, 9:13], pixels[20:30, 35:39]
    left, right = (side[side[..., 3] == 255].mean(0) for side in sides)
    return left, right


@pytest.mark.parametrize("colors", ["wired", "baked"])
def test_vertex_colors_are_rendered(
    colors: str, prepare: Any, colored: Path, tmp_path: Path
) -> None:
    (obj,) = prepare(colored, colors=colors)
    left, right = halves(render_front(tmp_path / "render.png"))
    assert left[0] > 2 * left[1], "red on the left"
    assert right[1] > 1.5 * right[0], "green on the right"
    images = [node for node in obj.data.materials[0].node_tree.nodes if node.type == "TEX_IMAGE"]
    assert bool(images) == (colors == "baked")
    for node in images:
        assert (node.image.name, bool(node.image.packed_file)) == ("photo", True)
        assert obj.data.uv_layers


def test_vertex_colors_can_be_kept_as_attributes(prepare: Any, colored: Path) -> None:
    (obj,) = prepare(colored, colors="kept")
    assert obj.data.color_attributes
    assert not [image for image in bpy.data.images if image.packed_file]


def surface(obj: bpy.types.Object) -> Any:
    return addon_module("worker.prepare.principled").find_principled(obj.data.materials[0])


def write_painted(path: Path, **factors: float) -> Path:
    """Export a textured GLB with these factors of its material, such as `metallic`."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    cube = bpy.data.objects["Cube"]
    material = addon_module("worker.prepare.principled").new_material("paint")
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.new("paint", 64, 32)
    node.image.pack()
    principled = addon_module("worker.prepare.principled").find_principled(material)
    material.node_tree.links.new(node.outputs["Color"], principled.inputs["Base Color"])
    for name, value in factors.items():
        principled.inputs[name.capitalize()].default_value = value
    cube.data.materials.clear()
    cube.data.materials.append(material)
    bpy.ops.export_scene.gltf(filepath=str(path), use_selection=False)
    return path


def test_a_textured_surface_is_not_metallic(prepare: Any, tmp_path: Path) -> None:
    glb = write_painted(tmp_path / "mesh.glb", metallic=1.0, roughness=0.0)
    (obj,) = prepare(glb)
    assert surface(obj).inputs["Metallic"].default_value == 0.0
    assert surface(obj).inputs["Roughness"].default_value == 0.0
    (obj,) = prepare(glb, metals=False)
    assert surface(obj).inputs["Metallic"].default_value == 1.0


@pytest.mark.parametrize(("limit", "sides"), [(0, (64, 32)), (16, (16, 8)), (512, (64, 32))])
def test_textures_are_scaled_down_to_the_limit(
    limit: int, sides: tuple[int, int], prepare: Any, tmp_path: Path
) -> None:
    (obj,) = prepare(write_painted(tmp_path / "mesh.glb"), texture_limit=limit)
    image = surface(obj).inputs["Base Color"].links[0].from_node.image
    assert tuple(image.size) == sides
    assert image.packed_file


def volume(obj: bpy.types.Object) -> float:
    return float(addon_module("worker.edits.print_check")._volume(obj))


def test_inverted_meshes_are_flipped(prepare: Any, tmp_path: Path) -> None:
    inward = write_glb(tmp_path / "m.glb", {"POSITION": PYRAMID, "indices": FACES[:, ::-1].copy()})
    assert volume(prepare(inward)[0]) == pytest.approx(4)
    assert volume(prepare(inward, outward=False)[0]) == pytest.approx(-4)


def test_an_inverted_part_and_single_faces_are_flipped(prepare: Any, tmp_path: Path) -> None:
    broken = FACES.copy()
    broken[2] = broken[2, ::-1]
    arrays: dict[str, Any] = {
        "POSITION": np.concatenate((PYRAMID, PYRAMID + (5, 0, 0), PYRAMID + (10, 0, 0))).astype(
            np.float32
        ),
        "indices": np.concatenate((FACES, FACES[:, ::-1] + 5, broken + 10)).astype(np.uint16),
    }
    assert volume(prepare(write_glb(tmp_path / "m.glb", arrays))[0]) == pytest.approx(12, rel=1e-4)


def test_an_open_sheet_is_left_as_it_is(prepare: Any, tmp_path: Path) -> None:
    sheet: dict[str, Any] = {"POSITION": PYRAMID, "indices": FACES[4:]}
    (obj,) = prepare(write_glb(tmp_path / "m.glb", sheet))
    assert all(face.normal.y > 0.9 for face in obj.data.polygons)


def test_merging_by_distance_can_be_switched_off(prepare: Any, tmp_path: Path) -> None:
    glb = write_glb(tmp_path / "mesh.glb", split_at_every_face())
    assert len(prepare(glb)[0].data.vertices) == 5
    assert len(prepare(glb, weld=False)[0].data.vertices) == 18


def test_normals_are_kept_or_set_by_angle(prepare: Any, tmp_path: Path) -> None:
    glb = write_glb(tmp_path / "mesh.glb", {"POSITION": PYRAMID, "indices": FACES})

    def sharpness(**options: Any) -> tuple[int, int]:
        mesh = prepare(glb, **options)[0].data
        flat = sum(not face.use_smooth for face in mesh.polygons)
        return flat, sum(edge.use_edge_sharp for edge in mesh.edges)

    assert sharpness(normals="keep")[0] == 6
    assert sharpness(normals="angle", angle=3.1) == (0, 0)
    flat, edges = sharpness(normals="angle", angle=0.1)
    assert (flat, edges) == (0, 8)


@pytest.fixture
def untidy_file(tmp_path: Path) -> Path:
    """A mesh under a rotated and scaled empty, with a camera beside it."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    cube = bpy.data.objects["Cube"]
    top = bpy.data.objects.new("node_12", None)
    bpy.context.scene.collection.objects.link(top)
    top.location, top.rotation_euler, top.scale = (5, 6, 7), (0, 0, np.pi / 4), (1, 1, 3)
    cube.parent = top
    path = tmp_path / "mesh.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_cameras=True)
    return path


def bounds(objects: list[bpy.types.Object]) -> Any:
    points = np.array([obj.matrix_world @ vertex.co for obj in objects
                       if obj.type == "MESH" for vertex in obj.data.vertices])  # fmt: skip
    return np.array((points.min(0), points.max(0)))


BOX = ((-(2**0.5), -(2**0.5), 0), (2**0.5, 2**0.5, 6))


def test_the_default_leaves_one_mesh_with_applied_transforms(
    prepare: Any, untidy_file: Path
) -> None:
    objects = prepare(untidy_file)
    assert [obj.type for obj in objects] == ["MESH"]
    np.testing.assert_allclose(objects[0].matrix_world, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(bounds(objects), BOX, atol=1e-5)


def test_transforms_can_be_left_unapplied(prepare: Any, untidy_file: Path) -> None:
    root, obj = prepare(untidy_file, apply_transforms=False)
    assert (root.type, obj.type, obj.parent) == ("EMPTY", "MESH", root)
    np.testing.assert_allclose(obj.matrix_world.to_scale(), (1, 1, 3), atol=1e-5)
    np.testing.assert_allclose(bounds([obj]), BOX, atol=1e-5)
    np.testing.assert_allclose(root.matrix_world, np.eye(4), atol=1e-6)


def test_the_hierarchy_of_the_file_can_be_kept(prepare: Any, untidy_file: Path) -> None:
    objects = prepare(untidy_file, tidy=False)
    kinds = sorted(obj.type for obj in objects)
    assert kinds == ["CAMERA", "EMPTY", "EMPTY", "MESH"]
    mesh = next(obj for obj in objects if obj.type == "MESH")
    assert mesh.parent.parent == objects[0]
    assert sum(obj.parent is None for obj in objects) == 1
    np.testing.assert_allclose(bounds([mesh]), BOX, atol=1e-5)
    assert all(obj.name.startswith("photo") for obj in objects)


def test_cleanup_options_of_the_scene_match_the_worker(addon: ModuleType) -> None:
    requested = addon_module("state.import_options").cleanup_options(bpy.context.scene)
    choices = addon_module("worker.import_options")
    assert requested.pop("angle") == pytest.approx(choices.ImportOptions().angle)
    usual = asdict(choices.ImportOptions())
    usual.pop("angle")
    assert requested == usual


def test_invalid_cleanup_options_fall_back_to_the_default(addon: ModuleType) -> None:
    choices = addon_module("worker.import_options")
    assert choices.read_import_options(None) == choices.ImportOptions()
    assert (
        choices.read_import_options({"weld": "yes", "what": 1, "texture_limit": 2.5})
        == choices.ImportOptions()
    )
    assert choices.read_import_options({"angle": 1, "weld": False}) == choices.ImportOptions(
        angle=1, weld=False
    )


def test_the_model_is_complete_before_its_preview_is_drawn(
    addon: ModuleType, colored: Path, tmp_path: Path
) -> None:
    reports = []

    def report(_fraction: float, phase: str) -> None:
        model, preview = tmp_path / "model.blend", tmp_path / "preview.png"
        reports.append((phase, model.is_file(), preview.is_file()))

    request = {
        "mesh": str(colored), "name": "photo", "output": str(tmp_path / "model.blend"),
        "preview": str(tmp_path / "preview.png"), "render_preview": True,
    }  # fmt: skip
    addon_module("worker.prepare.build_model").prepare_model(request, report)
    assert reports[-1] == (addon_module("jobs.steps.prepare").DRAWING, True, False)
    with bpy.data.libraries.load(str(tmp_path / "model.blend"), assets_only=True) as (there, _):
        assert there.objects == ["photo"]


def test_vertices_with_the_same_hash_are_distinguished(addon: ModuleType, monkeypatch: Any) -> None:
    merging = addon_module("worker.mesh.merge_vertices")
    points = np.random.default_rng(3).integers(-2, 3, (4000, 3)).astype(np.float32)
    _, places = np.unique(points, axis=0, return_inverse=True)
    first = np.full(places.max() + 1, len(points))
    np.minimum.at(first, places.reshape(-1), np.arange(len(points)))
    expected = first[places.reshape(-1)]
    assert (merging._first_at_position(points) == expected).all()
    by_key, few = merging._sort_hashes, np.uint64(7 << 61)
    monkeypatch.setattr(merging, "_sort_hashes", lambda hashed: by_key(hashed & few))
    assert (merging._first_at_position(points) == expected).all()


def with_normals(path: Path, normals: Any, node: Any = None, **more: Any) -> Path:
    return write_glb(path, {**split_at_every_face(), "NORMAL": normals, **more}, **(node or {}))


def flat_normals() -> Any:
    """Return the face normal for each corner of a pyramid whose faces share no vertices."""
    corner = split_at_every_face()["POSITION"].reshape(-1, 3, 3)
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return np.repeat(across, 3, axis=0).astype(np.float32)


@pytest.fixture
def normals_carried(addon: ModuleType, monkeypatch: Any) -> list[bool]:
    """Record for each merged mesh whether its normals were carried along as plain values."""
    merging, reports = addon_module("worker.mesh.merge_vertices"), []
    pop_normals = merging.pop_normals

    def pop_and_note(mesh: bpy.types.Mesh) -> Any:
        normals = pop_normals(mesh)
        reports.append(normals is not None)
        return normals

    monkeypatch.setattr(merging, "pop_normals", pop_and_note)
    return reports


def test_custom_normals_of_a_file_are_kept(
    prepare: Any, normals_carried: list[bool], tmp_path: Path
) -> None:
    leaning = flat_normals() + (0.0, 0.5, 0.0)
    leaning /= np.linalg.norm(leaning, axis=1, keepdims=True)
    (obj,) = prepare(with_normals(tmp_path / "m.glb", leaning.astype(np.float32)), normals="keep")
    assert normals_carried == [True]
    mesh = obj.data
    assert len(mesh.vertices) == 5
    assert mesh.has_custom_normals
    assert not [attribute.name for attribute in mesh.attributes if attribute.name.startswith("_")]
    normals_found = [tuple(normal.vector) for normal in mesh.corner_normals]
    expected = [(x, -z, y) for x, y, z in leaning]
    assert np.allclose(normals_found, expected, atol=1e-3)


def test_flat_faces_are_marked_sharp_and_lose_their_custom_normals(
    prepare: Any, normals_carried: list[bool], tmp_path: Path
) -> None:
    (obj,) = prepare(with_normals(tmp_path / "m.glb", flat_normals()), normals="keep")
    assert normals_carried == [True]
    assert not obj.data.has_custom_normals
    assert not any(face.use_smooth for face in obj.data.polygons)


def test_invalid_normals_are_replaced_by_blenders_own(
    prepare: Any, normals_carried: list[bool], tmp_path: Path
) -> None:
    def corner_normals(first: float) -> Any:
        broken = flat_normals() + np.float32(0.3)
        broken[0], broken[4] = first, 0.0
        (obj,) = prepare(with_normals(tmp_path / "m.glb", broken), normals="keep")
        return np.array([normal.vector for normal in obj.data.corner_normals])

    unknown, zero = corner_normals(np.nan), corner_normals(0.0)
    assert normals_carried == [True, True]
    assert np.allclose(unknown, zero, atol=1e-3)
    assert np.allclose(np.linalg.norm(unknown, axis=1), 1.0, atol=1e-3)


def test_meshes_with_other_attributes_use_blenders_own_merge(
    prepare: Any, normals_carried: list[bool], tmp_path: Path
) -> None:
    weights = np.ones((18, 1), np.float32)
    (obj,) = prepare(with_normals(tmp_path / "m.glb", flat_normals(), _WEIGHT=weights))
    assert normals_carried == [False]
    assert len(obj.data.vertices) == 5
    prepare(with_normals(tmp_path / "n.glb", flat_normals()), weld=False)
    assert normals_carried == [False]


@pytest.mark.parametrize(
    ("rotation", "scale"),
    [((0, 0, 0, 1), (-1, 1, 1)), ((0.5, 0.5, 0.5, 0.5), (-1, 2, 1)), ((0, 0, 0, 1), (3, 1, 0.5))],
)
def test_custom_normals_rotate_with_the_mesh(
    rotation: Any, scale: Any, prepare: Any, normals_carried: list[bool], tmp_path: Path
) -> None:
    leaning = flat_normals() + (0.0, 0.4, 0.2)
    leaning = (leaning / np.linalg.norm(leaning, axis=1, keepdims=True)).astype(np.float32)
    path = with_normals(tmp_path / "m.glb", leaning, node={"rotation": rotation, "scale": scale})
    (obj,) = prepare(path, normals="keep", outward=False)
    assert normals_carried == [True]
    # (0.5, 0.5, 0.5, 0.5) takes x to y, y to z, z to x.
    axes = np.eye(3) if rotation[3] == 1 else np.eye(3)[[2, 0, 1]]
    expected = leaning / np.array(scale) @ axes.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    upright = expected[:, (0, 2, 1)] * (1, -1, 1)
    normals_found = np.array([normal.vector for normal in obj.data.corner_normals])
    for face in range(6):  # A mirrored face has its corners in reverse order.
        here = slice(face * 3, face * 3 + 3)
        assert np.allclose(np.sort(normals_found[here], 0), np.sort(upright[here], 0), atol=2e-3)
