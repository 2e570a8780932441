# SPDX-License-Identifier: GPL-3.0-or-later
"""Adjust Last Operation after an import: the same call with other values, as Blender makes it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import pytest
from blender.operators.test_replace import import_model, job, library

__all__ = ["library"]  # a fixture


def import_with(job_id: str, **values: Any) -> bpy.types.Object:
    """Import a job's model with values of the panel; return its root."""
    assert bpy.ops.image_to_mesh.import_result(job=job_id, **values) == {"FINISHED"}
    bpy.context.view_layer.update()
    return bpy.context.view_layer.objects.active


def last_values() -> Any:
    """Return the operator that Adjust Last Operation shows."""
    return bpy.context.window_manager.operators[-1]


def test_location_rotation_and_size_are_given(library: Path) -> None:
    cup = import_with(job(library, "cup"), location=(1, 2, 3), rotation=(0.1, 0.2, 0.3), size=2.5)
    assert tuple(cup.location) == (1.0, 2.0, 3.0)
    assert tuple(cup.rotation_euler) == pytest.approx((0.1, 0.2, 0.3))
    assert cup.dimensions.z == pytest.approx(2.5)
    assert tuple(cup.scale) == (1.0, 1.0, 1.0)


def test_without_values_the_placement_is_used(library: Path) -> None:
    placement = bpy.context.scene.image_to_mesh.placement
    placement.use_size, placement.size = True, 3.0
    cup = import_model(job(library, "cup"))
    assert cup.dimensions.z == pytest.approx(3.0)
    # The values of one import are not those of the next.
    import_with("20260101-cup", size=5.0, shading="FLAT", rotation=(0.0, 0.0, 1.0))
    cup = import_model("20260101-cup")
    assert cup.dimensions.z == pytest.approx(3.0)
    assert cup.rotation_euler.z == 0.0


@pytest.mark.parametrize(
    ("shading", "smooth", "sharp"),
    [("SMOOTH", True, False), ("FLAT", False, False), ("ANGLE", True, True)],
)
def test_the_shading_is_changed(library: Path, shading: str, smooth: bool, sharp: bool) -> None:
    cup = import_with(job(library, "cup"), shading=shading, angle=math.radians(30))
    assert all(polygon.use_smooth == smooth for polygon in cup.data.polygons)
    assert any(edge.use_edge_sharp for edge in cup.data.edges) == sharp


def test_vertices_are_merged_and_normals_recalculated(library: Path) -> None:
    cup = import_with(job(library, "cup"), merge=1.01)
    assert len(cup.data.vertices) < 8
    jug_job = job(library, "jug")
    jug = import_model(jug_job)
    assert len(jug.data.vertices) == 8
    outside = import_with(jug_job, outward=True)
    center = sum((v.co for v in outside.data.vertices), outside.data.vertices[0].co * 0) / 8
    assert all((face.center - center).dot(face.normal) > 0 for face in outside.data.polygons)


def test_an_adjusted_update_keeps_the_transform(library: Path) -> None:
    cup = import_model(job(library, "cup"))
    cup.location, cup.rotation_euler = (4.0, 5.0, 6.0), (0.0, 0.0, 1.0)
    bpy.ops.image_to_mesh.import_result(
        job=job(library, "pot", height=2.0), into=cup.session_uid, shading="SMOOTH",
        location=(0, 0, 0), rotation=(0, 0, 0), size=9.0,
    )  # fmt: skip
    assert (tuple(cup.location), cup.rotation_euler.z) == ((4.0, 5.0, 6.0), 1.0)
    assert max(vertex.co.z for vertex in cup.data.vertices) == pytest.approx(2.0)
    assert all(polygon.use_smooth for polygon in cup.data.polygons)
