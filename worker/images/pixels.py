# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert between Blender's image buffers and the pixel layout of image files. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]


def buffer_of(image: Any) -> Pixels:
    """Return a copy of a `bpy.types.Image`'s buffer (height, width, channels), bottom row first."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, image.channels)


def display_pixels(buffer: Pixels, *, is_linear: bool, is_associated: bool | None = None) -> Pixels:
    """Return the buffer as (height, width, 4), 0 to 1, sRGB, straight alpha, top row first.

    `is_linear`: the buffer is scene linear, as Blender's float buffers are. `is_associated`: its
    alpha is associated; None stands for the value of `is_linear`.
    """
    pixels = _four_channels(buffer[::-1])
    if is_linear if is_associated is None else is_associated:
        pixels = to_straight_alpha(pixels)
    if is_linear:
        pixels = to_srgb(pixels)
    return np.ascontiguousarray(np.clip(np.nan_to_num(pixels), 0.0, 1.0))


def apply_orientation(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels rotated and mirrored according to an Exif orientation (1 to 8)."""
    oriented = np.swapaxes(pixels, 0, 1) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        oriented = oriented[::-1]
    if orientation in (2, 3, 6, 7):
        oriented = oriented[:, ::-1]
    return np.ascontiguousarray(oriented)


def to_straight_alpha(pixels: Pixels) -> Pixels:
    """Return the pixels with associated alpha converted to straight alpha.

    Fully transparent pixels keep their color.
    """
    alpha = pixels[..., 3:]
    divisor = np.where(alpha > 0.0, alpha, np.float32(1.0))
    return np.concatenate((pixels[..., :3] / divisor, alpha), axis=2)


def to_srgb(pixels: Pixels) -> Pixels:
    """Encode linear colors with the sRGB curve, clipped to 0 to 1; alpha is unchanged.

    The curve is that of IEC 61966-2-1.
    """
    linear = np.clip(np.nan_to_num(pixels[..., :3]), np.float32(0.0), np.float32(1.0))
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.concatenate((encoded, pixels[..., 3:]), axis=2).astype(np.float32, copy=False)


def _four_channels(pixels: Pixels) -> Pixels:
    height, width, channels = pixels.shape
    if channels == 4:
        return pixels
    full = np.ones((height, width, 4), np.float32)
    full[..., :3] = pixels[..., :3] if channels == 3 else pixels[..., :1]
    if channels == 2:
        full[..., 3] = pixels[..., 1]
    return full
