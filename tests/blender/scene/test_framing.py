# SPDX-License-Identifier: GPL-3.0-or-later
"""*Frame Results*: the viewport that it is clicked in moves to generated meshes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.job_views import record, show
from blender.recording import draw
from mathutils import Vector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FRAME = bpy.ops.image_to_mesh.frame_results
JOB = "image_to_mesh_job"


@pytest.fixture
def viewport(addon: ModuleType) -> Iterator[Any]:
    """The factory scene's viewport, in which operators run."""
    area = next(area for area in bpy.context.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(area=area):
        yield area.spaces.active


def add_result(job: str, location: tuple[float, float, float]) -> Any:
    """Add a cube of 2 m, as if a job had generated it."""
    bpy.ops.mesh.primitive_cube_add(location=location)
    obj = bpy.context.object
    obj[JOB] = job
    return obj


def test_it_says_why_it_cannot_run(addon: ModuleType, viewport: Any) -> None:
    with pytest.raises(RuntimeError, match="There is no generated model in this scene"):
        FRAME()
    add_result("one", (0, 0, 0))
    assert FRAME.poll()
    other = next(area for area in bpy.context.screen.areas if area.type != "VIEW_3D")
    with (
        bpy.context.temp_override(area=other),
        pytest.raises(RuntimeError, match="Move the pointer over a 3D Viewport"),
    ):
        FRAME()


def test_the_viewport_shows_all_results(viewport: Any) -> None:
    for number in range(9):
        add_result(f"job {number}", (3.0 * number, 5, 0))
    assert FRAME() == {"FINISHED"}
    view = viewport.region_3d
    assert view.view_location == Vector((12, 5, 0))
    half_width = view.view_distance * 18.0 / viewport.lens
    assert half_width > 13, "the row is 26 m long"


def test_the_button_of_a_job_shows_its_mesh_alone(viewport: Any) -> None:
    add_result("one", (0, 0, 0))
    add_result("two", (40, 0, 1)).parent = bpy.data.objects["Cube"]
    assert FRAME(job="two") == {"FINISHED"}
    assert viewport.region_3d.view_location == Vector((40, 0, 1))


def test_a_mesh_that_is_hidden_or_gone_moves_nothing(viewport: Any) -> None:
    add_result("one", (9, 9, 9)).hide_set(True)
    before = viewport.region_3d.view_location.copy()
    assert FRAME(job="one") == {"CANCELLED"}
    assert FRAME(job="deleted") == {"CANCELLED"}
    assert viewport.region_3d.view_location == before


def test_it_is_beside_import_again(addon: ModuleType) -> None:
    bpy.context.scene.image_to_mesh.image = bpy.data.images.new("cup", 64, 64)
    show("ready", job="made", record=record())
    seen = draw(width=400)
    (button,) = seen.buttons("image_to_mesh.frame_results")
    assert button["button"].job == "made"
    assert seen.button("image_to_mesh.import_result")["text"] == "Import Again"
