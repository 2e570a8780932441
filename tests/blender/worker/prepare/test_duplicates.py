# SPDX-License-Identifier: GPL-3.0-or-later
"""What exporters write twice: points, at which faces fold when they are welded, and materials."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

AROUND = 8


@pytest.fixture
def imported(addon: ModuleType, tmp_path: Path) -> Callable[..., list[bpy.types.Mesh]]:
    """Prepare an OBJ file of these lines; return the meshes."""

    def run(*lines: str, **mending: Any) -> list[bpy.types.Mesh]:
        (tmp_path / "mesh.obj").write_text("\n".join(lines) + "\n")
        background = f"{addon.__name__}.worker"
        import_module(f"{background}.fresh_file").open_empty_file()
        options = import_module(f"{background}.import_options").read_import_options(mending)
        prepare = import_module(f"{background}.prepare.build_model")
        root, _ = prepare.import_model(str(tmp_path / "mesh.obj"), "photo", options)
        objects = import_module(f"{background}.prepare.cleanup").model_meshes(root)
        return [obj.data for obj in objects]

    return run


def point(x: float, y: float, z: float) -> str:
    return f"v {x:.6f} {y:.6f} {z:.6f}"


def test_quads_at_a_pole_become_triangles(imported: Any) -> None:
    """As of a sphere that has a point of its own at the pole for every quad."""
    turns = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    ring = [point(np.cos(turn), 0, np.sin(turn)) for turn in turns]
    poles = [point(0, end, 0) for end in (1, -1) for _ in turns]
    quads = []
    for number in range(AROUND):
        here, following = number + 1, (number + 1) % AROUND + 1
        quads.append(f"f {here} {here + AROUND} {following + AROUND} {following}")
        quads.append(f"f {here} {following} {following + 2 * AROUND} {here + 2 * AROUND}")
    (mesh,) = imported(*ring, *poles, *quads)
    assert [len(face.vertices) for face in mesh.polygons] == [3] * 2 * AROUND
    assert len(mesh.vertices) == AROUND + 2
    sides = [key for face in mesh.polygons for key in face.edge_keys]
    assert {sides.count(key) for key in sides} == {2}, "it is closed"
    assert not mesh.validate()


def test_a_face_that_would_come_back_to_a_point_stays_apart(imported: Any) -> None:
    """Blender's normals end by a crash at a face that is at one vertex twice."""
    ribbon = [point(0, 0, 0), point(1, 1, 0), point(0, 0, 0), point(-1, 1, 0)]
    beside = [point(0, 0, 0), point(1, 1, 0), point(0, 0, 1)]
    normals = ["vn 0 0 1", "vn 0 1 0"]
    (mesh,) = imported(*ribbon, *beside, *normals, "f 1//1 2//2 3//1 4//2", "f 5//2 6//2 7//1")
    assert [len(set(face.vertices)) for face in mesh.polygons] == [4, 3]
    assert not mesh.validate()


def test_a_files_own_face_at_one_vertex_twice_is_left_out(addon: ModuleType) -> None:
    mesh = bpy.data.meshes.new("own")
    points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    mesh.from_pydata(points, [], [(0, 1, 0, 2), (0, 1, 2), (0, 1, 2, 3)])
    import_module(f"{addon.__name__}.worker.mesh.merge_vertices").merge_vertices(mesh)
    assert [len(face.vertices) for face in mesh.polygons] == [3, 4]
    assert not mesh.validate()


PARTS = [
    "mtllib mesh.mtl",
    *(point(x, 0, z) for x in (0, 2, 4) for z in (0, 1)),
    *(point(x + 1, 1, 0) for x in (0, 2, 4)),
    *("o first", "usemtl red", "f 1 2 7"),
    *("o second", "usemtl also", "f 3 4 8"),
    *("o third", "usemtl other", "f 5 6 9"),
]
MATERIAL = "newmtl {}\nKd {} 0.1 0.1\nNs 100\n"


@pytest.mark.parametrize(("tidy", "expected"), [(True, [0, 0, 1]), (False, [0, 1, 2])])
def test_equal_materials_become_one(
    tidy: bool, expected: list[int], imported: Any, tmp_path: Path
) -> None:
    listed = [("red", 0.8), ("also", 0.8), ("other", 0.3)]
    (tmp_path / "mesh.mtl").write_text("".join(MATERIAL.format(*entry) for entry in listed))
    used = [mesh.materials[0] for mesh in imported(*PARTS, tidy=tidy)]
    distinct = list(dict.fromkeys(used))
    assert [distinct.index(material) for material in used] == expected
    assert [item.name for item in distinct] == [f"photo {n + 1}" for n in range(len(distinct))]


def test_materials_that_differ_in_one_picture_stay_two(imported: Any, tmp_path: Path) -> None:
    pictures = []
    for name in ("a.png", "b.png"):
        picture = bpy.data.images.new(name, 4, 4)
        picture.filepath_raw, picture.file_format = str(tmp_path / name), "PNG"
        picture.save()
        pictures.append(f"map_Kd {name}\n")
    written = [f"newmtl {name}\nKd 1 1 1\n" for name in ("red", "also", "other")]
    order = (pictures[0], pictures[1], pictures[0])
    (tmp_path / "mesh.mtl").write_text("".join(map(str.__add__, written, order)))
    used = [mesh.materials[0] for mesh in imported(*PARTS)]
    assert used[0] == used[2] != used[1]
