# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture files written and read by Blender itself, as arrays with the top row first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".tga": "TARGA", ".exr": "OPEN_EXR"}


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write (height, width, 3 or 4) in the format that the path's suffix names."""
    height, width, channels = pixels.shape
    full = np.full((height, width, 4), 255, np.uint8)
    full[..., :channels] = pixels
    image = bpy.data.images.new(path.name, width, height, alpha=channels == 4)
    image.pixels.foreach_set((full[::-1].astype(np.float32) / 255).ravel())
    image.filepath_raw = str(path)
    image.file_format = FORMATS[path.suffix]
    image.save()
    bpy.data.images.remove(image)
    return path


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read the file as (height, width, 4)."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    found: Any = np.rint(values.reshape(height, width, 4)[::-1] * 255)
    return found.astype(np.uint8)
