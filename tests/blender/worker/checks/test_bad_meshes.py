# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh with nothing to see, or one that breaks the importer, is refused with a sentence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.own_meshes import FACES, POINTS, one_node, pyramid
from blender.writers import Gltf, write_obj, write_ply, write_stl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SPOT = np.ones_like(POINTS) * np.float32(0.3)
LINE = np.linspace((0, 0, 0), (1, 2, 3), 5).astype(np.float32)
WHITE = np.full((5, 3), 255, np.uint8)


def write_scaled(path: Path, by: float) -> Path:
    return one_node(path, pyramid(), scale=[by] * 3)


def with_a_bad_point(value: float) -> NDArray[np.float32]:
    points = POINTS.copy()
    points[4, 1] = value
    return points


def write_morphed_flat(path: Path) -> Path:
    """Write a mesh whose active morph target moves all points to one place."""
    file = Gltf()
    file.add("nodes", mesh=file.mesh(pyramid(), targets=[-POINTS], weights=[1.0]))
    return file.write(path / "mesh.glb")


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "glb in one place": (lambda path: one_node(path, pyramid() | {"POSITION": SPOT}), "location"),
    "obj in one place": (lambda path: write_obj(path / "m.obj", SPOT, FACES), "location"),
    "ply in one place": (lambda path: write_ply(path / "m.ply", SPOT, FACES, WHITE), "location"),
    "stl in one place": (lambda path: write_stl(path / "m.stl", SPOT[FACES]), "location|no faces"),
    "glb scaled to nothing": (lambda path: write_scaled(path, 0.0), "location"),
    "glb of atoms": (lambda path: write_scaled(path, 1e-20), "location"),
    "glb of denormals": (
        lambda path: one_node(path, pyramid() | {"POSITION": POINTS * np.float32(1e-40)}),
        "location",
    ),
    "glb morphed to nothing": (write_morphed_flat, "location"),
    "glb on a line": (lambda path: one_node(path, pyramid() | {"POSITION": LINE}), "no area"),
    "obj on a line": (lambda path: write_obj(path / "m.obj", LINE, FACES), "no area"),
    "glb far away": (lambda path: write_scaled(path, 1e20), "away"),
    "obj far away": (lambda path: write_obj(path / "m.obj", POINTS * 1e30, FACES), "away|invalid"),
    "stl far away": (lambda path: write_stl(path / "m.stl", POINTS[FACES] * 1e30), "away|invalid"),
    "glb with nan": (
        lambda path: one_node(path, pyramid() | {"POSITION": with_a_bad_point(np.nan)}), "finite"
    ),
    "glb with inf": (
        lambda path: one_node(path, pyramid() | {"POSITION": with_a_bad_point(np.inf)}), "finite"
    ),
    "glb that overflows": (
        lambda path: one_node(path, pyramid() | {"POSITION": POINTS * np.float32(1e30)},
                              scale=[1e20, 1, 1]), "vertices with invalid coordinates"
    ),
    "obj of points": (lambda path: write_obj(path / "m.obj", POINTS, FACES[:0]), "no faces"),
    "obj of lines": (
        lambda path: write_obj(path / "m.obj", POINTS, FACES[:0], lines=["l 1 2 3"]), "no faces"
    ),
}  # fmt: skip


@pytest.fixture
def answer(worker_module: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that has the worker's program prepare a mesh and returns its answer."""

    def run(mesh: Path, **options: Any) -> dict[str, Any]:
        reply: dict[str, Any] = worker_module("protocol").handle_request({
            "do": "prepare", "id": 1, "mesh": str(mesh), "name": "photo", "mending": options,
            "output": str(tmp_path / "model.blend"), "preview": str(tmp_path / "preview.png"),
            "render_preview": True,
        })  # fmt: skip
        return reply

    return run


@pytest.mark.parametrize("tidy", [True, False])
@pytest.mark.parametrize("case", BAD)
def test_a_mesh_with_nothing_visible_is_refused(
    case: str, tidy: bool, answer: Any, tmp_path: Path
) -> None:
    write, sentence = BAD[case]
    reply = answer(write(tmp_path), tidy=tidy)
    assert reply.keys() == {"refused"}, reply
    assert reply["refused"]["kind"] == "bad_mesh"
    assert any(part in reply["refused"]["message"] for part in sentence.split("|")), reply
    assert reply["refused"]["message"].endswith(".")
    assert not (tmp_path / "model.blend").exists()


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_tiny_and_huge_meshes_are_imported(size: float, answer: Any, tmp_path: Path) -> None:
    """Their previews show them: an empty one would be smaller."""
    reply = answer(write_scaled(tmp_path, size))
    assert reply["done"]["faces"] == 6
    assert reply["done"]["height"] == pytest.approx(2 * size, rel=1e-4, abs=1e-6)
    assert (tmp_path / "preview.png").stat().st_size > 5000


def test_a_degenerate_part_is_dropped_and_the_rest_stays(answer: Any, tmp_path: Path) -> None:
    file = Gltf()
    file.add("nodes", mesh=file.mesh(pyramid()))
    file.add("nodes", mesh=file.mesh(pyramid() | {"POSITION": SPOT, "indices": FACES[:1]}))
    reply = answer(file.write(tmp_path / "mesh.glb"))
    assert (reply["done"]["faces"], reply["done"]["objects"]) == (6, ["photo"])


@pytest.mark.parametrize("error", [IndexError, KeyError, ZeroDivisionError, RuntimeError])
def test_a_file_that_crashes_the_importer_is_never_ready(
    error: type[Exception], answer: Any, worker_module: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def broken(*_: Any, **__: Any) -> None:
        raise error("index -1 is out of bounds")

    monkeypatch.setattr(worker_module("prepare.build_model"), "clean_up_materials", broken)
    reply = answer(one_node(tmp_path, pyramid()))
    assert reply["refused"]["kind"] == "bad_mesh"
    assert error.__name__ in reply["refused"]["message"]
    assert not (tmp_path / "model.blend").exists()


def test_a_full_disk_is_not_reported_as_a_bad_mesh(
    answer: Any, worker_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_disk_full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worker_module("prepare.build_model"), "clean_up_materials", raise_disk_full)
    assert answer(one_node(tmp_path, pyramid()))["refused"]["kind"] == "library"
    monkeypatch.undo()

    @contextmanager
    def nowhere(_path: str) -> Iterator[str]:
        yield str(tmp_path / "gone" / "model.blend")

    monkeypatch.setattr(worker_module("prepare.build_model"), "atomic_path", nowhere)
    reply = answer(one_node(tmp_path, pyramid()))
    assert reply["refused"]["kind"] == "library"
    assert "could not save the model" in reply["refused"]["message"]


def test_a_model_without_a_preview_is_complete(
    answer: Any, worker_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_out_of_memory(*_: Any) -> None:
        raise RuntimeError("Out of memory")

    monkeypatch.setattr(worker_module("prepare.preview"), "_set_up", raise_out_of_memory)
    assert answer(one_node(tmp_path, pyramid()))["done"]["faces"] == 6
    assert not (tmp_path / "preview.png").exists()
    assert not bpy.data.worlds
    assert not bpy.data.cameras
