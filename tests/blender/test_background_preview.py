# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview shows the nearest surface, without gaps, the right way round."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

SQUARE = np.array([(2, 2), (14, 2), (14, 14), (2, 14)], np.float32)


@pytest.fixture
def drawing(addon: ModuleType) -> Any:
    return import_module(f"{addon.__name__}.scene.background.drawing")


@pytest.fixture
def preview(addon: ModuleType) -> Any:
    return import_module(f"{addon.__name__}.scene.background.preview")


def at_depth(depth: float) -> Any:
    """The square as two triangles (2, 3, 3)."""
    corners = np.concatenate((SQUARE, np.full((4, 1), depth, np.float32)), axis=1)
    return corners[np.array([(0, 1, 2), (0, 2, 3)])]


def test_no_gap_between_triangles(drawing: Any) -> None:
    seen = drawing.see(at_depth(0.5), 16)
    shown = np.zeros((16, 16), bool)
    shown.ravel()[seen.pixels] = True
    expected = np.zeros((16, 16), bool)
    expected[2:14, 2:14] = True
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_allclose(seen.weights.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize(("first", "second"), [(0.2, 0.8), (0.8, 0.2)])
def test_the_nearest_wins(first: float, second: float, drawing: Any) -> None:
    seen = drawing.see(np.concatenate((at_depth(first), at_depth(second))), 16)
    assert set(seen.triangles // 2) == {0 if first < second else 1}


def test_weights_are_those_of_the_place(drawing: Any) -> None:
    corners = at_depth(0.5)
    seen = drawing.see(corners, 16)
    places = np.einsum("ij,ijk->ik", seen.weights, corners[seen.triangles][..., :2])
    expected = np.stack((seen.pixels % 16, seen.pixels // 16), axis=1) + 0.5
    np.testing.assert_allclose(places, expected, atol=1e-3)


def test_many_fragments_come_in_parts(drawing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    corners = np.concatenate([at_depth(depth) for depth in np.linspace(0.9, 0.1, 40)])
    whole = drawing.see(corners, 16)
    monkeypatch.setattr(drawing, "CHUNK", 100)
    parts = drawing.see(corners, 16)
    np.testing.assert_array_equal(parts.triangles, whole.triangles)
    assert set(whole.triangles // 2) == {39}


def test_what_has_no_area_or_lies_outside_shows_nothing(drawing: Any) -> None:
    line = np.zeros((1, 3, 3), np.float32)
    outside = at_depth(0.5) + np.array((40, -40, 0), np.float32)
    assert not len(drawing.see(np.concatenate((line, outside)), 16).pixels)


def test_the_front_is_seen_upright_with_its_texture(preview: Any) -> None:
    """A plate that faces the front: red above blue on its left, green above white on its right."""
    mesh = bpy.data.meshes.new("plate")
    mesh.from_pydata([(-1, 0, 0), (1, 0, 0), (1, 0, 2), (-1, 0, 2)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new().uv.foreach_set("vector", (0, 0, 1, 0, 1, 1, 0, 1))
    image = bpy.data.images.new("four", 2, 2)
    image.pixels = (0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1)
    image.pack()
    materials = import_module(preview.__package__ + ".materials")
    material = materials.new_material("plate")
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    base = materials.surface_of(material).inputs["Base Color"]
    material.node_tree.links.new(texture.outputs["Color"], base)
    mesh.materials.append(material)
    plate = bpy.data.objects.new("plate", mesh)

    picture = preview.render_preview(plate)

    assert picture.shape == (256, 256, 4)
    rows = np.flatnonzero(picture[:, 128, 3])
    top, bottom = rows[len(rows) // 4], rows[-len(rows) // 4]
    lit = [picture[row, column, :3] > 90 for row in (top, bottom) for column in (80, 176)]
    assert [tuple(each) for each in lit] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (True, True, True),
    ]


def test_a_black_ball_shows_its_roundness(preview: Any) -> None:
    mesh = bpy.data.meshes.new("ball")
    solid = bmesh.new()
    bmesh.ops.create_uvsphere(solid, u_segments=48, v_segments=24, radius=1.0)
    solid.to_mesh(mesh)
    solid.free()
    mesh.shade_smooth()
    materials = import_module(preview.__package__ + ".materials")
    material = materials.new_material("black")
    materials.surface_of(material).inputs["Base Color"].default_value = (0, 0, 0, 1)
    mesh.materials.append(material)

    picture = preview.render_preview(bpy.data.objects.new("ball", mesh)).astype(int)

    grey = picture[..., :3].mean(axis=2)[picture[..., 3] == 255]
    low, high = np.quantile(grey, (0.05, 0.95))
    assert high - low > 40
    assert high < 128
