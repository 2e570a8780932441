# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats are detected by content, and no mesh file reads the artist's disk outside its folder."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.file_access import FileAccess
from blender.picture_files import write_picture
from fakes.broken import archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

ASCII_FBX = """; FBX 7.4.0 project file
FBXHeaderExtension:  {
  FBXHeaderVersion: 1003
  FBXVersion: 7400
}
Objects:  {
  Geometry: 10, "Geometry::tri", "Mesh" {
    Vertices: *9 {
      a: 0,0,0,100,0,0,0,100,0
    }
    PolygonVertexIndex: *3 {
      a: 0,1,-3
    }
    GeometryVersion: 124
  }
  Model: 20, "Model::tri", "Mesh" {
    Version: 232
  }
}
Connections:  {
  C: "OO",10,20
  C: "OO",20,0
}
"""

OLD_ASCII_FBX = """; FBX 6.1.0 project file
FBXHeaderExtension:  {
  FBXHeaderVersion: 1003
  FBXVersion: 6100
}
Objects:  {
  Model: "Model::tri", "Mesh" {
    Version: 232
    Vertices: 0,0,0,100,0,0,0,100,0
    PolygonVertexIndex: 0,1,-3
    GeometryVersion: 124
  }
}
Connections:  {
  Connect: "OO", "Model::tri", "Model::Scene"
}
"""


def ignore_progress(_fraction: float, _phase: str) -> None:
    """Accept progress and do nothing with it."""


@pytest.fixture
def prepare(worker_module: Callable[[str], ModuleType], tmp_path: Path) -> Any:
    """Return a function that prepares a mesh file, returns the answer and leaves the model open."""

    def run(mesh: Path) -> dict[str, Any]:
        request = {"mesh": str(mesh), "name": "photo", "output": str(tmp_path / "model.blend")}
        return worker_module("prepare.build_model").prepare_model(request, ignore_progress)

    return run


def packed_images() -> list[str]:
    """Return the names of the images that the open model holds."""
    return [image.name for image in bpy.data.images if image.packed_file]


