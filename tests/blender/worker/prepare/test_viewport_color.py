# SPDX-License-Identifier: GPL-3.0-or-later
"""Solid shading shows a mesh in the mean of its base color."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import write_picture

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ORANGE, BLUE = (1.0, 0.5, 0.0), (0.1, 0.2, 0.9)


@pytest.fixture
def colors(addon: ModuleType) -> Any:
    return addon_module("worker.prepare.viewport_color")


def linear(encoded: Any) -> Any:
    values = np.asarray(encoded, float)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def make_image(*rows: Any, alpha: bool = True, is_float: bool = False) -> bpy.types.Image:
    pixels = np.array(rows, np.float32)
    image = bpy.data.images.new(
        "photo", pixels.shape[1], pixels.shape[0], alpha=alpha, float_buffer=is_float
    )
    image.pixels.foreach_set(pixels.ravel())
    return image


def make_object(image: bpy.types.Image | None = None) -> bpy.types.Object:
    bpy.ops.mesh.primitive_plane_add()
    material = bpy.data.materials.new("photo")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    bpy.context.object.data.materials.append(material)
    if image is not None:
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        material.node_tree.links.new(node.outputs["Color"], base_color(material))
    return bpy.context.object


def base_color(material: bpy.types.Material) -> bpy.types.NodeSocket:
    nodes = material.node_tree.nodes
    return next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Base Color"]


def set_and_read(colors: Any, obj: bpy.types.Object) -> Any:
    colors.set_viewport_colors([obj])
    shown = obj.active_material.diffuse_color[:]
    np.testing.assert_allclose(obj.color, shown)
    assert shown[3] == 1.0
    return shown[:3]


def test_it_is_the_linear_mean_of_the_texture(colors: Any) -> None:
    obj = make_object(make_image([(*ORANGE, 1), (*BLUE, 1)], [(*BLUE, 1), (*BLUE, 1)]))
    wanted = (linear(ORANGE) + 3 * linear(BLUE)) / 4
    np.testing.assert_allclose(set_and_read(colors, obj), wanted, atol=0.005)


def test_transparent_pixels_do_not_count(colors: Any) -> None:
    obj = make_object(make_image([(*ORANGE, 1), (*BLUE, 0), (*BLUE, 0), (*BLUE, 0)]))
    np.testing.assert_allclose(set_and_read(colors, obj), linear(ORANGE), atol=0.005)


def test_float_images_are_linear_already(colors: Any) -> None:
    obj = make_object(make_image([(0.2, 0.4, 0.6, 1)], is_float=True))
    np.testing.assert_allclose(set_and_read(colors, obj), (0.2, 0.4, 0.6), atol=1e-5)


def test_the_factor_of_the_base_color_counts(colors: Any) -> None:
    obj = make_object(make_image([(*ORANGE, 1)]))
    tree = obj.active_material.node_tree
    socket = base_color(obj.active_material)
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    factor, picture = [item for item in mix.inputs if item.type == "RGBA"][:2]
    factor.default_value = (0.5, 0.25, 1.0, 1.0)
    tree.links.new(socket.links[0].from_socket, picture)
    tree.links.new(next(out for out in mix.outputs if out.type == "RGBA"), socket)
    wanted = linear(ORANGE) * (0.5, 0.25, 1.0)
    np.testing.assert_allclose(set_and_read(colors, obj), wanted, atol=0.005)


def test_without_a_texture_it_is_the_base_color(colors: Any) -> None:
    obj = make_object()
    base_color(obj.active_material).default_value = (0.1, 0.2, 0.3, 1.0)
    np.testing.assert_allclose(set_and_read(colors, obj), (0.1, 0.2, 0.3), atol=1e-6)


def test_vertex_colors_count(colors: Any, addon: ModuleType) -> None:
    obj = make_object()
    attribute = obj.data.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
    for number, value in enumerate(attribute.data):
        value.color = (1.0, 0.0, 0.0, 1.0) if number < 2 else (0.0, 0.0, 1.0, 1.0)
    addon_module("worker.prepare.vertex_colors").wire_vertex_colors("photo", [obj.data])
    np.testing.assert_allclose(set_and_read(colors, obj), (0.5, 0.0, 0.5), atol=1e-5)


def test_a_huge_image_does_not_stay_decoded(
    colors: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pixels would stay in memory while the preview is rendered; see `test_bombs`."""
    image = bpy.data.images.load(
        str(write_picture(tmp_path / "photo.png", np.full((4, 4, 4), 255, np.uint8)))
    )
    image.pack()
    assert colors.mean_image_color(image) is not None
    monkeypatch.setattr(colors, "MOST_PIXELS", 15)
    assert colors.mean_image_color(image) is None
    assert not image.has_data
