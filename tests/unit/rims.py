# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of where front and back meet, for the local provider's tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from unit.local_shapes import corner_normals


def _halves(model: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the triangles of front and back."""
    half = len(model.triangles) // 2
    return model.triangles[:half], model.triangles[half:]


def _rim_sides(model: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the rim's directed sides (k, 2), and the triangle of each in front and behind."""
    count = len(model.vertices)
    found = []
    for half in _halves(model):
        following = np.roll(half, -1, axis=1).astype(np.int64)
        low, high = np.minimum(half, following), np.maximum(half, following)
        keys = (low * count + high).ravel()
        unique, first, uses = np.unique(keys, return_index=True, return_counts=True)
        found.append((unique[uses == 1], first[uses == 1]))
    (keys, front), (others, back) = found
    assert np.array_equal(keys, others), "front and back share the rim"
    triangles = model.triangles[: len(model.triangles) // 2]
    sides = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2)[front]
    return sides, front // 3, len(triangles) + back // 3


def rim_folds(model: Any) -> NDArray[Any]:
    """Return the angle in degrees between front and back at each side of the rim; 0 is flat."""
    _, front, back = _rim_sides(model)
    normals = corner_normals(model)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    cosine = np.einsum("ij,ij->i", normals[front], normals[back])
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def rim_wobble(model: Any) -> NDArray[Any]:
    """Return, for each vertex of the rim, how far its normal is from its neighbors', in degrees.

    It is the second difference of the vertex normals along the rim.
    """
    normals = _vertex_normals(model)
    sides, _, _ = _rim_sides(model)
    after = np.zeros(len(normals), np.int64)
    after[sides[:, 0]] = sides[:, 1]
    start, middle = sides.T
    off = normals[start] - 2.0 * normals[middle] + normals[after[middle]]
    return np.asarray(np.degrees(np.linalg.norm(off, axis=1)))


def _vertex_normals(model: Any) -> NDArray[Any]:
    """Return normals (n, 3), averaged over the faces by their angles at the vertex."""
    faces, corners = corner_normals(model), model.vertices.astype(np.float64)[model.triangles]
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    normals = np.zeros(model.vertices.shape)
    for k in range(3):
        ahead, behind = corners[:, k - 2] - corners[:, k], corners[:, k - 1] - corners[:, k]
        lengths = np.linalg.norm(ahead, axis=1) * np.linalg.norm(behind, axis=1)
        cosine = np.einsum("ij,ij->i", ahead, behind) / lengths
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        np.add.at(normals, model.triangles[:, k], faces * angle[:, None])
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def rim_steps(model: Any) -> NDArray[Any]:
    """Return the color difference (CIE 1976) of front and back at each vertex of the rim."""
    front, back = _halves(model)
    rim = np.intersect1d(front, back)
    places = np.zeros((2, len(model.vertices), 2))
    for place, half, uv in zip(places, (front, back), np.split(model.uv, 2), strict=True):
        place[half.ravel()] = uv.reshape(-1, 2)
    return color_differences(*(sample(model, place[rim]) for place in places))


def sample(model: Any, uv: NDArray[Any]) -> NDArray[Any]:
    """Return the texture's colors (n, 3) from 0 to 1 at UV (n, 2), with bilinear filtering."""
    height, width = model.texture.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0.0, width - 1.001)
    y = np.clip((1.0 - uv[:, 1]) * height - 0.5, 0.0, height - 1.001)
    column, row = x.astype(int), y.astype(int)
    along, down = (x - column)[:, None], (y - row)[:, None]
    pixels = model.texture / 255.0
    above = pixels[row, column] * (1.0 - along) + pixels[row, column + 1] * along
    below = pixels[row + 1, column] * (1.0 - along) + pixels[row + 1, column + 1] * along
    return np.asarray(above * (1.0 - down) + below * down)


def color_differences(first: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Return the distances (n,) in CIELAB of sRGB colors (n, 3)."""
    return np.asarray(np.linalg.norm(_lab(first) - _lab(other), axis=1))


def _lab(colors: NDArray[Any]) -> NDArray[Any]:
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ (np.array(to_xyz) / np.array([[0.9505], [1.0], [1.089]])).T
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0).T
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=1)
