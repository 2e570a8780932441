# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture file's pixels, read by Blender, in one layout whatever the file's own."""

from __future__ import annotations

import bpy

from ..refusal import Refusal
from .decoder_messages import GAVE_NOTHING, decoder_words
from .pixels import Pixels, buffer_of, shown_colors, upright

READABLE = "Use a PNG, JPEG, WebP, BMP, TIFF, OpenEXR or HDR picture."


def read_photo(path: str, orientation: int, longest_side: int) -> Pixels:
    """Read the picture at `path`, scaled down to `longest_side` pixels where it is larger.

    Return (height, width, 4) from 0 to 1, sRGB encoded, straight alpha, top row first, turned
    upright by `orientation` (Exif, 1 to 8). Raise Refusal if Blender cannot read the file.
    """
    image = _load(path)
    try:
        _scale_down(image, longest_side)
        pixels = shown_colors(buffer_of(image), is_linear=image.is_float)
        if image.file_format == "BMP" and not pixels[..., 3].any():
            # A byte that nobody has set is no transparency: viewers show such a picture.
            pixels[..., 3] = 1.0  # guard: unused-byte-of-bmp
        return upright(pixels, orientation)
    finally:
        bpy.data.images.remove(image)


def _load(path: str) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(path)
    except RuntimeError as error:
        raise Refusal("bad_image", "The picture cannot be opened.", READABLE) from error
    # The size is read first: it is what makes Blender decode the file.
    with decoder_words() as words:
        is_read = min(image.size) > 0 and image.source == "FILE" and image.channels > 0
    if any(GAVE_NOTHING in one for one in words):  # guard: decoder-gave-nothing
        bpy.data.images.remove(image)
        raise Refusal("bad_image", "Blender cannot unpack this picture.", "Save it as PNG.")
    if is_read:
        return image
    has_layers = image.type == "MULTILAYER"
    bpy.data.images.remove(image)
    if has_layers:
        what = "The picture has several layers."
        raise Refusal("bad_image", what, "Save one layer of it as a picture.")
    raise Refusal("bad_image", "Blender cannot read this picture.", READABLE)


def _scale_down(image: bpy.types.Image, longest_side: int) -> None:
    factor = longest_side / max(image.size)
    if factor < 1.0:
        image.scale(*(max(1, round(side * factor)) for side in image.size))
