# SPDX-License-Identifier: GPL-3.0-or-later
"""Image buffers as Blender keeps them, and as a picture file has them. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]


def buffer_of(image: Any) -> Pixels:
    """Copy the buffer of a `bpy.types.Image`: (height, width, channels), bottom row first."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, image.channels)


def shown_colors(buffer: Pixels, *, is_linear: bool, is_associated: bool | None = None) -> Pixels:
    """Return the buffer as (height, width, 4), 0 to 1, sRGB, straight alpha, top row first.

    Float buffers are scene linear with associated alpha, whatever the file held; `is_associated`
    says so where only one of the two is true.
    """
    pixels = _four_channels(buffer[::-1])
    if is_linear if is_associated is None else is_associated:
        pixels = straight(pixels)
    if is_linear:
        pixels = to_srgb(pixels)
    return np.ascontiguousarray(np.clip(np.nan_to_num(pixels), 0.0, 1.0))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror the pixels as Exif's orientation (1 to 8) asks for."""
    turned = np.swapaxes(pixels, 0, 1) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def straight(pixels: Pixels) -> Pixels:
    """Divide the colors by their alpha; what is fully transparent keeps its color."""
    alpha = pixels[..., 3:]
    divisor = np.where(alpha > 0.0, alpha, np.float32(1.0))
    return np.concatenate((pixels[..., :3] / divisor, alpha), axis=2)


def to_srgb(pixels: Pixels) -> Pixels:
    """Encode linear colors with the sRGB curve (IEC 61966-2-1); alpha stays."""
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
