# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an image file with Blender, in one pixel layout for all formats."""

from __future__ import annotations

import bpy

from ..refusal import Refusal
from .decoder_messages import NO_DECODER, capture_stderr
from .pixels import Pixels, apply_orientation, buffer_of, display_pixels

READABLE = "Use a PNG, JPEG, WebP, BMP, TIFF, OpenEXR, or HDR image."


def read_image(path: str, orientation: int, longest_side: int) -> Pixels:
    """Return the pixels of the image file, scaled down if a side exceeds `longest_side`.

    The result is (height, width, 4) float32 from 0 to 1, sRGB, straight alpha, top row first,
    upright according to `orientation` (Exif, 1 to 8). Raise Refusal if Blender cannot read the
    file.
    """
    image = _load(path)
    try:
        _scale_down(image, longest_side)
        pixels = display_pixels(buffer_of(image), is_linear=image.is_float)
        if image.file_format == "BMP" and not pixels[..., 3].any():
            # The fourth byte of 32-bit BMPs is unused in most files: viewers show them as opaque.
            pixels[..., 3] = 1.0  # guard: unused-byte-of-bmp
        return apply_orientation(pixels, orientation)
    finally:
        bpy.data.images.remove(image)


def _load(path: str) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(path)
    except RuntimeError as error:
        raise Refusal("bad_image", "The image cannot be opened.", READABLE) from error
    # Reading the size makes Blender decode the file.
    # libtiff reports a missing decoder only there; see `decoder_messages`.
    # A movie or a set of tiles has another source than FILE.
    with capture_stderr() as words:
        is_read = min(image.size) > 0 and image.source == "FILE" and image.channels > 0
    if any(NO_DECODER in output for output in words):  # guard: decoder-gave-nothing
        bpy.data.images.remove(image)
        raise Refusal(
            "bad_image", "Blender cannot decompress this image.", "Save it as a PNG file."
        )
    if is_read:
        return image
    has_layers = image.type == "MULTILAYER"
    bpy.data.images.remove(image)
    if has_layers:
        message = "The image has several layers."
        raise Refusal("bad_image", message, "Save one layer of it as an image.")
    raise Refusal("bad_image", "Blender cannot read this image.", READABLE)


def _scale_down(image: bpy.types.Image, longest_side: int) -> None:
    factor = longest_side / max(image.size)
    if factor < 1.0:
        image.scale(*(max(1, round(side * factor)) for side in image.size))
