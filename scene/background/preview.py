# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the model's preview with numpy: base colours in a soft light from the upper left.

Workbench and EEVEE need a GPU, which a background Blender may not have; Cycles takes 0.4 to 1.3 s
for the same picture on two cores.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from .drawing import Floats, Seen, see
from .pixels import to_srgb
from .shading import base_colors, read_surface

SIZE = 256
SAMPLES = 2
MARGIN = 0.06
# Where the camera is, seen from the model: to the right, in front (-Y), above.
VIEW = Vector((0.45, -1.0, 0.3)).normalized()
KEY_LIGHT = Vector((-0.55, -0.6, 0.8)).normalized()
AMBIENT, DIFFUSE = 0.32, 0.85
# Linear light that no base colour takes away, so that a black thing shows its shape as well:
# an even sheen toward the key light, and more of it where the surface turns away.
SHEEN, RIM = 0.06, 0.12


def render_preview(root: bpy.types.Object) -> NDArray[np.uint8]:
    """Return a picture of the model: (SIZE, SIZE, 4), sRGB, straight alpha, top row first."""
    surface = read_surface([thing for thing in (root, *root.children_recursive) if thing.data])
    size = SIZE * SAMPLES
    seen = see(_on_screen(surface.corners, size), size)
    shown = np.zeros((size * size, 4), np.float32)
    shown[seen.pixels, :3] = _lit(base_colors(surface, seen), surface.normals, seen)
    shown[seen.pixels, 3] = 1.0
    mean = _smaller(shown.reshape(size, size, 4))
    mean[..., :3] /= np.maximum(mean[..., 3:], np.float32(1e-6))
    return np.rint(to_srgb(mean) * 255.0).astype(np.uint8)


def set_asset_preview(root: bpy.types.Object, picture: NDArray[np.uint8]) -> None:
    """Make the picture what the asset browser shows for the root."""
    preview = root.preview_ensure()
    preview.image_size = picture.shape[1], picture.shape[0]
    bottom_up = picture[::-1].astype(np.float32) / np.float32(255.0)
    preview.image_pixels_float.foreach_set(bottom_up.ravel())


def _smaller(pixels: Floats) -> Floats:
    """Return the mean of each SAMPLES x SAMPLES pixels."""
    places = [(x, y) for x in range(SAMPLES) for y in range(SAMPLES)]
    parts = (pixels[y::SAMPLES, x::SAMPLES] for x, y in places)
    return np.add.reduce(list(parts)) / np.float32(len(places))


def _on_screen(corners: Floats, size: int) -> Floats:
    """Turn world positions (m, 3, 3) to the camera, without perspective, to fill the picture."""
    right = Vector((0.0, 0.0, 1.0)).cross(VIEW).normalized()
    down = -VIEW.cross(right)
    turned = corners @ np.array((right, down, -VIEW), np.float32).T
    low, high = turned.min(axis=(0, 1)), turned.max(axis=(0, 1))
    extent = max(*(high - low)[:2], 1e-12)
    scale = np.float32(size * (1.0 - 2.0 * MARGIN) / extent)
    placed = (turned - (low + high) / 2) * scale + np.float32(size / 2)
    placed[..., 2] = (turned[..., 2] - low[2]) / max(high[2] - low[2], 1e-12)
    return placed


def _lit(colors: Floats, normals: Floats, seen: Seen) -> Floats:
    """Return seen pixels' colours (k, 3) in light that wraps around the shape, with a sheen."""
    normal = np.einsum("ij,ijk->ik", seen.weights, normals[seen.triangles])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), np.float32(1e-12))
    facing = normal @ np.array(VIEW, np.float32)
    key = np.where(facing < 0.0, -1.0, 1.0) * (normal @ np.array(KEY_LIGHT, np.float32))
    wrapped, turned = ((key + 1.0) / 2.0) ** 2, 1.0 - np.abs(facing)
    brightness = (AMBIENT + DIFFUSE * wrapped) * (1.0 - 0.25 * turned)
    sheen = SHEEN * wrapped + RIM * turned**3
    # The sheen lies over what is dark; what is bright keeps its own colour.
    shaded = colors * brightness[:, None]
    return (shaded + sheen[:, None] * np.maximum(1.0 - shaded, 0.0) ** 4).astype(np.float32)
