# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels that were copied out of Blender, made a PNG file of. Runs on the job's thread; no bpy.

Only this half needs numpy, which takes a quarter of a second to import: `pictures` imports this
file when a job asks for the bytes, so the artist never waits for it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from ..worker.images.pixels import shown_colors
from ..worker.images.png import encode_png


@dataclass(frozen=True)
class Copied:
    """An image buffer as Blender keeps it: 32-bit floats, bottom row first."""

    values: array[float]
    width: int
    height: int
    channels: int
    is_linear: bool
    is_associated: bool
    has_alpha: bool


def png_of(copied: Copied) -> bytes:
    """Return an 8-bit sRGB PNG with straight alpha; without alpha where nothing is transparent."""
    shape = (copied.height, copied.width, copied.channels)
    buffer = np.frombuffer(copied.values, np.float32).reshape(shape)
    pixels = shown_colors(buffer, is_linear=copied.is_linear, is_associated=copied.is_associated)
    whole = np.rint(pixels * np.float32(255.0)).astype(np.uint8)
    is_opaque = not copied.has_alpha or bool((whole[..., 3] == 255).all())
    return encode_png(np.ascontiguousarray(whole[..., :3]) if is_opaque else whole)
