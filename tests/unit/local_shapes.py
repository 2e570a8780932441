# SPDX-License-Identifier: GPL-3.0-or-later
"""Images to build meshes from, and measures of the meshes, for the local provider's tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from unit.worker_package import load

local = load("local")
Refusal = load("refusal").Refusal

DEFAULTS: dict[str, Any] = {
    "foreground": "auto",
    "tolerance": 0.5,
    "shape": "inflate",
    "thickness": 1.0,
    "plate": 0.05,
    "smoothness": 0.25,
    "face_count": 40_000,
    "back": "rim",
    "height": 1.0,
    "texture_size": 2048,
    "box_left": 0.0,
    "box_top": 0.0,
    "box_right": 1.0,
    "box_bottom": 1.0,
}


def build(pixels: NDArray[Any], **settings: Any) -> Any:
    return local.build(pixels, {**DEFAULTS, **settings}, lambda fraction, phase: None)


def grid(height: int, width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return x and y of pixel centers."""
    y, x = np.mgrid[:height, :width] + 0.5
    return x, y


def paint(alpha: NDArray[Any]) -> NDArray[np.float32]:
    """Return a picture (h, w, 4) whose colors tell the place, under the given alpha."""
    height, width = alpha.shape
    x, y = grid(height, width)
    picture = np.stack([x / width, y / height, 0.4 + 0 * x, alpha], axis=2)
    return np.asarray(picture, np.float32)


def disc(size: int = 256, radius: float = 100.0, middle: tuple[float, float] | None = None) -> Any:
    x, y = grid(size, size)
    cx, cy = middle or (size / 2, size / 2)
    return np.clip(radius - np.hypot(x - cx, y - cy) + 0.5, 0.0, 1.0)


def annulus(size: int = 256, outer: float = 100.0, inner: float = 45.0) -> Any:
    return disc(size, outer) - disc(size, inner)


def part_numbers(triangles: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the part of each triangle."""
    flat = triangles.astype(np.int64)
    first = np.concatenate([flat[:, 0], flat[:, 1]])
    second = np.concatenate([flat[:, 1], flat[:, 2]])
    names = load("local.subject.components").component_labels(count, first, second)[flat[:, 0]]
    return np.asarray(np.unique(names, return_inverse=True)[1]).reshape(-1)


def corner_normals(model: Any) -> NDArray[Any]:
    """Return each triangle's normal with twice its area as length."""
    corners = model.vertices.astype(np.float64)[model.triangles]
    return np.asarray(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))


def euler_characteristic(model: Any) -> int:
    return len(model.vertices) - len(model.triangles) * 3 // 2 + len(model.triangles)


def assert_sound(model: Any) -> None:
    """Assert a closed 2-manifold with outward normals, no lost vertex and no flat triangle."""
    triangles = model.triangles.astype(np.int64)
    count = len(model.vertices)
    assert np.array_equal(np.unique(triangles), np.arange(count))
    following = np.roll(triangles, -1, axis=1)
    forth = (triangles * count + following).ravel()
    back = (following * count + triangles).ravel()
    assert len(np.unique(forth)) == len(forth), "a directed side is used twice"
    assert np.array_equal(np.sort(forth), np.sort(back)), "a side has only one triangle"
    assert_one_fan_per_vertex(triangles, count)
    area = np.linalg.norm(corner_normals(model), axis=1) / 2.0
    assert area.min() > 1e-4 * np.median(area)
    names = part_numbers(triangles, count)
    corners = model.vertices.astype(np.float64)[model.triangles]
    volume = np.einsum("ij,ij->i", corners[:, 0], corner_normals(model)) / 6.0
    assert (np.bincount(names, volume) > 0.0).all()


def assert_one_fan_per_vertex(triangles: NDArray[Any], count: int) -> None:
    """Assert that the triangles around each vertex are connected: no two parts touch in a point.

    Corners are nodes; two corners at one vertex are joined where their triangles share a side.
    """
    corner = np.arange(triangles.size).reshape(triangles.shape)
    after, before = np.roll(triangles, -1, axis=1), np.roll(triangles, 1, axis=1)
    out = (triangles * count + after).ravel()
    into = (triangles * count + before).ravel()
    leaving, arriving = np.argsort(out), np.argsort(into)
    fans = load("local.subject.components").component_labels(
        triangles.size, corner.ravel()[leaving], corner.ravel()[arriving]
    )
    assert len(np.unique(fans)) == count, "a vertex is pinched"


def islands(model: Any) -> NDArray[Any]:
    """Return the UV island of each triangle: neighbors whose UVs agree along a side."""
    flat = np.round(model.uv.reshape(-1, 2).astype(np.float64), 6)
    place = np.concatenate([model.triangles.reshape(-1, 1), flat], axis=1)
    _, names = np.unique(place, axis=0, return_inverse=True)
    names = names.reshape(model.triangles.shape)
    return part_numbers(names, int(names.max()) + 1)


def rasterize(
    points: NDArray[Any], triangles: NDArray[Any], shape: tuple[int, int]
) -> NDArray[Any]:
    """Rasterize flat triangles, pixels (x, y), to a mask of `shape`."""
    fine = 4
    image = Image.new("1", (shape[1] * fine, shape[0] * fine))
    draw = ImageDraw.Draw(image)
    # ImageDraw's pixel centers are whole numbers.
    for corners in (points * fine - 0.5)[triangles].reshape(-1, 6).tolist():
        draw.polygon(corners, fill=1)
    share = np.asarray(image, np.float32).reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))
    return np.asarray(share > 0.5)


def front_outline(model: Any, truth: NDArray[Any]) -> NDArray[Any]:
    """Return a model's outline from the front, at the size and place of a mask of its subject."""
    rows, columns = np.nonzero(truth)
    tall = np.ptp(rows) + 1
    middle = 0.5 * (columns.min() + columns.max() + 1)
    x = middle + tall * model.vertices[:, 0] / model.vertices[:, 2].max()
    y = rows.max() + 1 - tall * model.vertices[:, 2] / model.vertices[:, 2].max()
    size = truth.shape[0], truth.shape[1]
    return rasterize(np.stack([x, y], axis=1).astype(np.float64), model.triangles, size)


def overlap(first: NDArray[Any], other: NDArray[Any]) -> float:
    """Return intersection over union."""
    return float((first & other).sum() / (first | other).sum())
