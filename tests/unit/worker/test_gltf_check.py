# SPDX-License-Identifier: GPL-3.0-or-later
"""A glTF file is checked for consistency before the import; the message names the error."""

from __future__ import annotations

import base64
import copy
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unit.worker_package import load

check = load("checks.gltf.check")
Refusal = load("refusal").Refusal
READABLE = frozenset({"KHR_texture_transform", "KHR_draco_mesh_compression"})

POSITIONS = struct.pack("<12f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0)
FACES = struct.pack("<6H", 0, 1, 2, 1, 3, 2)
DATA = POSITIONS + FACES


def square() -> dict[str, Any]:
    """Return the head of two triangles with a parent node, a material and a picture."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"children": [1]}, {"mesh": 0, "scale": [1, 1, 1]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 48},
            {"buffer": 0, "byteOffset": 48, "byteLength": 12},
        ],
        "buffers": [{"byteLength": 60}],
    }


def glb(head: object, data: bytes = DATA) -> bytes:
    """Return a GLB with correct lengths."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def judge(folder: Path, head: object, data: bytes = DATA) -> None:
    """Check a GLB of that head and data."""
    path = folder / "mesh.glb"
    path.write_bytes(glb(head, data))
    check.check_gltf(str(path), readable=READABLE, blender="9.9")


def refusal_of(folder: Path, head: object, data: bytes = DATA) -> Any:
    """Return the refusal of a GLB of that head and data."""
    with pytest.raises(Refusal) as caught:
        judge(folder, head, data)
    assert caught.value.kind == "bad_mesh"
    assert caught.value.message.endswith(".")
    assert caught.value.hint, "the error has no hint"
    return caught.value


def test_valid_gltf_files_pass(tmp_path: Path) -> None:
    judge(tmp_path, square())
    text = square()
    text["buffers"][0]["uri"] = "data:x;base64," + base64.b64encode(DATA).decode()
    (tmp_path / "mesh.gltf").write_text(json.dumps(text))
    check.check_gltf(str(tmp_path / "mesh.gltf"), readable=None, blender="9.9")


def put(*where: object) -> Callable[[dict[str, Any]], None]:
    """Return a function that sets a value in the head; the arguments are its path and the value."""

    def change(head: dict[str, Any]) -> None:
        *path, last, value = where
        inside: Any = head
        for step in path:
            inside = inside[step]
        inside[last] = value

    return change


PRIMITIVE = ("meshes", 0, "primitives", 0)
BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    "extends past the end of its buffer": put("bufferViews", 1, "byteOffset", 52),
    "extends past the end of its bufferView": put("accessors", 0, "count", 5),
    "4,000,000,000 values extends": put("accessors", 0, "count", 4_000_000_000),
    "“accessor.count” has the invalid value -1": put("accessors", 0, "count", -1),
    "“accessor.count” has the invalid value 4.0": put("accessors", 0, "count", 4.0),
    "“accessor.count” has the invalid value true": put("accessors", 0, "count", True),
    "invalid byteStride 0": put("bufferViews", 0, "byteStride", 0),
    "accessor with 4 values extends": put("bufferViews", 0, "byteStride", 16),
    "“accessor.byteOffset” has the invalid value -4": put("accessors", 0, "byteOffset", -4),
    "buffer 0 should have 99 bytes, but has only 60": put("buffers", 0, "byteLength", 99),
    "accessor 2 does not exist": put(*PRIMITIVE, "indices", 2),
    "accessor -1 does not exist": put(*PRIMITIVE, "attributes", "POSITION", -1),
    "accessor True does not exist": put(*PRIMITIVE, "attributes", "POSITION", True),
    "material 7 does not exist": put(*PRIMITIVE, "material", 7),
    "the unknown mode 9": put(*PRIMITIVE, "mode", 9),
    "does not have one value per vertex": put(*PRIMITIVE, "attributes", "NORMAL", 1),
    "indices that are not unsigned": put("accessors", 1, "componentType", 5122),
    "its nodes form a cycle": put("nodes", 1, "children", [0]),
    "node 1 has more than one parent": put("nodes", 0, "children", [1, 1]),
    "node 9 does not exist": put("scenes", 0, "nodes", [9]),
    "scene 3 does not exist": put("scene", 3),
    "mesh 4 does not exist": put("nodes", 1, "mesh", 4),
    "the scale of a node does not consist of 3 numbers": put("nodes", 1, "scale", [1, 1]),
    "nested too deeply": put("extras", json.loads("[" * 80 + "]" * 80)),
    "missing or invalid properties": put("accessors", 0, "type", "VEC9"),
    "“nodes” is not a list": put("nodes", "all"),
    "The mesh file is glTF 1.0": put("asset", "version", "1.0"),
}  # fmt: skip


