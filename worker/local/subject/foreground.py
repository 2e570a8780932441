# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a picture is the subject: by its alpha, by its border's color, or all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...refusal import Message, Refusal
from ..array_types import Numbers, Singles
from ..shape.raster import area_scaled, fitted
from .components import labeled
from .mask_parts import without_pinholes, without_specks
from .matte import Separation, separated

# The outline is traced on a picture of at most this size; the texture keeps the whole.
_LONGEST = 2048
# Fewer transparent pixels than this share are dirt, not a cut-out.
_TRANSPARENT = 0.002
_LEAST_SUBJECT = 0.001
# The tolerance at which the dividing line is the automatic one.
_NEUTRAL = 0.5
# Noise widths: where nothing is stranger, the picture is plain.
_PLAIN = 4.0
# A contrast that chance does not make, however small the subject.
_STRIKING = 5.0
# Where the edge is so wide and the contrast low, there is no edge.
_UNDECIDED = 0.45
# A transparent hole of so few pixels is dirt; so many of them are worth a word.
_SPECK = 4
_MANY = 10
_WHOLE = (
    "The background could not be told from the subject, so the whole picture was used. "
    "For one object, use a picture with a plain or transparent background."
)


@dataclass(frozen=True)
class Foreground:
    """The subject's share (h, w) of each pixel of `picture` (h, w, 4), and what was decided.

    `picture` is the given one, shrunk where it was larger than the outline needs. `fallback` tells
    that all of it was taken because no subject could be told from a background.
    """

    matte: Singles
    picture: Singles
    notes: tuple[str, ...]
    fallback: bool = False


def foreground(pixels: Numbers, mode: str, tolerance: float) -> Foreground:
    """Find the subject of a picture (h, w, 4); raise Refusal where there is none."""
    picture = _shrunk(pixels)
    match mode:
        case "alpha":
            return _by_alpha(picture)
        case "border":
            return Foreground(_by_border(picture, tolerance), picture, ())
        case "none":
            return Foreground(_whole(picture), picture, ())
        case _:
            return _automatic(picture, tolerance)


def _automatic(picture: Singles, tolerance: float) -> Foreground:
    """Use alpha where there is any, else the border, else the whole picture, and say so."""
    opaque = picture[:, :, 3] > 0.5
    if not opaque.any():
        raise _nothing_opaque()
    if 1.0 - opaque.mean() > _TRANSPARENT:
        return _by_alpha(picture)
    neutral = separated(picture, _NEUTRAL)
    if neutral.strangest < _PLAIN or neutral.share < _LEAST_SUBJECT:
        raise _nothing_found()
    # The artist's own tolerance is obeyed wherever there is something to tell apart.
    if _doubtful(neutral):
        return Foreground(_whole(picture), picture, (_WHOLE,), fallback=True)
    if tolerance == _NEUTRAL:
        return Foreground(neutral.matte, picture, ())
    return Foreground(_by_border(picture, tolerance), picture, ())


def _doubtful(separation: Separation) -> bool:
    """Tell whether a separation looks like chance rather than like an object."""
    return (
        (separation.share < 0.005 and separation.contrast < _STRIKING)
        or separation.border > 0.6
        or separation.scatter > 0.3
        or separation.contrast < 1.5
        or (separation.contrast < 2.2 and separation.undecided > _UNDECIDED)
    )


def _whole(picture: Singles) -> Singles:
    return np.ones(picture.shape[:2], np.float32)


def _shrunk(pixels: Numbers) -> Singles:
    """Shrink a picture to what the outline needs; what is transparent lends no color."""
    size = fitted(pixels.shape, _LONGEST)
    if pixels.shape[:2] == size or pixels[:, :, 3].min() == 1.0:
        return area_scaled(pixels, *size)
    weighted = np.array(pixels, np.float32)
    weighted[:, :, :3] *= weighted[:, :, 3:]
    picture = area_scaled(weighted, *size)
    picture[:, :, :3] /= np.maximum(picture[:, :, 3:], np.float32(1e-6))
    return picture


def _by_alpha(picture: Singles) -> Foreground:
    alpha = picture[:, :, 3]
    if not (alpha > 0.5).any():
        raise _nothing_opaque()
    if (alpha > 0.5).all():
        raise Refusal(
            "BadImage",
            "The picture has no transparent part that would show where the subject ends.",
            "Set Foreground to Automatic or Border, or use a picture with transparency.",
        )
    cut = without_specks(alpha, 0.002)
    least = (_SPECK + 0.5) / max(1, int(np.count_nonzero(cut > 0.5)))
    matte = without_pinholes(cut, least)
    _, number = labeled((matte > 0.5) & (cut <= 0.5), diagonal=True)
    note = Message(
        "{count} transparent specks of at most {size} pixels were filled.",
        count=f"{number:,}",
        size=_SPECK,
    )
    return Foreground(matte, picture, (note,) if number >= _MANY else ())


def _nothing_opaque() -> Refusal:
    return Refusal(
        "BadImage",
        "The picture is transparent everywhere, so there is nothing to build.",
        "Use a picture whose subject is opaque.",
    )


def _by_border(picture: Singles, tolerance: float) -> Singles:
    separation = separated(picture, tolerance)
    plain = separation.strangest < _PLAIN and _doubtful(separation)
    if not plain and (separation.matte > 0.5).any():
        return separation.matte
    if tolerance > _NEUTRAL and separation.strangest >= _PLAIN:
        raise Refusal(
            "BadImage",
            "Nothing differs from the color of the picture's border as much as Tolerance asks.",
            "Lower Tolerance, or set Foreground to Whole Picture (none).",
        )
    raise _nothing_found()


def _nothing_found() -> Refusal:
    return Refusal(
        "BadImage",
        "Nothing in the picture stands out from the colors of its border.",
        "Use a picture of an object on a background of another color, lower the "
        "tolerance, or set Foreground to Whole Picture (none).",
    )
