# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert an image that a service does not accept: format, size, Exif orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..fresh_file import open_empty_file
from ..progress import Report
from ..refusal import Refusal
from .pixels import Pixels
from .png import encode_png
from .read_image import read_image

JPEG_QUALITY = 95
"""High enough that artifacts do not show up in textures."""
SHRINK_FACTOR = 0.8
"""Factor by which the sides shrink until the file is small enough."""
SMALLEST_SIDE = 64


def convert_image(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write `request["picture"]` upright, with sides up to `max_side` pixels and up to `max_bytes`.

    `formats` lists the accepted formats. PNG is tried first, then JPEG. An image with transparency
    becomes a JPEG only if PNG is not accepted. If no file is small enough, the image is scaled
    down. Return, as `file`, the name of the file, which lies beside `output`. Raise Refusal if the
    image cannot be read or made to fit.
    """
    report(0.0, "Converting the image")
    open_empty_file()
    side = int(request["max_side"])
    while side >= SMALLEST_SIDE:
        pixels = read_image(request["picture"], request.get("orientation", 1), side)
        written = _write_within(pixels, request)
        if written:
            return {"file": written}
        # From the image's own size: below `max_side`, shrinking that would change nothing.
        side = int(min(side, max(pixels.shape[:2])) * SHRINK_FACTOR)
    raise Refusal(
        "bad_image",
        "The image cannot be converted to fit the service's limits.",
        "Use another image.",
    )


def _write_within(pixels: Pixels, request: dict[str, Any]) -> str:
    """Write the first accepted format whose file is small enough, and return the file's name.

    Return "" if no file is small enough.
    """
    opaque = bool((pixels[..., 3] >= 1.0).all())
    shown = np.round(pixels[..., : 3 if opaque else 4] * 255).astype(np.uint8)
    target, formats = Path(request["output"]), request["formats"]
    if "png" in formats:
        target.unlink(missing_ok=True)  # It may be a symbolic link.
        with target.open("xb") as file:
            file.write(encode_png(shown))
        if target.stat().st_size <= request["max_bytes"]:
            return target.name
        target.unlink()
    if "jpeg" in formats and (opaque or "png" not in formats):
        target = target.with_suffix(".jpg")
        target.unlink(missing_ok=True)
        _write_jpeg(shown, target)
        if target.stat().st_size <= request["max_bytes"]:
            return target.name
        target.unlink()
    return ""


def _write_jpeg(shown: NDArray[np.uint8], target: Path) -> None:
    """Write a JPEG with Blender; transparent pixels are blended with white.

    `shown` is an array (height, width, 3 or 4), top row first.
    """
    height, width, _ = shown.shape
    full = np.ones((height, width, 4), np.float32)
    # Blender's buffers start with the bottom row.
    full[..., :3] = shown[::-1, :, :3] / np.float32(255)
    if shown.shape[2] == 4:
        alpha = shown[::-1, :, 3:] / np.float32(255)
        full[..., :3] = full[..., :3] * alpha + (1 - alpha)
    image = bpy.data.images.new("fit", width, height)
    try:
        image.pixels.foreach_set(full.ravel())
        image.file_format = "JPEG"
        image.save(filepath=str(target), quality=JPEG_QUALITY)
    finally:
        bpy.data.images.remove(image)