def write_textured(path: Path, address: str) -> Path:
    """Write a GLB, or a .gltf, whose base color is the image at an address."""
    corners = struct.pack("<15f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1)
    vectors = {"bufferView": 0, "componentType": 5126, "count": 3}
    document: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "material": 0}]}
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"uri": address}],
        "accessors": [
            {**vectors, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 0]},
            {**vectors, "type": "VEC2", "byteOffset": 36},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 60}],
        "buffers": [{"byteLength": 60}],
    }
    if path.suffix == ".gltf":
        document["buffers"][0]["uri"] = "corners.bin"
        path.with_name("corners.bin").write_bytes(corners)
        path.write_text(json.dumps(document))
        return path
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + 60)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    path.write_bytes(head + chunks + struct.pack("<I4s", 60, b"BIN\0") + corners)
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture of the artist's, in the folder above the job's folder."""
    (tmp_path / "job").mkdir()
    return write_picture(tmp_path / "secret.png", np.full((4, 4, 3), 9, np.uint8))


@pytest.mark.parametrize("mesh", ["mesh.glb", "mesh.gltf"])
@pytest.mark.parametrize("form", ["{}", "../{0.name}", "a/%2e%2e/../{0.name}", "..\\{0.name}",
                                  "data:a/../../{0.name}", "sub/{0.name}"])  # fmt: skip
def test_a_mesh_cannot_include_images_from_outside_of_its_folder(
    form: str,
    mesh: str,
    secret: Path,
    worker_module: Callable[[str], ModuleType],
    prepare: Any,
    tmp_path: Path,
) -> None:
    (tmp_path / "job" / "data:a").mkdir()
    (tmp_path / "job" / "sub").symlink_to(tmp_path)
    path = write_textured(tmp_path / "job" / mesh, form.format(secret))
    with pytest.raises(worker_module("refusal").Refusal, match="not part of it") as caught:
        prepare(path)
    assert caught.value.kind == "bad_mesh"
    assert not bpy.data.images
    assert not (tmp_path / "model.blend").exists()


def test_a_gltf_may_use_images_of_its_own_folder(secret: Path, prepare: Any) -> None:
    secret.replace(secret.parent / "job" / "skin one.png")
    done = prepare(write_textured(secret.parent / "job" / "mesh.gltf", "skin%20one.png"))
    assert packed_images() == ["photo"]
    assert not done["notes"]


def test_a_glb_that_names_an_image_file_is_refused(
    secret: Path, worker_module: Callable[[str], ModuleType], prepare: Any
) -> None:
    secret.replace(secret.parent / "job" / "skin.png")
    with pytest.raises(worker_module("refusal").Refusal, match=r"skin\.png"):
        prepare(write_textured(secret.parent / "job" / "mesh.glb", "skin.png"))


def test_an_image_in_a_data_uri_is_imported(secret: Path, prepare: Any) -> None:
    data = base64.b64encode(secret.read_bytes()).decode()
    path = write_textured(secret.parent / "job" / "mesh.glb", f"data:image/png;base64,{data}")
    prepare(path)
    assert packed_images() == ["photo"]


@pytest.mark.parametrize("start", ["", "  ", "\x01\\ ", "\xff"])
@pytest.mark.parametrize("name", ["../secret.mtl", "{}/secret.mtl", '"../secret.mtl"'])
def test_material_files_outside_of_the_folder_are_not_read(
    name: str, start: str, secret: Path, prepare: Any
) -> None:
    (secret.parent / "secret.mtl").write_text("newmtl a\nKd 1 0 0\nmap_Kd secret.png\n")
    job = secret.parent / "job"
    library = name.format(secret.parent)
    mesh = f"{start}mtllib {library}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n"
    (job / "mesh.obj").write_bytes(mesh.encode("latin-1"))
    done = prepare(job / "mesh.obj")
    assert not bpy.data.images
    assert done["notes"] == ["Material files outside the mesh's folder were not read: 1."]
    assert [path.name for path in job.iterdir()] == ["mesh.obj"]


def export_fbx(path: Path, texture: Path, worker_module: Callable[[str], ModuleType]) -> Path:
    """Write an FBX file of a cube whose texture is named by its path."""
    bpy.ops.mesh.primitive_cube_add()
    material = worker_module("prepare.principled").new_material("skin")
    image = material.node_tree.nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(texture))
    surface = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(image.outputs["Color"], surface.inputs["Base Color"])
    bpy.context.object.data.materials.append(material)
    bpy.ops.export_scene.fbx(filepath=str(path), object_types={"MESH"}, path_mode="RELATIVE")
    assert path.read_bytes().count(texture.name.encode()) >= 3
    return path


def test_an_fbx_cannot_read_textures_outside_of_its_folder(
    secret: Path, worker_module: Callable[[str], ModuleType], prepare: Any
) -> None:
    path = export_fbx(secret.parent / "job" / "mesh.fbx", secret, worker_module)
    with FileAccess(secret) as access:
        done = prepare(path)
        assert not access.count_opens()
    assert not packed_images()
    assert done["notes"] == ["Textures not found: 1."]
    assert [entry.name for entry in path.parent.iterdir()] == ["mesh.fbx"]


@pytest.mark.parametrize("where", ["", "textures/"])
def test_an_fbx_finds_textures_that_were_moved_into_its_folder(
    where: str, secret: Path, worker_module: Callable[[str], ModuleType], prepare: Any
) -> None:
    path = export_fbx(secret.parent / "job" / "mesh.fbx", secret, worker_module)
    (path.parent / where).mkdir(exist_ok=True)
    secret.replace(path.parent / where / secret.name)
    assert not prepare(path)["notes"]
    assert packed_images() == ["photo"]


@pytest.mark.parametrize("kind", ["obj", "fbx"])
def test_textures_in_an_archive_are_imported(
    kind: str, secret: Path, worker_module: Callable[[str], ModuleType], prepare: Any
) -> None:
    job = secret.parent / "job"
    if kind == "fbx":
        mesh = export_fbx(secret.parent / "mesh.fbx", secret, worker_module).read_bytes()
        files = {"source/mesh.fbx": mesh}
    else:
        obj = "mtllib mesh.mtl\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"
        material = "newmtl a\nmap_Kd C:\\Users\\me\\secret.png\n"
        files = {"source/mesh.obj": obj.encode(), "source/mesh.mtl": material.encode()}
    files["textures/secret.png"] = secret.read_bytes()
    (job / "mesh.zip").write_bytes(archive(files))
    secret.unlink()
    assert not prepare(job / "mesh.zip")["notes"]
    assert packed_images() == ["photo"]
    assert [path.name for path in job.iterdir()] == ["mesh.zip"]


HEADS = {
    b"glTF": "glb",
    b"Kaydara FBX Binary  \0": "fbx",
    b"; FBX 7.3.0 project file\n": "fbx",
    b"\xef\xbb\xbf; FBX 7.3.0 project file\n": "fbx",
    b'\xef\xbb\xbf {"asset"': "gltf",
    b"\xef\xbb\xbf# made\nv 0 0 0\n": "obj",
    b"newmtl a\nKd 1 1 1\nv 0 0 0\n": "obj",
    b"# a long license\n" * 1000 + b"v 0 0 0\n": "obj",
    b"# only comments\n" * 400: "",
    b"ply\nformat ascii 1.0\n": "ply",
    b"ply\r\nformat ascii 1.0\r\n": "ply",
    b"plywood\n": "",
    b"solid a\n facet normal 0 0 1\n": "stl",
    b"solid ground\nv 0 0 0\n": "obj",
    b"solid" + bytes(75) + b"\1\0\0\0" + bytes(50): "stl",
    b"solid" + bytes(75) + b"\2\0\0\0" + bytes(50): "",
    bytes(84): "",
    b"PK\x03\x04": "zip",
    b"v": "",
    b"o a\ng b\n": "",
    b"hello there\n": "",
}


@pytest.mark.parametrize("head", HEADS)
def test_the_worker_and_the_job_detect_the_same_format(
    head: bytes, addon: ModuleType, worker_module: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    path = tmp_path / "mesh"
    path.write_bytes(head)
    mesh_header = addon_module("jobs.steps.mesh_header")
    mesh_format = worker_module("checks.mesh_format")
    for rule in ("VERTEX", "FACET", "BEGIN"):
        assert getattr(mesh_header, rule) == getattr(mesh_format, rule)
    assert mesh_header.format_of.__code__.co_code == mesh_format.format_of.__code__.co_code
    try:
        by_worker = mesh_format.sniff(str(path))
    except worker_module("refusal").Refusal:
        by_worker = ""
    try:
        job = mesh_header.read_mesh_file(path).suffix
    except addon_module("providers").BadMesh:
        job = by_worker if by_worker in ("glb", "gltf", "zip") else ""  # Known, but not whole.
    assert by_worker == job == HEADS[head]


@pytest.mark.parametrize("text", [ASCII_FBX, OLD_ASCII_FBX])
def test_ascii_fbx_is_read_or_reported_as_unreadable(
    text: str, worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    mesh = tmp_path / "mesh.fbx"
    mesh.write_text(text)
    assert worker_module("prepare.importing").has_new_fbx_importer() == (
        bpy.app.version >= (4, 5, 0)
    )
    if bpy.app.version >= (4, 5, 0):
        assert prepare(mesh)["faces"] == 1
        return
    with pytest.raises(worker_module("refusal").Refusal, match="ASCII FBX file"):
        prepare(mesh)


def test_old_fbx_is_refused_by_its_version(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path, root: Path
) -> None:
    """A newer file that claims an older version: importers that accept it find nothing in it."""
    data = bytearray((root / "tests" / "data" / "meshes" / "cube.fbx").read_bytes())
    data[23:27] = (6100).to_bytes(4, "little")
    (tmp_path / "mesh.fbx").write_bytes(data)
    reads_it = bpy.app.version >= (4, 5, 0)
    why = "has no faces" if reads_it else r"FBX 6\.1 file, which Blender 4\.2"
    with pytest.raises(worker_module("refusal").Refusal, match=why):
        prepare(tmp_path / "mesh.fbx")
