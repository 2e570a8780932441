# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared model matches the import by Blender itself, for every feature of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.appearance import append_all, differences, import_with_blender, measure_scene
from blender.own_meshes import MESHES, add_object, new_paint, new_pyramid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOICES: dict[str, dict[str, Any]] = {
    "as always": {},
    "normals kept": {"normals": "keep"},
    "transforms kept": {"apply_transforms": False, "normals": "keep"},
    "hierarchy kept": {"tidy": False, "normals": "keep"},
    "no cleanup": {"tidy": False, "weld": False, "metals": False, "outward": False,
                       "normals": "keep", "apply_transforms": False},
}  # fmt: skip


@pytest.fixture
def prepare(worker_module: Any, tmp_path: Path) -> Callable[..., list[bpy.types.Object]]:
    """Return a function that prepares a mesh file and opens the model in an empty scene."""

    def run(mesh: Path, **options: Any) -> list[bpy.types.Object]:
        output = str(tmp_path / "model.blend")
        request = {"mesh": str(mesh), "name": "photo", "output": output, "mending": options}
        worker_module("prepare.build_model").prepare_model(request, lambda *_: None)
        return append_all(output)

    return run


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", MESHES)
def test_a_prepared_model_matches_blenders_own_import(
    name: str, choice: str, prepare: Any, tmp_path: Path
) -> None:
    mesh = MESHES[name](tmp_path)
    import_with_blender(mesh)
    expected = measure_scene()
    prepare(mesh, **CHOICES[choice])
    ours = measure_scene()
    unexpected, _ = differences(expected, ours)
    assert not unexpected, "differences that no rule explains"
    assert ours.low == pytest.approx(0, abs=1e-4 * expected.size.max())
    if choice != "as always":  # By default, meshes without normals are smoothed.
        np.testing.assert_allclose(ours.normals, expected.normals, atol=0.01 * expected.area)


@pytest.fixture
def pair() -> tuple[bpy.types.Object, bpy.types.Object]:
    """Two objects that share a mesh, alone in the scene."""
    first = new_pyramid()
    return first, add_object(first.data, location=(4, 0, 0))


def test_each_object_keeps_its_material(pair: Any, worker_module: Any) -> None:
    first, second = pair
    own, other = first.data.materials[0], new_paint((0, 0, 1))
    second.material_slots[0].link = "OBJECT"
    second.material_slots[0].material = other
    worker_module("prepare.evaluated_objects").detach_objects([first, second], apply=True)
    assert [list(obj.data.materials) for obj in pair] == [[own], [other]]
    assert {slot.link for obj in pair for slot in obj.material_slots} == {"DATA"}


@pytest.mark.parametrize("hidden", [1, 2])
def test_hidden_objects_stay_hidden_unless_all_of_them_are(
    hidden: int, pair: Any, worker_module: Any
) -> None:
    """They keep their place, although Blender does not evaluate the transform of hidden objects."""
    for obj in pair[2 - hidden :]:
        obj.hide_viewport = True
    pair[1].parent = pair[0]
    pair[0].location.z = 5
    worker_module("prepare.evaluated_objects").detach_objects(list(pair), apply=True)
    assert [obj.hide_viewport for obj in pair] == [False, hidden == 1]
    assert min(vertex.co.z for vertex in pair[1].data.vertices) == pytest.approx(5)


def test_no_needless_white_material_is_created(prepare: Any, tmp_path: Path) -> None:
    (obj,) = prepare(MESHES["ply_white"](tmp_path))
    assert not list(obj.data.materials)


@pytest.mark.parametrize("name", ["glb_white_colors", "glb_colors_times_factor"])
def test_baking_colors_keeps_the_other_inputs_of_a_material(
    name: str, prepare: Any, worker_module: Any, tmp_path: Path
) -> None:
    mesh = MESHES[name](tmp_path)
    import_with_blender(mesh)
    (before,) = (material for material in bpy.data.materials if material.users)
    surface = worker_module("prepare.principled").find_principled(before)
    inputs = {item: surface.inputs[item].default_value for item in ("Metallic", "Roughness", "IOR")}
    (obj,) = prepare(mesh, colors="baked")
    (material,) = obj.data.materials
    baked = worker_module("prepare.principled").find_principled(material)
    assert baked.inputs["Base Color"].links[0].from_node.type == "TEX_IMAGE"
    assert {socket: baked.inputs[socket].default_value for socket in inputs} == inputs
