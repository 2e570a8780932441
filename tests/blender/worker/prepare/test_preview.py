# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview shows the model from its front, in light that reveals its shape."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def preview(addon: ModuleType) -> Any:
    return addon_module("worker.prepare.preview")


def in_scene(name: str, mesh: bpy.types.Mesh) -> bpy.types.Object:
    """Return an object of the mesh, alone in the scene."""
    bpy.data.batch_remove(list(bpy.context.scene.objects))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def test_the_preview_shows_the_front_upright_with_its_texture(preview: Any) -> None:
    """A plate that faces the front: red above blue on its left, green above white on its right."""
    mesh = bpy.data.meshes.new("plate")
    mesh.from_pydata([(-1, 0, 0), (1, 0, 0), (1, 0, 2), (-1, 0, 2)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new().uv.foreach_set("vector", (0, 0, 1, 0, 1, 1, 0, 1))
    image = bpy.data.images.new("four", 2, 2)
    image.pixels = (0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1)
    image.pack()
    surfaces = import_module(preview.__package__ + ".principled")
    material = surfaces.new_material("plate")
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    base = surfaces.find_principled(material).inputs["Base Color"]
    material.node_tree.links.new(texture.outputs["Color"], base)
    mesh.materials.append(material)

    picture = preview.render_preview(in_scene("plate", mesh))

    assert picture.shape == (256, 256, 4)
    rows = np.flatnonzero(picture[:, 128, 3])
    top, bottom = rows[len(rows) // 4], rows[-len(rows) // 4]
    lit = [picture[row, column, :3] > 90 for row in (top, bottom) for column in (80, 176)]
    assert [tuple(entry) for entry in lit] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (True, True, True),
    ]


def test_shading_reveals_the_shape_of_a_black_ball(preview: Any) -> None:
    mesh = bpy.data.meshes.new("ball")
    solid = bmesh.new()
    bmesh.ops.create_uvsphere(solid, u_segments=48, v_segments=24, radius=1.0)
    solid.to_mesh(mesh)
    solid.free()
    mesh.shade_smooth()
    surfaces = import_module(preview.__package__ + ".principled")
    material = surfaces.new_material("black")
    surfaces.find_principled(material).inputs["Base Color"].default_value = (0, 0, 0, 1)
    mesh.materials.append(material)

    picture = preview.render_preview(in_scene("ball", mesh)).astype(int)

    gray = picture[..., :3].mean(axis=2)[picture[..., 3] == 255]
    low, high = np.quantile(gray, (0.05, 0.95))
    assert high - low > 40
    assert high < 128
