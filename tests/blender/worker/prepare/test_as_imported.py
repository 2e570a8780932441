# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a format can say of a mesh, the prepared model shows it as Blender's importer does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.looks import bring_in, differences, import_plainly, looks
from blender.own_meshes import MESHES, colored, fresh, linked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

CHOICES: dict[str, dict[str, Any]] = {
    "as always": {},
    "normals kept": {"normals": "keep"},
    "transforms kept": {"apply_transforms": False, "normals": "keep"},
    "hierarchy kept": {"tidy": False, "normals": "keep"},
    "nothing mended": {"tidy": False, "weld": False, "metals": False, "outward": False,
                       "normals": "keep", "apply_transforms": False},
}  # fmt: skip


@pytest.fixture
def background(addon: ModuleType) -> Callable[[str], ModuleType]:
    return lambda name: import_module(f"{addon.__name__}.worker.{name}")


@pytest.fixture
def prepared(background: Any, tmp_path: Path) -> Callable[..., list[bpy.types.Object]]:
    """Prepare a mesh file and leave the model alone in the scene."""

    def run(mesh: Path, **mending: Any) -> list[bpy.types.Object]:
        output = str(tmp_path / "model.blend")
        request = {"mesh": str(mesh), "name": "photo", "output": output, "mending": mending}
        background("prepare.build_model").prepare_model(request, lambda *_: None)
        return bring_in(output)

    return run


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", MESHES)
def test_a_prepared_model_looks_like_blenders_own_import(
    name: str, choice: str, prepared: Any, tmp_path: Path
) -> None:
    mesh = MESHES[name](tmp_path)
    import_plainly(mesh)
    plain = looks()
    prepared(mesh, **CHOICES[choice])
    ours = looks()
    found, _ = differences(plain, ours)
    assert not found
    assert ours.low == pytest.approx(0, abs=1e-4 * plain.size.max())
    if choice != "as always":  # What comes without normals is smoothed.
        np.testing.assert_allclose(ours.normals, plain.normals, atol=0.01 * plain.area)


@pytest.fixture
def two() -> tuple[bpy.types.Object, bpy.types.Object]:
    """Two objects that share a mesh, alone in the scene."""
    first = fresh()
    return first, linked(first.data, location=(4, 0, 0))


def test_each_object_keeps_its_material(two: Any, background: Any) -> None:
    first, second = two
    own, other = first.data.materials[0], colored((0, 0, 1))
    second.material_slots[0].link = "OBJECT"
    second.material_slots[0].material = other
    background("prepare.evaluated_objects").detach_objects([first, second], apply=True)
    assert [list(obj.data.materials) for obj in two] == [[own], [other]]
    assert {slot.link for obj in two for slot in obj.material_slots} == {"DATA"}


@pytest.mark.parametrize("hidden", [1, 2])
def test_hidden_objects_stay_hidden_unless_all_are(hidden: int, two: Any, background: Any) -> None:
    """And it stands where it is: Blender computes no place of a hidden object."""
    for obj in two[2 - hidden :]:
        obj.hide_viewport = True
    two[1].parent = two[0]
    two[0].location.z = 5
    background("prepare.evaluated_objects").detach_objects(list(two), apply=True)
    assert [obj.hide_viewport for obj in two] == [False, hidden == 1]
    assert min(vertex.co.z for vertex in two[1].data.vertices) == pytest.approx(5)


def test_no_needless_white_material_is_created(prepared: Any, tmp_path: Path) -> None:
    (obj,) = prepared(MESHES["ply_white"](tmp_path))
    assert not list(obj.data.materials)


@pytest.mark.parametrize("name", ["glb_white_colors", "glb_colors_times_factor"])
def test_baked_colors_keep_the_rest_of_a_surface(
    name: str, prepared: Any, background: Any, tmp_path: Path
) -> None:
    mesh = MESHES[name](tmp_path)
    import_plainly(mesh)
    (before,) = (material for material in bpy.data.materials if material.users)
    surface = background("prepare.principled").find_principled(before)
    said = {item: surface.inputs[item].default_value for item in ("Metallic", "Roughness", "IOR")}
    (obj,) = prepared(mesh, colors="baked")
    (material,) = obj.data.materials
    shown = background("prepare.principled").find_principled(material)
    assert shown.inputs["Base Color"].links[0].from_node.type == "TEX_IMAGE"
    assert {line: shown.inputs[line].default_value for line in said} == said
