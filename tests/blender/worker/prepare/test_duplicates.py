# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates that exporters write: vertices, whose merging can collapse faces, and materials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

AROUND = 8


@pytest.fixture
def import_obj(addon: ModuleType, tmp_path: Path) -> Callable[..., list[bpy.types.Mesh]]:
    """Return a function that imports an OBJ file of these lines and returns its meshes."""

    def run(*lines: str, **cleanup: Any) -> list[bpy.types.Mesh]:
        (tmp_path / "mesh.obj").write_text("\n".join(lines) + "\n")
        addon_module("worker.fresh_file").open_empty_file()
        options = addon_module("worker.import_options").read_import_options(cleanup)
        prepare = addon_module("worker.prepare.build_model")
        root, _ = prepare.import_model(str(tmp_path / "mesh.obj"), "photo", options)
        objects = addon_module("worker.prepare.cleanup").model_meshes(root)
        return [obj.data for obj in objects]

    return run


def obj_point(x: float, y: float, z: float) -> str:
    return f"v {x:.6f} {y:.6f} {z:.6f}"


def test_quads_at_a_pole_become_triangles(import_obj: Any) -> None:
    """As in a sphere exported with one pole vertex for each quad."""
    angles = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    ring = [obj_point(np.cos(angle), 0, np.sin(angle)) for angle in angles]
    poles = [obj_point(0, end, 0) for end in (1, -1) for _ in angles]
    quads = []
    for number in range(AROUND):
        here, following = number + 1, (number + 1) % AROUND + 1
        quads.append(f"f {here} {here + AROUND} {following + AROUND} {following}")
        quads.append(f"f {here} {following} {following + 2 * AROUND} {here + 2 * AROUND}")
    (mesh,) = import_obj(*ring, *poles, *quads)
    assert [len(face.vertices) for face in mesh.polygons] == [3] * 2 * AROUND
    assert len(mesh.vertices) == AROUND + 2
    sides = [key for face in mesh.polygons for key in face.edge_keys]
    assert {sides.count(key) for key in sides} == {2}, (
        "the mesh is not closed: every edge needs two faces"
    )
    assert not mesh.validate()


def test_a_face_that_merging_would_pinch_keeps_its_vertices(import_obj: Any) -> None:
    """Blender crashes computing normals of a face that uses one vertex twice."""
    ribbon = [obj_point(0, 0, 0), obj_point(1, 1, 0), obj_point(0, 0, 0), obj_point(-1, 1, 0)]
    beside = [obj_point(0, 0, 0), obj_point(1, 1, 0), obj_point(0, 0, 1)]
    normals = ["vn 0 0 1", "vn 0 1 0"]
    (mesh,) = import_obj(*ribbon, *beside, *normals, "f 1//1 2//2 3//1 4//2", "f 5//2 6//2 7//1")
    assert [len(set(face.vertices)) for face in mesh.polygons] == [4, 3]
    assert not mesh.validate()


def test_a_face_that_already_uses_a_vertex_twice_is_dropped(addon: ModuleType) -> None:
    mesh = bpy.data.meshes.new("own")
    points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    mesh.from_pydata(points, [], [(0, 1, 0, 2), (0, 1, 2), (0, 1, 2, 3)])
    addon_module("worker.mesh.merge_vertices").merge_vertices(mesh)
    assert [len(face.vertices) for face in mesh.polygons] == [3, 4]
    assert not mesh.validate()


THREE_OBJECTS = [
    "mtllib mesh.mtl",
    *(obj_point(x, 0, z) for x in (0, 2, 4) for z in (0, 1)),
    *(obj_point(x + 1, 1, 0) for x in (0, 2, 4)),
    *("o first", "usemtl red", "f 1 2 7"),
    *("o second", "usemtl also", "f 3 4 8"),
    *("o third", "usemtl other", "f 5 6 9"),
]
MATERIAL = "newmtl {}\nKd {} 0.1 0.1\nNs 100\n"


@pytest.mark.parametrize(("tidy", "expected"), [(True, [0, 0, 1]), (False, [0, 1, 2])])
def test_equal_materials_become_one(
    tidy: bool, expected: list[int], import_obj: Any, tmp_path: Path
) -> None:
    colors = [("red", 0.8), ("also", 0.8), ("other", 0.3)]
    (tmp_path / "mesh.mtl").write_text("".join(MATERIAL.format(*entry) for entry in colors))
    used = [mesh.materials[0] for mesh in import_obj(*THREE_OBJECTS, tidy=tidy)]
    distinct = list(dict.fromkeys(used))
    assert [distinct.index(material) for material in used] == expected
    assert [item.name for item in distinct] == [f"photo {n + 1}" for n in range(len(distinct))]


def test_materials_with_different_textures_stay_separate(import_obj: Any, tmp_path: Path) -> None:
    pictures = []
    for name in ("a.png", "b.png"):
        picture = bpy.data.images.new(name, 4, 4)
        picture.filepath_raw, picture.file_format = str(tmp_path / name), "PNG"
        picture.save()
        pictures.append(f"map_Kd {name}\n")
    materials = [f"newmtl {name}\nKd 1 1 1\n" for name in ("red", "also", "other")]
    textures = (pictures[0], pictures[1], pictures[0])
    (tmp_path / "mesh.mtl").write_text("".join(map(str.__add__, materials, textures)))
    used = [mesh.materials[0] for mesh in import_obj(*THREE_OBJECTS)]
    assert used[0] == used[2] != used[1]
