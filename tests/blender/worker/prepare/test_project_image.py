# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is projected onto meshes without colors: front, back, rotation, and where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import write_picture
from mathutils import Vector

from .test_prepare import Arrays, base_color_source, write_glb

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RED, BLUE, GREEN = (220, 30, 30), (30, 30, 220), (30, 200, 30)


def ball(rings: int = 24) -> Arrays:
    """Return a ball of quads as triangles, twice as wide as it is high, with glTF's Y up."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings + 1), indexing="ij"
    )
    points = np.stack(
        [2 * np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1
    )
    row, column = np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij")
    first = (row * (2 * rings + 1) + column).ravel()
    below = first + 2 * rings + 1
    quads = np.stack([first, below, below + 1, first, below + 1, first + 1], -1)
    return {
        "POSITION": points.reshape(-1, 3).astype(np.float32),
        "indices": quads.reshape(-1, 3).astype(np.uint16),
    }


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A disk at the right of a transparent image: above green, below red at the left, else blue."""
    rows, columns = np.mgrid[:200, :300].astype(np.float64)
    pixels = np.zeros((200, 300, 4), np.uint8)
    disk = (rows - 100) ** 2 + (columns - 190) ** 2 < 80**2
    pixels[disk] = (*GREEN, 255)
    pixels[disk & (rows > 100) & (columns < 190)] = (*RED, 255)
    pixels[disk & (rows > 100) & (columns >= 190)] = (*BLUE, 255)
    return write_picture(tmp_path / "image.png", pixels)


@pytest.fixture
def project(tmp_path: Path) -> Any:
    """Return a function that prepares a mesh with a projection; it returns answer and object."""

    def run(mesh: Path, image: Path, rotation: int = 0) -> tuple[dict[str, Any], bpy.types.Object]:
        request = {
            "mesh": str(mesh), "name": "cup", "output": str(tmp_path / "model.blend"),
            "projection": {"picture": str(image), "orientation": 1, "rotation": rotation},
        }  # fmt: skip
        done = addon_module("worker.prepare.build_model").prepare_model(request, lambda *_: None)
        with bpy.data.libraries.load(request["output"], link=False) as (there, here):
            here.objects = there.objects
        return done, here.objects[0]

    return run


def color_towards(obj: bpy.types.Object, direction: tuple[float, float, float]) -> NDArray[Any]:
    """Return the color, 0 to 255, of the face that points most to a direction."""
    image = base_color_source(obj).image
    width, height = image.size
    pixels = np.array(image.pixels[:]).reshape(height, width, 4)
    aim = Vector(direction).normalized()
    face = max(obj.data.polygons, key=lambda face: face.normal.dot(aim))
    layer = obj.data.uv_layers.active
    uv = np.mean([layer.uv[corner].vector for corner in face.loop_indices], axis=0)
    color = pixels[int(uv[1] * height), int(uv[0] * width), :3] * 255
    return np.asarray(color)


def is_like(color: NDArray[Any], expected: tuple[int, int, int]) -> bool:
    """Return whether two colors have the same hue."""
    others = [other for other in (RED, BLUE, GREEN) if other != expected]
    distance = np.abs(color - expected).sum()
    return bool(all(distance < np.abs(color - other).sum() for other in others))


DIRECTIONS = [((-1, -2, -2), RED), ((1, -2, -2), BLUE), ((0, -1, 2), GREEN)]
"""Directions from the center to parts of the front, and their colors."""


@pytest.mark.parametrize(("direction", "color"), DIRECTIONS)
def test_the_front_shows_the_image(
    project: Any, image: Path, tmp_path: Path, direction: Any, color: Any
) -> None:
    done, obj = project(write_glb(tmp_path / "mesh.glb", ball()), image)
    assert done["notes"] == ["The image was projected onto the mesh, which came without colors."]
    assert base_color_source(obj).type == "TEX_IMAGE"
    assert is_like(color_towards(obj, direction), color)


@pytest.mark.parametrize(("direction", "color"), DIRECTIONS)
def test_the_back_continues_the_outline(
    project: Any, image: Path, tmp_path: Path, direction: Any, color: Any
) -> None:
    _, obj = project(write_glb(tmp_path / "mesh.glb", ball()), image)
    behind = (2 * direction[0], 0.3, direction[2])
    assert is_like(color_towards(obj, behind), color)


def test_the_models_front_is_where_its_provider_says(
    project: Any, image: Path, tmp_path: Path
) -> None:
    # Rotated by 90 degrees, +X is at the left of the image and -Y is seen from the side.
    _, obj = project(write_glb(tmp_path / "mesh.glb", ball()), image, 90)
    assert is_like(color_towards(obj, (-4, 1, -2)), RED)
    assert is_like(color_towards(obj, (-4, -1, -2)), BLUE)


def test_a_mesh_with_colors_keeps_them(project: Any, image: Path, tmp_path: Path) -> None:
    arrays = ball()
    colors = np.full((len(arrays["POSITION"]), 4), 255, np.uint8)
    colors[::2, 0] = 0
    done, obj = project(write_glb(tmp_path / "mesh.glb", {**arrays, "COLOR_0": colors}), image)
    assert done["notes"] == []
    assert base_color_source(obj).type == "VERTEX_COLOR"


def test_an_image_without_a_subject_changes_nothing(project: Any, tmp_path: Path) -> None:
    blank = write_picture(tmp_path / "blank.png", np.full((64, 64, 3), 200, np.uint8))
    done, obj = project(write_glb(tmp_path / "mesh.glb", ball()), blank)
    assert "could not be projected" in done["notes"][0]
    assert not obj.data.uv_layers
