# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files of all formats become one tidy, self-contained model."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import pytest
from blender.picture_files import read_picture, write_picture
from mathutils import Vector
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# A pyramid whose tip points to glTF's front, +Z: four corners and the tip.
PYRAMID = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0), (0, 0, 3)], np.float32)
FACES = np.array([(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4), (0, 2, 1), (0, 3, 2)], np.uint16)


Arrays = dict[str, NDArray[Any]]


def ignore_progress(_fraction: float, _phase: str) -> None:
    """Accept progress and do nothing with it."""


def write_glb(path: Path, arrays: Arrays, **node: Any) -> Path:
    """Write a GLB of one mesh: every array is an attribute, except `indices`, the triangles."""
    views, accessors, blob = [], [], b""
    kinds = {np.dtype(np.float32): 5126, np.dtype(np.uint8): 5121, np.dtype(np.uint16): 5123}
    for values in arrays.values():
        data = np.ascontiguousarray(values).tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        flat = values.reshape(-1) if values is arrays["indices"] else values
        accessor: dict[str, Any] = {
            "bufferView": len(views) - 1,
            "componentType": kinds[values.dtype],
            "count": len(flat),
            "type": {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[
                1 if flat.ndim == 1 else flat.shape[1]
            ],
        }
        if values.dtype == np.uint8:
            accessor["normalized"] = True
        accessors.append(accessor)
        blob += data + bytes(-len(data) % 4)
    names = list(arrays)
    at = {name: number for number, name in enumerate(names)}
    accessors[at["POSITION"]] |= {
        "min": arrays["POSITION"].min(0).tolist(),
        "max": arrays["POSITION"].max(0).tolist(),
    }
    primitive = {
        "attributes": {name: at[name] for name in names if name != "indices"},
        "indices": at["indices"],
    }
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "geometry_0", **node}],
        "meshes": [{"primitives": [primitive], "name": "geometry_0"}],
        "buffers": [{"byteLength": len(blob)}],
        "bufferViews": views,
        "accessors": accessors,
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    size = 12 + 8 + len(text) + 8 + len(blob)
    head = struct.pack("<4sII", b"glTF", 2, size)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    path.write_bytes(head + chunks + struct.pack("<I4s", len(blob), b"BIN\0") + blob)
    return path


@pytest.fixture
def prepare(worker_module: Callable[[str], ModuleType], tmp_path: Path) -> Any:
    """Return a function that prepares a mesh and returns the answer and the appended objects."""

    def run(
        mesh: Path, name: str = "photo", *, render: bool = True
    ) -> tuple[dict[str, Any], list[bpy.types.Object]]:
        request = {
            "mesh": str(mesh),
            "name": name,
            "output": str(tmp_path / "model.blend"),
            "preview": str(tmp_path / "preview.png"),
            "render_preview": render,
        }
        done = worker_module("prepare.build_model").prepare_model(request, ignore_progress)
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        with bpy.data.libraries.load(request["output"], link=False) as (there, here):
            here.objects = there.objects
        for obj in here.objects:
            bpy.context.scene.collection.objects.link(obj)
        bpy.context.view_layer.update()
        return done, list(here.objects)

    return run


def open_edges(mesh: bpy.types.Mesh) -> int:
    """Count the edges that do not have exactly two faces."""
    work = bmesh.new()
    work.from_mesh(mesh)
    try:
        return sum(not edge.is_manifold for edge in work.edges)
    finally:
        work.free()


def base_color_source(obj: bpy.types.Object) -> Any:
    nodes = obj.data.materials[0].node_tree.nodes
    socket = next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Base Color"]
    return socket.links[0].from_node if socket.is_linked else None


def split_at_every_face() -> Arrays:
    """Return the pyramid as exporters write it: faces share no vertices."""
    return {
        "POSITION": PYRAMID[FACES].reshape(-1, 3),
        "TEXCOORD_0": np.random.default_rng(1).random((18, 2), np.float32),
        "indices": np.arange(18, dtype=np.uint16),
    }


