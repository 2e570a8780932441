# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in mesh files that cannot be decoded, or that could control a terminal."""

from __future__ import annotations

import json
import os
import struct
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from fakes.glb import triangle_glb
from fakes.png import png_of

if TYPE_CHECKING:
    from types import ModuleType

ODD = b"\xf5\x8a\x8c\x9a"
CORNERS = b"v 0 0 0\nv 0 1 0\nv 1 0 1\nvt 0 0\nvt 1 0\nvt 0 1\n"
POINTS = struct.pack("<9f", 0, 0, 0, 0, 1, 0, 1, 0, 1)
HEAD: dict[str, Any] = {
    "asset": {"version": "2.0"},
    "scene": 0,
    "scenes": [{"nodes": [0], "name": "SCENE"}],
    "nodes": [{"mesh": 0, "name": "NODE", "extras": {"KEY": "VALUE"}}],
    "meshes": [
        {"name": "MESH", "primitives": [{"attributes": {"POSITION": 0}, "material": 0}]},
    ],
    "materials": [{"name": "MATERIAL"}],
    "accessors": [
        {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
         "min": [0, 0, 0], "max": [1, 1, 1]},
    ],
    "bufferViews": [{"buffer": 0, "byteLength": 36}],
    "buffers": [{"byteLength": 36}],
}  # fmt: skip


