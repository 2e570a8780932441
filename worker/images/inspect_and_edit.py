# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspect an image before it is sent, or edit it: crop, remove the background, put it on white.

The subject is detected as in the built-in provider. The image's own file is only read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..fresh_file import open_empty_file
from ..local.subject.answers import AnswerFile
from ..local.subject.box import box_of
from ..local.subject.foreground import Foreground, downscale_visible, find_foreground
from ..local.subject.salient import kept_answers
from ..progress import Report
from ..refusal import Refusal
from .pixels import Pixels
from .png import encode_png
from .read_image import read_image
from .subject_facts import COPY_SIDE, describe_refusal, describe_subject, subject_box

INSPECT_SIDE = 768
"""Longest side in pixels for inspection: warnings need no more."""
THUMBNAIL_SIDE = 256
"""Longest side in pixels of the small copy that is shown while a mesh is generated."""
EDIT_SIDE = 4096
"""Longest side in pixels of an edited image."""
PLAIN = "Use an image of a single object on a plain background."
NO_SUBJECT = "The subject cannot be separated from its background."


def inspect_image(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Detect the subject of `request["picture"]` and return what the user should be warned of.

    `transparent`: the image has transparent pixels. `answer`: the name under which the network's
    answer about the image is cached; "" without a cache. The other keys are those of
    `describe_subject` or, if no subject is found, of `describe_refusal`.

    Also write a small copy of the subject to `request["thumbnail"]`, as `_write_thumbnail` does,
    and one of the whole image to `request["copy"]`: four bytes per pixel, top row first.
    `thumbnail` and `copy` are their widths and heights, None if the request names no file. Raise
    Refusal if the image cannot be read.
    """
    report(0.0, "Checking the image")
    open_empty_file()
    pixels = read_image(request["picture"], request.get("orientation", 1), INSPECT_SIDE)
    kept = kept_answers(request)
    seen = {
        "transparent": bool((pixels[..., 3] < 0.5).any()),
        "answer": kept.name if kept else "",
        "copy": _write_copy(pixels, request.get("copy")),
    }
    try:
        detection = _find(pixels, request, kept)
    except Refusal as refusal:
        thumbnail = _write_thumbnail(pixels, request.get("thumbnail"))
        return {**seen, **describe_refusal(refusal), "thumbnail": thumbnail}
    shown = pixels if detection.fallback else _remove_background(detection)
    thumbnail = _write_thumbnail(shown, request.get("thumbnail"))
    return {**seen, **describe_subject(detection), "thumbnail": thumbnail}


def edit_image(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write the image as PNG, as the request asks: cropped, without its background, or on white.

    `crop` leaves a margin of `padding`, a share of the subject's longer side, around the subject.
    Return `width` and `height` in pixels. Raise Refusal if the image cannot be read, or if the
    subject is needed but not found.
    """
    report(0.0, "Editing the image")
    open_empty_file()
    pixels = read_image(request["picture"], request.get("orientation", 1), EDIT_SIDE)
    image_background = request.get("background", "keep")
    if request.get("crop") or image_background == "remove":
        detection = _find(pixels, request, kept_answers(request))
        if detection.fallback:
            raise Refusal("bad_image", NO_SUBJECT, PLAIN)
        pixels = _remove_background(detection) if image_background == "remove" else pixels
        if request.get("crop"):
            pixels = _crop(pixels, subject_box(detection.matte > 0.5), request.get("padding", 0.05))
    if image_background == "white":
        pixels = _put_on_white(pixels)
    whole = np.rint(pixels * np.float32(255.0)).astype(np.uint8)
    opaque = bool((whole[..., 3] == 255).all())
    picture = np.ascontiguousarray(whole[..., :3]) if opaque else whole
    Path(request["output"]).write_bytes(encode_png(picture))
    return {"width": int(whole.shape[1]), "height": int(whole.shape[0])}


def _find(pixels: Pixels, request: dict[str, Any], kept: AnswerFile | None) -> Foreground:
    mode, tolerance = request.get("mode", "auto"), request.get("tolerance", 0.5)
    return find_foreground(pixels, mode, tolerance, box_of(request), kept)


def _write_copy(pixels: Pixels, path: str | None) -> list[int] | None:
    """Write the whole image, with sides up to `COPY_SIDE` pixels, as RGBA bytes, top row first.

    Return its width and height; without a path, write nothing and return None.
    """
    if path is None:
        return None
    copy = downscale_visible(pixels, COPY_SIDE)
    whole = np.rint(np.clip(copy, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
    Path(path).write_bytes(whole.tobytes())
    return [int(copy.shape[1]), int(copy.shape[0])]


def _write_thumbnail(pixels: Pixels, path: str | None) -> list[int] | None:
    """Write a small copy as RGBA 32-bit floats, bottom row first.

    Return its width and height; without a path, write nothing and return None.
    """
    if path is None:
        return None
    step = -(-max(pixels.shape[:2]) // THUMBNAIL_SIDE)
    height, width = (max(1, side // step) for side in pixels.shape[:2])
    step = step if min(pixels.shape[:2]) >= step else 1
    tiles = pixels[: height * step, : width * step].reshape(height, step, width, step, 4)
    # Weighted by alpha, or the colors of the removed background would bleed into the edges.
    weights = tiles[..., 3:]
    alpha = weights.mean(axis=(1, 3))
    colors = (tiles[..., :3] * weights).mean(axis=(1, 3)) / np.maximum(alpha, np.float32(1e-6))
    small = np.concatenate((colors, alpha), axis=2)[::-1]
    Path(path).write_bytes(np.ascontiguousarray(small, np.float32).tobytes())
    return [width, height]


def _remove_background(detection: Foreground) -> Pixels:
    pixels = np.array(detection.picture, np.float32)
    pixels[..., 3] = np.minimum(pixels[..., 3], detection.matte)
    return pixels


def _crop(pixels: Pixels, box: list[float], padding: float) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = box[0] * width, box[1] * height
    right, bottom = box[2] * width, box[3] * height
    room = padding * max(right - left, bottom - top)
    rows = slice(max(0, int(top - room)), min(height, int(np.ceil(bottom + room))))
    columns = slice(max(0, int(left - room)), min(width, int(np.ceil(right + room))))
    return np.ascontiguousarray(pixels[rows, columns])


def _put_on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[..., 3:]
    flat = np.ones_like(pixels)
    flat[..., :3] = pixels[..., :3] * alpha + (np.float32(1.0) - alpha)
    return flat