@pytest.mark.parametrize("words", BROKEN)
def test_impossible_values_are_reported(words: str, tmp_path: Path) -> None:
    head = copy.deepcopy(square())
    BROKEN[words](head)
    assert words in refusal_of(tmp_path, head).message


def test_inconsistent_data_is_detected(tmp_path: Path) -> None:
    far = POSITIONS + struct.pack("<6H", 0, 1, 2, 1, 4, 2)
    assert (
        "a face uses vertex 4, but there are only 4 vertices"
        in refusal_of(tmp_path, square(), far).message
    )
    nowhere = struct.pack("<f", float("nan")) + DATA[4:]
    assert (
        "accessor 0 contains positions that are not finite"
        in refusal_of(tmp_path, square(), nowhere).message
    )


def test_invalid_numbers_are_refused(tmp_path: Path) -> None:
    for number in (b"NaN", b"-Infinity", b"1e999"):
        head = json.dumps(square()).encode().replace(b"[1, 1, 1]", b"[1, 1, %s]" % number)
        assert "its JSON cannot be read" in refusal_of(tmp_path, head).message


def test_deep_node_trees_and_many_instances_are_refused(tmp_path: Path) -> None:
    head = square()
    head["nodes"] = [{"children": [n + 1]} for n in range(5000)] + [{"mesh": 0}]
    assert "nested more than 200 levels deep" in refusal_of(tmp_path, head).message
    head = square()
    head["accessors"][1].update(count=1_000_000)
    head["bufferViews"][1].update(byteLength=2_000_000)
    head["buffers"][0].update(byteLength=2_000_048)
    head["nodes"] = [{"mesh": 0} for _ in range(500)]
    data = POSITIONS + bytes(2_000_000)
    assert "166,666,500 triangles" in refusal_of(tmp_path, head, data).message


def test_an_extension_that_is_not_read_is_named(tmp_path: Path) -> None:
    head = square() | {"extensionsRequired": ["KHR_texture_basisu", "VENDOR_new"]}
    refusal = refusal_of(tmp_path, head)
    assert "KTX2 textures (KHR_texture_basisu) and VENDOR_new" in refusal.message
    assert "Blender 9.9 cannot read" in refusal.message
    meshopt = refusal_of(tmp_path, square() | {"extensionsRequired": ["EXT_meshopt_compression"]})
    assert "Compression to None" in meshopt.hint
    judge(tmp_path, square() | {"extensionsRequired": ["KHR_texture_transform"]})


@pytest.mark.parametrize(
    "address", ["https://a.b/c.png", "file:///etc/passwd", "../x.png", "\\\\a\\b"]
)
def test_addresses_are_refused(address: str, tmp_path: Path) -> None:
    assert (
        "not part of it" in refusal_of(tmp_path, square() | {"images": [{"uri": address}]}).message
    )


def test_compressed_data_has_bounds(tmp_path: Path) -> None:
    head = square()
    packed = {"buffer": 0, "byteLength": 48, "count": 4, "byteStride": 12, "mode": "ATTRIBUTES"}
    head["bufferViews"][0]["extensions"] = {"EXT_meshopt_compression": packed}
    judge(tmp_path, head)
    for change in ({"count": 5}, {"byteLength": 61}, {"byteOffset": 20}, {"buffer": 1}):
        broken = copy.deepcopy(head)
        broken["bufferViews"][0]["extensions"]["EXT_meshopt_compression"].update(change)
        refusal_of(tmp_path, broken)
    packed.update(count=4_000_000_000)
    head["bufferViews"][0]["byteLength"] = 48_000_000_000
    assert "compressed data is invalid" in refusal_of(tmp_path, head).message


def test_values_without_data_have_bounds(tmp_path: Path) -> None:
    head = square()
    head["accessors"][0] = {"componentType": 5126, "count": 3_000_000_000, "type": "VEC3"}
    assert "more values than it can contain" in refusal_of(tmp_path, head).message


