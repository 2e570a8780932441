# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a picture before it is sent, and develop a better one: cropped, cut out, on white.

The subject is found as the built-in provider finds it. The picture's own file is only read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fresh_file import empty_file
from ..local.subject.components import labeled
from ..local.subject.foreground import Foreground, foreground
from ..refusal import Refusal
from .pixels import Pixels
from .png import encode_png
from .read_image import read_photo

LOOK_SIDE = 768
"""Longest side in pixels of what is looked at: warnings need no more."""
DEVELOP_SIDE = 4096
TOUCHING = 0.02
"""Share of a side that the subject has to touch to count as cut off."""
OTHER = 0.15
"""Share of the largest part from which another one is a subject of its own."""
EDGE = 2
PLAIN = "Use a picture of one thing on a plain background."
NO_SUBJECT = "The subject cannot be told from its background."

Report = Callable[[float, str], None]


def look(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Say what is in the picture: the subject's box, where it is cut off, how bright it is."""
    report(0.0, "Looking at the picture")
    empty_file()
    pixels = read_photo(request["picture"], request.get("orientation", 1), LOOK_SIDE)
    transparent = bool((pixels[..., 3] < 0.5).any())
    try:
        found = foreground(pixels, request.get("mode", "auto"), request.get("tolerance", 0.5))
    except Refusal as refusal:
        return {"transparent": transparent, "clear": False, "why": refusal.message}
    subject = found.matte > 0.5
    seen = subject & (found.picture[..., 3] > 0.5)
    return {
        "transparent": transparent,
        "clear": not found.fallback,
        "box": _box(subject),
        "cut": [] if found.fallback else _cut(subject),
        "parts": 1 if found.fallback else _parts(subject),
        "brightness": round(_brightness(found.picture, seen), 4),
    }


def develop(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write the picture cropped to its subject, without its background, or on white.

    `padding` is a share of the subject's longer side. Raise Refusal where there is no subject.
    """
    report(0.0, "Developing the picture")
    empty_file()
    pixels = read_photo(request["picture"], request.get("orientation", 1), DEVELOP_SIDE)
    background = request.get("background", "keep")
    if request.get("crop") or background == "remove":
        found = foreground(pixels, request.get("mode", "auto"), request.get("tolerance", 0.5))
        if found.fallback:
            raise Refusal("bad_image", NO_SUBJECT, PLAIN)
        pixels = _without(found) if background == "remove" else pixels
        if request.get("crop"):
            pixels = _cropped(pixels, _box(found.matte > 0.5), request.get("padding", 0.05))
    if background == "white":
        pixels = _on_white(pixels)
    whole = np.rint(pixels * np.float32(255.0)).astype(np.uint8)
    opaque = bool((whole[..., 3] == 255).all())
    picture = np.ascontiguousarray(whole[..., :3]) if opaque else whole
    Path(request["output"]).write_bytes(encode_png(picture))
    return {"width": int(whole.shape[1]), "height": int(whole.shape[0])}


def _box(subject: NDArray[np.bool_]) -> list[float]:
    """Return left, top, right and bottom of the subject as shares of the picture's sides."""
    height, width = subject.shape
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if not len(rows):
        return [0.0, 0.0, 1.0, 1.0]
    sides = (columns[0] / width, rows[0] / height)
    ends = ((columns[-1] + 1) / width, (rows[-1] + 1) / height)
    return [round(float(side), 5) for side in (*sides, *ends)]


def _cut(subject: NDArray[np.bool_]) -> list[str]:
    edges = {
        "left": subject[:, :EDGE].any(axis=1),
        "top": subject[:EDGE].any(axis=0),
        "right": subject[:, -EDGE:].any(axis=1),
        "bottom": subject[-EDGE:].any(axis=0),
    }
    return [name for name, edge in edges.items() if edge.mean() > TOUCHING]


def _parts(subject: NDArray[np.bool_]) -> int:
    labels, number = labeled(subject, diagonal=True)
    if number < 2:
        return int(number)
    sizes = np.bincount(labels[subject].ravel())
    return int((sizes > OTHER * sizes.max()).sum())


def _brightness(picture: Pixels, subject: NDArray[np.bool_]) -> float:
    """Return the mean of the subject's luma, 0 to 1."""
    seen = picture[subject] if subject.any() else picture.reshape(-1, 4)
    return float((seen[:, :3] @ np.array([0.2126, 0.7152, 0.0722], np.float32)).mean())


def _without(found: Foreground) -> Pixels:
    pixels = np.array(found.picture, np.float32)
    pixels[..., 3] = np.minimum(pixels[..., 3], found.matte)
    return pixels


def _cropped(pixels: Pixels, box: list[float], padding: float) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = box[0] * width, box[1] * height
    right, bottom = box[2] * width, box[3] * height
    room = padding * max(right - left, bottom - top)
    rows = slice(max(0, int(top - room)), min(height, int(np.ceil(bottom + room))))
    columns = slice(max(0, int(left - room)), min(width, int(np.ceil(right + room))))
    return np.ascontiguousarray(pixels[rows, columns])


def _on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[..., 3:]
    flat = np.ones_like(pixels)
    flat[..., :3] = pixels[..., :3] * alpha + (np.float32(1.0) - alpha)
    return flat
