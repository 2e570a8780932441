# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's copy of the order is removed from a GLB file, and nothing else changes."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from fakes.comfyui import with_extras
from fakes.glb import triangle_glb

from image_to_mesh.jobs.disk import gltf_extras
from image_to_mesh.jobs.disk.gltf_extras import strip_asset_extras
from image_to_mesh.jobs.steps.mesh_header import read_mesh_file

ORDER = {"prompt": json.dumps({"1": {"inputs": {"image": "my_house.png", "text": "größer"}}})}


def header_of(path: Path) -> dict[str, object]:
    """Return the JSON of a GLB file."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    header: dict[str, object] = json.loads(data[20 : 20 + length])
    return header


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """The path of a mesh file."""
    return tmp_path / "mesh.glb"


def test_the_order_goes_and_the_mesh_stays(mesh: Path) -> None:
    plain = triangle_glb(40)
    mesh.write_bytes(with_extras(plain, ORDER))
    before = header_of(mesh)
    assert strip_asset_extras(mesh)
    assert b"my_house" not in mesh.read_bytes()
    assert header_of(mesh) == {**before, "asset": {"version": "2.0"}}
    length = struct.unpack_from("<I", plain, 12)[0]
    assert mesh.read_bytes().endswith(plain[20 + length :])
    assert struct.unpack_from("<I", mesh.read_bytes(), 8)[0] == mesh.stat().st_size
    found = read_mesh_file(mesh)
    assert (found.format, found.faces) == ("glb", 40)
    assert list(mesh.parent.iterdir()) == [mesh]


def test_a_second_time_changes_nothing(mesh: Path) -> None:
    mesh.write_bytes(with_extras(triangle_glb(), ORDER))
    strip_asset_extras(mesh)
    once = mesh.read_bytes()
    assert not strip_asset_extras(mesh)
    assert mesh.read_bytes() == once


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"glTF",
        triangle_glb()[:40],
        triangle_glb().replace(b"JSON", b"NOSJ"),
        triangle_glb().replace(b'"asset": {"version": "2.0"}', b'"asset": ["version", "2."]'),
        struct.pack("<4sIII4s", b"glTF", 2, 5020, 5000, b"JSON") + b"[" * 5000,
        b"v 0 0 0\nv 1 0 0\nf 1 2 2\n",
    ],
    ids=["empty", "short", "cut", "no JSON", "no asset", "nested", "obj"],
)
def test_any_other_file_is_not_touched(mesh: Path, data: bytes) -> None:
    mesh.write_bytes(data)
    assert not strip_asset_extras(mesh)
    assert mesh.read_bytes() == data


def test_a_huge_header_is_not_read(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf_extras, "LONGEST", 100)
    data = with_extras(triangle_glb(), ORDER)
    mesh.write_bytes(data)
    assert not strip_asset_extras(mesh)
    assert mesh.read_bytes() == data
