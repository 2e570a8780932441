# SPDX-License-Identifier: GPL-3.0-or-later
"""Encode copied pixels as PNG on the job's thread. No bpy.

Only the encoding needs numpy, which takes a quarter of a second to import. `image_source` imports
this file when a job reads the bytes, so the artist never waits for it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from ..worker.images.pixels import display_pixels
from ..worker.images.png import encode_png


@dataclass(frozen=True)
class ImageCopy:
    """A copy of an image buffer in Blender's layout: float32, bottom row first.

    `is_linear` is true for scene-linear colors, `is_associated` for premultiplied alpha. If
    `has_alpha` is false, alpha is ignored.
    """

    values: array[float]
    width: int
    height: int
    channels: int
    is_linear: bool
    is_associated: bool
    has_alpha: bool


def encode_copy(copied: ImageCopy) -> bytes:
    """Return an 8-bit sRGB PNG with straight alpha.

    It has no alpha if `has_alpha` is false or no pixel is transparent.
    """
    shape = (copied.height, copied.width, copied.channels)
    buffer = np.frombuffer(copied.values, np.float32).reshape(shape)
    pixels = display_pixels(buffer, is_linear=copied.is_linear, is_associated=copied.is_associated)
    whole = np.rint(pixels * np.float32(255.0)).astype(np.uint8)
    is_opaque = not copied.has_alpha or bool((whole[..., 3] == 255).all())
    return encode_png(np.ascontiguousarray(whole[..., :3]) if is_opaque else whole)