def test_vertices_split_by_the_exporter_are_merged(prepare: Any, tmp_path: Path) -> None:
    arrays = split_at_every_face()
    done, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", arrays))
    assert (len(obj.data.vertices), len(obj.data.polygons)) == (5, 6)
    assert done["faces"] == 6
    assert open_edges(obj.data) == 0
    uv = np.empty(36, np.float32)
    obj.data.uv_layers[0].uv.foreach_get("vector", uv)
    expected = arrays["TEXCOORD_0"] * (1, -1) + (0, 1)
    np.testing.assert_allclose(uv.reshape(-1, 2), expected, atol=1e-6)


def test_a_prepared_model_stands_on_the_ground_facing_front(prepare: Any, tmp_path: Path) -> None:
    moved = {"POSITION": PYRAMID + np.array((7, 5, 3), np.float32), "indices": FACES}
    done, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", moved, scale=[2, 2, 2]))
    assert obj.rotation_mode == "XYZ"
    corners = np.array([obj.matrix_world @ vertex.co for vertex in obj.data.vertices])
    np.testing.assert_allclose(corners.min(0), (-2, -3, 0), atol=1e-5)
    np.testing.assert_allclose(corners.max(0), (2, 3, 4), atol=1e-5)
    tip = corners[corners[:, 1].argmin()]
    np.testing.assert_allclose(tip, (0, -3, 2), atol=1e-5)
    assert done["height"] == pytest.approx(4)
    assert obj.location == Vector()
    assert obj.scale == Vector((1, 1, 1))


def test_a_mirrored_node_keeps_its_faces_outward(prepare: Any, tmp_path: Path) -> None:
    glb = write_glb(tmp_path / "m.glb", {"POSITION": PYRAMID, "indices": FACES}, scale=[-1, 1, 1])
    _, (obj,) = prepare(glb)
    work = bmesh.new()
    work.from_mesh(obj.data)
    assert work.calc_volume(signed=True) == pytest.approx(4)
    work.free()


def test_vertex_colors_feed_the_base_color(prepare: Any, tmp_path: Path) -> None:
    red = np.tile(np.array((255, 0, 0, 255), np.uint8), (5, 1))
    arrays: Arrays = {"POSITION": PYRAMID, "COLOR_0": red, "indices": FACES}
    _, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", arrays))
    source = base_color_source(obj)
    assert source is not None
    assert source.type == "VERTEX_COLOR"
    assert source.layer_name == obj.data.color_attributes[0].name
    preview = read_picture(tmp_path / "preview.png")
    red, green, blue, _ = preview[preview[..., 3] == 255].mean(0)
    assert red > 100
    assert max(green, blue) < red / 2  # the sheen is white


def test_vertex_colors_survive_merging(prepare: Any, tmp_path: Path) -> None:
    colors = np.full((18, 4), 255, np.uint8)
    colors[:, 1] = np.arange(18) * 10
    arrays = {**split_at_every_face(), "COLOR_0": colors}
    _, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", arrays))
    attribute = obj.data.color_attributes[0]
    assert attribute.domain == "CORNER"
    linear = [item.color[1] for item in attribute.data]
    np.testing.assert_allclose(linear, colors[:, 1] / 255, atol=0.01)


def test_faces_without_normals_are_smooth_except_at_sharp_edges(
    prepare: Any, tmp_path: Path
) -> None:
    _, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", {"POSITION": PYRAMID, "indices": FACES}))
    assert all(face.use_smooth for face in obj.data.polygons)
    assert any(edge.use_edge_sharp for edge in obj.data.edges)


def test_back_to_back_faces_stay_separate(prepare: Any, tmp_path: Path) -> None:
    triangle = PYRAMID[[0, 1, 4]]
    arrays = {
        "POSITION": np.concatenate((triangle, triangle)),
        "indices": np.array((0, 1, 2, 5, 4, 3), np.uint16),
    }
    done, (obj,) = prepare(write_glb(tmp_path / "mesh.glb", arrays))
    assert done["faces"] == 2
    assert len(obj.data.vertices) == 6