def test_sparse_values_have_bounds(tmp_path: Path) -> None:
    head = square()
    sparse = {
        "count": 2,
        "indices": {"bufferView": 1, "componentType": 5123},
        "values": {"bufferView": 0},
    }
    head["accessors"].append({**head["accessors"][0], "sparse": sparse})
    judge(tmp_path, head)
    sparse["count"] = 5
    assert "more values than it has" in refusal_of(tmp_path, head).message
    sparse["count"], sparse["indices"]["componentType"] = 3, 5126  # type: ignore[index]
    assert "not unsigned integers" in refusal_of(tmp_path, head).message
    sparse["indices"]["componentType"] = 5123  # type: ignore[index]
    sparse["indices"]["byteOffset"] = 6  # type: ignore[index]
    judge(tmp_path, head)
    data = POSITIONS + struct.pack("<6H", 0, 1, 2, 1, 3, 7)
    head["meshes"] = []
    assert "values that do not exist" in refusal_of(tmp_path, head, data).message


@pytest.mark.parametrize("cut", [3, 11, 19, 25, 300, -1])
def test_truncated_files_are_refused(cut: int, tmp_path: Path) -> None:
    (tmp_path / "mesh.glb").write_bytes(glb(square())[:cut])
    with pytest.raises(Refusal):
        check.check_gltf(str(tmp_path / "mesh.glb"), readable=None, blender="9.9")


def many(**lists: list[Any]) -> dict[str, Any]:
    """Return the square's head with these lists in place of its own."""
    return square() | lists


CHANNEL = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
SAMPLER = {"input": 1, "output": 0}
DRAWN = {"attributes": {"POSITION": 0}}
TOO_MUCH: dict[str, dict[str, Any]] = {
    "2,001 objects": many(nodes=[{"mesh": 0}] * 2001),
    "20,001 nodes": many(nodes=[{}] * 20_001, scenes=[]),
    "1,001 materials": many(
        materials=[{}] * 1001,
        meshes=[{"primitives": [{**DRAWN, "material": number} for number in range(1001)]}],
    ),
    "20,001 parts": many(meshes=[{"primitives": [DRAWN] * 20_001}]),
    "too much vertex data": many(
        accessors=[{"componentType": 5126, "count": 20_000_000, "type": "VEC3"}],
        meshes=[{"primitives": [{**DRAWN, "targets": [{"POSITION": 0}] * 10}]}],
    ),
    "too many bones or keyframes": many(
        animations=[{"samplers": [SAMPLER], "channels": [CHANNEL] * 20_001}]
    ),
    "many bones or keyframes": many(skins=[{"joints": [0] * 20_001}]),
}  # fmt: skip


@pytest.mark.parametrize("words", TOO_MUCH)
def test_files_over_the_limits_are_refused(words: str, tmp_path: Path) -> None:
    assert words in refusal_of(tmp_path, TOO_MUCH[words]).message


def test_files_at_the_limits_pass(tmp_path: Path) -> None:
    judge(tmp_path, many(nodes=[{"mesh": 0}] * 2000))
    judge(tmp_path, many(nodes=[{}] * 20_000))
    judge(tmp_path, many(animations=[{"samplers": [SAMPLER], "channels": [CHANNEL] * 20_000}]))


def test_keyframes_are_counted_once_per_reference(tmp_path: Path) -> None:
    head = square()
    head["accessors"][1].update(count=1_000_000)
    head["bufferViews"][1].update(byteLength=2_000_000)
    head["buffers"][0].update(byteLength=2_000_048)
    data = POSITIONS + bytes(2_000_000)
    head["animations"] = [{"samplers": [SAMPLER], "channels": [CHANNEL] * 3}]
    judge(tmp_path, head, data)
    head["animations"][0]["channels"].append(CHANNEL)
    assert "keyframes" in refusal_of(tmp_path, head, data).message


def test_instances_count_as_objects(tmp_path: Path) -> None:
    head = square()
    head["accessors"][1].update(count=2001)
    head["bufferViews"][1].update(byteLength=4002)
    head["buffers"][0].update(byteLength=4050)
    copies = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 1}}}
    head["nodes"] = [{"mesh": 0, "extensions": copies}]
    head["scenes"] = []
    assert "2,001 objects" in refusal_of(tmp_path, head, POSITIONS + bytes(4002)).message
