# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures that the manual states of the add-on in Blender; docs/dev/claims.md lists them all."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(("side", "costly"), [(2000, False), (2100, True)])
def test_painted_images_of_over_4_megapixels_are_not_checked(
    addon: ModuleType, side: int, costly: bool
) -> None:
    painting = bpy.data.images.new("painting", side, side)
    assert addon_module("app.periodic.image_checks")._is_costly(painting) is costly
    bpy.data.images.remove(painting)


@pytest.mark.parametrize(("pixels", "small"), [(254, True), (257, False)])
def test_a_subject_under_256_pixels_is_small(addon: ModuleType, pixels: int, small: bool) -> None:
    box = (0.0, 0.0, pixels / 1024, 0.1)
    info = SimpleNamespace(width=1024, height=1024)
    report = SimpleNamespace(clear=True, info=info, box=box, cut=False, subjects=1, brightness=0.5)
    warnings = list(addon_module("panels.image_checks").warnings(report))
    assert bool(warnings) is small


def test_a_model_of_800_000_faces_is_imported_in_chunks(addon: ModuleType) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=100, y_subdivisions=100)
    obj = bpy.context.object
    obj.modifiers.new("triangles", "TRIANGULATE")
    bpy.ops.object.modifier_apply(modifier="triangles")
    mesh = obj.data
    mesh.materials.append(bpy.data.materials.new("skin"))
    if bpy.app.version >= (4, 5, 0):  # before 4.5, a model with custom normals is not split
        shaded = np.tile((0.6, 0.0, 0.8), (len(mesh.loops), 1))
        mesh.normals_split_custom_set(shaded)
    chunks = importlib.import_module("image_to_mesh.worker.prepare.chunks")
    bytes_per_face = chunks._size(mesh) / len(mesh.polygons)
    most = 0.9e6 if bpy.app.version >= (4, 5, 0) else 1.1e6
    assert 0.7e6 < addon_module("jobs.steps.prepare").LEAST / bytes_per_face < most


def test_a_mesh_is_one_meter_tall_unless_asked_for_more(addon: ModuleType) -> None:
    assert bpy.context.scene.image_to_mesh.local.height == 1.0
    assert addon_module("providers").get_provider("local").settings().height == 1.0