@pytest.fixture
def importing(addon: ModuleType) -> Any:
    """The worker's import module, with an empty file open."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return addon_module("worker.prepare.importing")


def glb_of(text: bytes) -> bytes:
    """Return a GLB of a triangle with this JSON."""
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(POINTS), b"BIN\0") + POINTS
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def json_with(**names: bytes) -> bytes:
    """Return the JSON with these raw bytes in place of the names."""
    text = json.dumps(HEAD).encode()
    for name, raw in names.items():
        assert name.upper().encode() in text
        text = text.replace(name.upper().encode(), raw)
    return text


def odd_path(folder: Path, name: bytes) -> Path:
    """Return the path of a file whose name cannot be decoded."""
    return folder / os.fsdecode(name)


def all_names() -> list[str]:
    """Return the names of everything that was imported."""
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images)
    names = [obj.name for kind in kinds for obj in kind]
    return names + [attribute.name for mesh in bpy.data.meshes for attribute in mesh.attributes]


def test_an_obj_with_undecodable_names_is_imported(importing: Any, tmp_path: Path) -> None:
    odd_path(tmp_path, b"tex" + ODD + b".png").write_bytes(png_of(64, 48))
    (tmp_path / "m.mtl").write_bytes(
        b"newmtl mat" + ODD + b"\nKd 1 0 0\nmap_Kd tex" + ODD + b".png\nnewmtl red\nKd 0 1 0\n"
    )
    (tmp_path / "mesh.obj").write_bytes(
        b"mtllib m.mtl\n" + CORNERS + b"o first" + ODD + b"\ng group" + ODD + b"\nusemtl mat" + ODD
        + b"\nf 1/1 2/2 3/3\no second" + ODD + b"\nusemtl red\nf 3/1 2/2 1/3\n"
    )  # fmt: skip
    assert importing.import_mesh_file(str(tmp_path / "mesh.obj")) == ("obj", [])
    names = all_names()
    assert {"Object", "Object.001", "Material", "red"} <= set(names)
    assert len(bpy.data.objects) == 2
    (image,) = bpy.data.images
    assert (image.name, tuple(image.size)) == ("Image", (64, 48))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))


def test_an_undecodable_attribute_of_a_ply_is_renamed(importing: Any, tmp_path: Path) -> None:
    (tmp_path / "mesh.ply").write_bytes(
        b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        b"property float z\nproperty float q" + ODD + b"\nelement face 1\n"
        b"property list uchar int vertex_indices\nend_header\n"
        b"0 0 0 1\n0 1 0 1\n1 0 1 1\n3 0 1 2\n"
    )
    importing.import_mesh_file(str(tmp_path / "mesh.ply"))
    assert all_names()


@pytest.mark.parametrize(
    "names",
    [
        {"node": b"n\\ud83d", "mesh": b"\\udcff", "material": b"x\\uD83Dy"},
        {"node": b"n" + ODD, "mesh": ODD},
        {"key": b"\\ud83d", "value": b"\\udfff"},
        {"scene": b"\\ud800"},
    ],
    ids=["halves", "no UTF-8", "extras", "scene"],
)
def test_a_glb_with_lone_surrogates_is_imported(
    importing: Any, tmp_path: Path, names: dict[str, bytes]
) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(glb_of(json_with(**names)))
    assert importing.import_mesh_file(str(path))[0] == "glb"
    assert len(bpy.data.objects) == 1
    assert [len(mesh.polygons) for mesh in bpy.data.meshes] == [1]
    assert all(name.isprintable() for name in all_names())
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_gltf_with_lone_surrogates_is_imported(importing: Any, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(POINTS)
    text = json_with(node=b"n\\ud83d").replace(
        b'{"byteLength": 36}', b'{"byteLength": 36, "uri": "data.bin"}'
    )
    (tmp_path / "mesh.gltf").write_bytes(text)
    assert importing.import_mesh_file(str(tmp_path / "mesh.gltf"))[0] == "gltf"
    assert bpy.data.objects[0].name == "n�"


def test_intact_files_are_not_copied_and_damaged_ones_are_refused(
    importing: Any, tmp_path: Path
) -> None:
    whole = import_module(
        importing.__name__.replace("prepare.importing", "checks.gltf.text_encoding")
    ).repair_text
    good = glb_of(json_with(node=b"\\ud83d\\ude00 \xe7\x8c\xab"))
    for name, data in (("a.glb", good), ("b.glb", triangle_glb(5)), ("c.obj", CORNERS), ("d", b"")):
        (tmp_path / name).write_bytes(data)
        with whole(str(tmp_path / name)) as path:
            assert path == str(tmp_path / name)
    bad = glb_of(json_with(node=b"\\ud83d"))
    refusal = import_module(importing.__name__.replace("prepare.importing", "refusal")).Refusal
    for damaged in (bad + b"behind", bad[:-8], bad.replace(b"\x02\0\0\0", b"\x01\0\0\0", 1)):
        (tmp_path / "bad.glb").write_bytes(damaged)
        with pytest.raises(refusal):
            importing.import_mesh_file(str(tmp_path / "bad.glb"))


def test_escape_codes_and_direction_marks_are_removed_from_names(
    importing: Any, tmp_path: Path
) -> None:
    names = {"node": b"n\\u001b[31m", "mesh": b"\\u202eabc\\u0007", "material": b"\\u200b"}
    (tmp_path / "mesh.glb").write_bytes(glb_of(json_with(**names)))
    importing.import_mesh_file(str(tmp_path / "mesh.glb"))
    assert bpy.data.objects[0].name == "n[31m"
    assert bpy.data.meshes[0].name == "abc"
    assert bpy.data.materials[0].name == "Material"


def test_a_material_file_with_an_undecodable_name_is_checked_too(
    importing: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "private.png"
    outside.write_bytes(png_of(64, 48))
    home = tmp_path / "job"
    home.mkdir()
    (home / "mesh.obj").write_bytes(
        b"mtllib n" + ODD + b".mtl\n" + CORNERS + b"usemtl red\nf 1/1 2/2 3/3\n"
    )
    odd_path(home, b"n" + ODD + b".mtl").write_bytes(
        b"newmtl red\nKd 1 0 0\nmap_Kd ../private.png\n"
    )
    importing.import_mesh_file(str(home / "mesh.obj"), str(home))
    assert not [image for image in bpy.data.images if "private" in image.name]
