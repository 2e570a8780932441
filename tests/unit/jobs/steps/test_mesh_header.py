# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files are recognized by their first bytes; damaged ones are reported."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest
from fakes.glb import triangle_glb

from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.providers import BadMesh


def write_mesh(folder: Path, data: bytes) -> Path:
    """Write the bytes to a file whose name does not tell its format."""
    path = folder / "result"
    path.write_bytes(data)
    return path


def test_the_faces_of_a_glb_are_counted(tmp_path: Path) -> None:
    found = read_mesh_file(write_mesh(tmp_path, triangle_glb(17)))
    assert (found.format, found.faces) == ("glb", 17)


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (b"Kaydara FBX Binary  \0\x1a\0" + bytes(40), "fbx"),
        (b"; FBX 7.3.0 project file\n", "fbx"),
        (b"# made\nmtllib a.mtl\no a\nv 0 0 0\nvt 0 0\nf 1 1 1\n", "obj"),
        (b"v 0 0 0\n" * 2000, "obj"),
        (b"\xef\xbb\xbf# made\r\nv 0 0 0\r\n", "obj"),
        (b"newmtl a\nKd 1 1 1\nv -1.5e-3 .5 +0\n", "obj"),
        (b"# a long license\n" * 1000 + b"o a\n  v 0 0 0 1 1 1\n", "obj"),
    ],
)
def test_fbx_and_obj_files_are_recognized(tmp_path: Path, data: bytes, format_: str) -> None:
    assert read_mesh_file(write_mesh(tmp_path, data)).suffix == format_


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not found</html>",
        b'{"error": "expired"}',
        b"hello there\nthis is text\n",
        b"# only comments\n" * 400,
        b'{"asset": {"version": "2.0"',
        b'{"asset": {"version": "2.0"}, "buffers": [{"uri": "mesh.bin", "byteLength": 3}]}',
        b'{"asset": {"version": "2.0"}, "buffers": [{"uri": 3}]}',
        b'{"asset": 5}',
        b"{" * 100_000,
        triangle_glb(3)[:-1],
        triangle_glb(3) + b"x",
        triangle_glb(3)[:15],
        triangle_glb(3).replace(b'"meshes"', b'"meshxx"').replace(b"accessors", b"\xff\xff\xff"),
        b"glTF\x01\0\0\0" + triangle_glb(3)[8:],
    ],
)
def test_an_incomplete_mesh_file_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadMesh):
        read_mesh_file(write_mesh(tmp_path, data))


def test_the_faces_of_a_gltf_with_embedded_buffers_are_counted(tmp_path: Path) -> None:
    gltf = json.loads(triangle_glb(5)[20:].split(b"BIN\0")[0][:-4])
    gltf["buffers"][0]["uri"] = "data:application/octet-stream;base64," + "A" * 240
    found = read_mesh_file(write_mesh(tmp_path, b"\n" + json.dumps(gltf).encode()))
    assert (found.suffix, found.format, found.faces) == ("gltf", None, 5)


def test_a_gltf_without_its_other_files_is_incomplete(tmp_path: Path) -> None:
    gltf = json.loads(triangle_glb(5)[20:].split(b"BIN\0")[0][:-4])
    gltf["buffers"][0]["uri"] = "mesh.bin"
    with pytest.raises(BadMesh, match="consists of several files, but only one was downloaded"):
        read_mesh_file(write_mesh(tmp_path, json.dumps(gltf).encode()))


@pytest.mark.parametrize("version", [0.8, "0.9", "1.0", "3.0"])
def test_a_gltf_of_another_version_is_reported_as_such(version: object, tmp_path: Path) -> None:
    head = {"asset": {"version": version}, "meshes": {"mesh": {"primitives": []}}}
    with pytest.raises(BadMesh, match=f"is glTF {version}, but Blender only reads glTF 2.0"):
        read_mesh_file(write_mesh(tmp_path, json.dumps(head).encode()))


def with_head(head: object, behind: int = 0) -> bytes:
    """Return a GLB whose lengths are right, with any JSON, or bytes, as its head."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    length = 20 + len(text) + behind
    return struct.pack("<4sIII4s", b"glTF", 2, length, len(text), b"JSON") + text + bytes(behind)


def mesh_of(count: object, index: object = 0, **more: object) -> dict[str, object]:
    """Return a head of one primitive whose corners one accessor counts."""
    primitive = {"indices": index, "attributes": {"POSITION": 0}}
    return {"accessors": [{"count": count}], "meshes": [{"primitives": [primitive]}], **more}


def test_a_compressed_mesh_may_have_more_corners_than_bytes(tmp_path: Path) -> None:
    packed = mesh_of(900, extensionsUsed=["KHR_draco_mesh_compression"])
    assert read_mesh_file(write_mesh(tmp_path, with_head(packed))).faces == 300
    assert read_mesh_file(write_mesh(tmp_path, with_head(mesh_of(900), 1800))).faces == 300


@pytest.mark.parametrize(
    "head",
    [
        [],
        5,
        None,
        "text",
        b"[" * 100_000,
        {"meshes": None},
        {"meshes": {"a": 1}},
        {"meshes": ["x"]},
        {"meshes": [{"primitives": ["abc"]}]},
        {"accessors": "abc", **{k: v for k, v in mesh_of(3).items() if k != "accessors"}},
        mesh_of(-9),
        mesh_of(900),
        mesh_of(10**20),
        mesh_of(3.0),
        mesh_of(float("inf")),
        mesh_of("3"),
        mesh_of(3, -1),
        mesh_of(3, 1),
        mesh_of(3, []),
        mesh_of(3, extensionsUsed=7),
        mesh_of(10**9, extensionsUsed=["KHR_draco_mesh_compression"]),
    ],
)
def test_an_impossible_mesh_header_counts_as_damaged(tmp_path: Path, head: object) -> None:
    with pytest.raises(BadMesh, match="damaged"):
        read_mesh_file(write_mesh(tmp_path, with_head(head)))


def any_json(rng: random.Random, depth: int = 0) -> object:
    """Return JSON made of the words of glTF, in shapes that are not glTF's."""
    if depth > 5 or rng.random() < 0.2:
        return rng.choice([None, True, -1, 0, 3, 10**30, 0.5, "", "POSITION", float("nan")])
    values = [any_json(rng, depth + 1) for _ in range(rng.randrange(3))]
    if rng.random() < 0.4:
        return values
    words = ("meshes", "primitives", "attributes", "POSITION", "indices", "accessors", "count")
    return {word: any_json(rng, depth + 1) for word in words if rng.random() < 0.5}


def test_odd_json_raises_only_bad_mesh(tmp_path: Path) -> None:
    rng = random.Random(4)
    for _ in range(1000):
        head = any_json(rng)
        for data in (with_head(head), json.dumps({"asset": head, "buffers": head}).encode()):
            try:
                found = read_mesh_file(write_mesh(tmp_path, data))
            except BadMesh:
                continue
            assert found.faces is not None
            assert 0 <= found.faces < len(data)


def test_flipped_bytes_raise_only_bad_mesh(tmp_path: Path) -> None:
    rng = random.Random(3)
    good = triangle_glb(2)
    for _ in range(500):
        data = bytearray(good)
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            read_mesh_file(write_mesh(tmp_path, bytes(data)))
        except BadMesh:
            continue