def make_bar(
    worker_module: Callable[[str], ModuleType], folder: Path, side: int, shape: str
) -> Any:
    """Write `mesh.glb` of a bar in an image of `side` pixels with the built-in provider."""
    from bl_ext.user_default.image_to_mesh.providers.local import LocalSettings

    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[side // 10 : -side // 10, side * 3 // 10 : -side * 3 // 10] = (10, 200, 90, 255)
    write_picture(folder / "bar.png", pixels)
    request = {
        "recipe": "local",
        "picture": str(folder / "bar.png"),
        "name": "bar",
        "settings": asdict(LocalSettings(face_count=3000, shape=shape)),
        "output": str(folder / "mesh.glb"),
    }
    return worker_module("make").make_mesh(request, ignore_progress)


@pytest.mark.parametrize(("side", "shown"), [(128, "Closest"), (129, "Linear")])
def test_the_pixels_of_small_images_stay_sharp(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path, side: int, shown: str
) -> None:
    make_bar(worker_module, tmp_path, side, "inflate")
    _, (obj,) = prepare(tmp_path / "mesh.glb", "bar")
    assert base_color_source(obj).interpolation == shown


@pytest.mark.parametrize("shape", ["inflate", "spin"])
def test_the_built_in_mesh_is_watertight(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path, shape: str
) -> None:
    made = make_bar(worker_module, tmp_path, 200, shape)
    done, (obj,) = prepare(tmp_path / "mesh.glb", "bar")
    assert made["faces"] == done["faces"]
    assert open_edges(obj.data) == 0
    assert not obj.data.has_custom_normals
    assert (obj.name, obj.data.name, obj.data.materials[0].name) == ("bar",) * 3
    image = base_color_source(obj).image
    assert image.name == "bar"
    assert image.packed_file
    assert min(image.size) > 0
    low = [min(corner[axis] for corner in obj.bound_box) for axis in range(3)]
    high = [max(corner[axis] for corner in obj.bound_box) for axis in range(3)]
    assert low[2] == pytest.approx(0)
    assert high[2] == pytest.approx(1, abs=1e-4)
    assert low[0] == pytest.approx(-high[0], abs=1e-4)


@pytest.fixture
def two_meshes(tmp_path: Path) -> Path:
    """Two meshes under nested, scaled empties, with a camera, a lamp and a second scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    cube = bpy.data.objects["Cube"]
    top = bpy.data.objects.new("armature root", None)
    inner = bpy.data.objects.new("node_12", None)
    bpy.context.scene.collection.objects.link(top)
    bpy.context.scene.collection.objects.link(inner)
    inner.parent, inner.scale = top, (0.5, 0.5, 0.5)
    top.location = (10, 0, 0)
    other = cube.copy()
    bpy.context.scene.collection.objects.link(other)
    cube.parent = other.parent = inner
    other.location = (0, 0, 4)
    bpy.data.scenes.new("another")
    path = tmp_path / "several.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_cameras=True, export_lights=True)
    return path


def test_several_meshes_stand_under_one_empty(two_meshes: Path, prepare: Any) -> None:
    done, objects = prepare(two_meshes, "robot")
    assert sorted(obj.name for obj in objects) == ["robot", "robot 1", "robot 2"]
    root = next(obj for obj in objects if obj.name == "robot")
    assert root.type == "EMPTY"
    assert done["root"] == done["objects"][0] == "robot"
    assert {obj.parent for obj in objects} == {None, root}
    meshes = [obj for obj in objects if obj.type == "MESH"]
    assert meshes[0].data != meshes[1].data
    corners = np.array(
        [mesh.matrix_world @ vertex.co for mesh in meshes for vertex in mesh.data.vertices]
    )
    np.testing.assert_allclose(corners.min(0), (-0.5, -0.5, 0), atol=1e-5)
    np.testing.assert_allclose(corners.max(0), (0.5, 0.5, 3), atol=1e-5)
    assert done["faces"] == 24
    assert done["height"] == pytest.approx(3)
    assert not bpy.data.cameras
    assert not bpy.data.lights


def test_the_model_file_holds_only_the_model(
    two_meshes: Path, prepare: Any, tmp_path: Path
) -> None:
    prepare(two_meshes)
    with bpy.data.libraries.load(str(tmp_path / "model.blend")) as (there, _):
        assert not any((there.scenes, there.worlds, there.collections, there.cameras, there.lights))
        assert len(there.objects) == 3
        assert len(there.meshes) == 2


@pytest.mark.parametrize("suffix", ["fbx", "obj"])
def test_other_formats_use_blenders_importers(suffix: str, prepare: Any, tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cone_add(location=(3, 4, 5))
    for obj in list(bpy.data.objects):
        obj.select_set(obj == bpy.context.object)
    path = str(tmp_path / f"cone.{suffix}")
    if suffix == "fbx":
        bpy.ops.export_scene.fbx(filepath=path, use_selection=True)
    else:
        bpy.ops.wm.obj_export(filepath=path, export_selected_objects=True)
    disguised = Path(path).rename(tmp_path / "mesh.glb")
    done, (obj,) = prepare(disguised, "cone")
    assert obj.name == "cone"
    assert open_edges(obj.data) == 0
    assert done["height"] == pytest.approx(2, abs=1e-4)
    assert min(corner[2] for corner in obj.bound_box) == pytest.approx(0, abs=1e-4)
    top = max(obj.data.vertices, key=lambda vertex: vertex.co.z)
    assert top.co.xy.length < 1e-4


def test_textures_outside_of_the_files_folder_are_not_imported(
    prepare: Any, tmp_path: Path
) -> None:
    write_picture(tmp_path / "private.png", np.full((4, 4, 3), 9, np.uint8))
    job = tmp_path / "job"
    job.mkdir()
    (job / "mesh.mtl").write_text("newmtl a\nmap_Kd ../private.png\n")
    triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"
    (job / "mesh.obj").write_text(f"mtllib mesh.mtl\nusemtl a\n{triangle}")
    done, _ = prepare(job / "mesh.obj")
    assert not [image for image in bpy.data.images if image.packed_file]
    assert len(done["notes"]) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>no</html>",
        b"glTF\2\0\0\0\x0c\0\0\0",
        b"Kaydara FBX Binary  \0\x1a\0 and no more",
    ],
)
def test_a_file_that_is_not_a_mesh_is_refused(
    content: bytes, worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(content)
    with pytest.raises(worker_module("refusal").Refusal) as caught:
        prepare(path)
    assert caught.value.kind == "bad_mesh"
    assert not (tmp_path / "model.blend").exists()


def test_a_file_without_faces_is_refused(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    (tmp_path / "mesh.obj").write_text("v 0 0 0\nv 1 0 0\n")
    with pytest.raises(worker_module("refusal").Refusal, match="no faces"):
        prepare(tmp_path / "mesh.obj")


@pytest.mark.parametrize("content", ["webp", "broken"])
def test_a_preview_from_the_service_becomes_png_and_a_broken_one_is_replaced(
    prepare: Any, tmp_path: Path, content: str
) -> None:
    preview = tmp_path / "preview.png"
    preview.write_bytes(b"no picture at all")
    if content == "webp":
        image = bpy.data.images.new("preview", 900, 600)
        image.generated_color = (0.0, 0.0, 1.0, 1.0)
        bpy.context.scene.view_settings.view_transform = "Standard"
        bpy.context.scene.render.image_settings.file_format = "WEBP"
        image.save_render(str(preview))
        bpy.data.images.remove(image)
        assert preview.read_bytes()[:4] == b"RIFF"
    mesh = write_glb(tmp_path / "mesh.glb", {"POSITION": PYRAMID, "indices": FACES})
    _, (root,) = prepare(mesh, render=False)
    assert preview.read_bytes()[:4] == b"\x89PNG"
    pixels = read_picture(preview)
    size = (341, 512) if content == "webp" else (256, 256)
    assert pixels.shape[:2] == size
    if content == "webp":
        assert pixels[100, 100, 2] > 240
    assert root.asset_data is not None
