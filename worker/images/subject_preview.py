# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw an image as the provider will get it: on a checkerboard, its subject outlined.

Previews are made from the small copy that an inspection has written. The last copy is remembered:
while the user drags a setting, each preview costs one detection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..local.array_types import Bools, Singles
from ..local.shape.raster import box_filter
from ..local.subject.answers import AnswerFile
from ..local.subject.box import Box, box_of
from ..local.subject.foreground import SubjectFinder
from ..local.subject.salient import answers_named
from ..progress import Report
from ..refusal import Refusal
from .pixels import Pixels
from .subject_facts import COPY_SIDE, describe_refusal, describe_subject

CHECKER = (0.36, 0.44)
"""Gray values of the checkerboard: black and white subjects both stand out from them."""
SQUARES = 20
"""Squares of the checkerboard along the longer side."""
KEPT = 0.3
"""Opacity of the image outside of the outline."""
LINE_COLOR = (1.0, 0.63, 0.16)
"""The color in which Blender outlines the active object."""
# In pixels of a preview of COPY_SIDE, which is shown at a third to two thirds of its size.
LINE = 4
HALO = 2
HALO_STRENGTH = 0.55
DASH = 8
"""Length in pixels of the dashes of the subject's box."""

_last: dict[tuple[bytes, AnswerFile | None], tuple[Pixels, SubjectFinder]] = {}
"""The copy that the last preview was made from; at most one."""


def draw_preview(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write a preview of `request["copy"]` to `request["preview"]`: RGBA bytes, bottom row first.

    If the request has a `mode`, the subject is outlined; if it has a box, the box is drawn.
    `request["answer"]` is the `answer` that the inspection returned. Return the preview's `width`
    and `height` in pixels. With a `mode`, also return the facts of `describe_subject` or, if no
    subject is found, of `describe_refusal`.
    """
    report(0.0, "Checking the image")
    box = box_of(request)
    pixels, finder = _open_copy(request)
    mode = request.get("mode")
    facts: dict[str, Any] = {}
    matte = np.zeros(pixels.shape[:2], np.float32) if mode else None
    try:
        if mode:
            found = finder.find(mode, request["tolerance"], box)
            matte, facts = found.matte, describe_subject(found, whole=mode == "none")
    except Refusal as refusal:
        facts = describe_refusal(refusal)
    drawn = render_preview(pixels, matte)
    if box is not None:
        draw_box(drawn, box)
    Path(request["preview"]).write_bytes(drawn[::-1].tobytes())
    return {**facts, "width": int(drawn.shape[1]), "height": int(drawn.shape[0])}


def render_preview(pixels: Pixels, matte: Singles | None) -> NDArray[np.uint8]:
    """Return the image (h, w, 4) on a checkerboard, as opaque bytes, top row first.

    With a matte (h, w), the image is faint outside of the subject, and the subject is outlined.
    Small images are enlarged by a whole factor, so that the outline keeps its width.
    """
    times = max(1, COPY_SIDE // max(pixels.shape[:2]))
    pixels = np.repeat(np.repeat(pixels, times, axis=0), times, axis=1)
    alpha = pixels[..., 3:]
    if matte is None:
        colors = _over(_checkerboard(pixels.shape[:2]), pixels[..., :3], alpha)
    else:
        matte = np.repeat(np.repeat(matte, times, axis=0), times, axis=1)
        seen = np.float32(KEPT) + np.float32(1.0 - KEPT) * matte[..., None]
        colors = _over(_checkerboard(pixels.shape[:2]), pixels[..., :3], alpha * seen)
        colors = _draw_outline(colors, matte > 0.5)
    whole = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    whole[..., :3] = np.rint(np.clip(colors, 0.0, 1.0) * np.float32(255.0))
    return whole


def draw_box(drawn: NDArray[np.uint8], box: Box) -> None:
    """Draw a rectangle of dark and light dashes into a preview, visible on any image."""
    rows, columns = box.pixels(drawn.shape)
    frame = np.zeros(drawn.shape[:2], np.bool_)
    frame[rows, columns] = True
    frame[rows.start + HALO : rows.stop - HALO, columns.start + HALO : columns.stop - HALO] = False
    row, column = np.nonzero(frame)
    is_light = ((row + column) // DASH) % 2 == 0
    drawn[row, column, :3] = np.where(is_light, 255, 32)[:, None]


def _open_copy(request: dict[str, Any]) -> tuple[Pixels, SubjectFinder]:
    width, height = request["size"]
    data = Path(request["copy"]).read_bytes()
    kept = answers_named(request)
    if (data, kept) not in _last:
        whole = np.frombuffer(data, np.uint8).reshape(height, width, 4)
        pixels = whole.astype(np.float32) / np.float32(255.0)
        _last.clear()
        _last[data, kept] = pixels, SubjectFinder(pixels, kept)
    return _last[data, kept]


def _checkerboard(shape: tuple[int, ...]) -> Singles:
    height, width = shape
    side = max(1, max(shape) // SQUARES)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    odd = (rows[:, None] + columns) % 2
    return np.asarray(CHECKER, np.float32)[odd][..., None]


def _over(below: Singles, colors: Singles, alpha: Singles) -> Singles:
    return np.asarray(below + (colors - below) * alpha, np.float32)


def _draw_outline(colors: Singles, subject: Bools) -> Singles:
    """Return the colors with a line inside the subject's edge, and a dark halo outside of it."""
    if not subject.any():
        return colors
    line = subject & ~_shrink(subject, LINE)
    halo = ~_shrink(~subject, HALO, outside=True) & ~subject
    colors = _over(colors, np.zeros(3, np.float32), _soften(halo) * np.float32(HALO_STRENGTH))
    return _over(colors, np.asarray(LINE_COLOR, np.float32), _soften(line))


def _shrink(mask: Bools, pixels: int, *, outside: bool = False) -> Bools:
    """Return the mask without the pixels that are at most `pixels` from its edge.

    `outside`: the mask continues outside of the image, so the image's border is no edge.
    """
    padded = np.pad(mask, pixels, constant_values=outside).astype(np.float64)
    least = 1.0 - 0.5 / (2 * pixels + 1) ** 2
    inner = slice(pixels, -pixels)
    return np.asarray(box_filter(padded, pixels)[inner, inner] > least, np.bool_)


def _soften(mask: Bools) -> Singles:
    """Return the mask (h, w, 1) with soft edges: each pixel is the mean of 3 × 3."""
    return np.asarray(box_filter(mask.astype(np.float64), 1), np.float32)[..., None]
