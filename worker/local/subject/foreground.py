# SPDX-License-Identifier: GPL-3.0-or-later
"""Separate the subject of an image from its background.

The subject is found by transparency, by a neural network, or by its difference from the border's
color; otherwise, the whole image is used.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from ...refusal import Message, Refusal
from ..array_types import Bools, Numbers, Singles
from ..shape.raster import downscale, fit_size
from .answers import AnswerFile
from .box import Box, clear_outside
from .components import label_parts
from .mask_parts import drop_specks, fill_pinholes
from .matte import NEUTRAL, Observation, Separation
from .salient import Salient

# The outline is traced at this size at most; the texture uses the full image.
_LONGEST = 2048
# A smaller share of transparent pixels is dirt, not a cutout.
_TRANSPARENT = 0.002
_LEAST_SUBJECT = 0.001
"""Minimum share of the image that a subject covers."""
# In noise widths: an image without a larger distance is plain.
_PLAIN = 4.0
# A contrast that never occurs by chance, however small the subject.
_STRIKING = 5.0
# With an edge this wide and a low contrast there is no edge.
_UNDECIDED = 0.45
# A transparent hole of up to _SPECK pixels is dirt; from _MANY of them on, a note says so.
_SPECK = 4
_MANY = 10
_ALIKE = 0.98
"""Overlap above which the border's color and the network have found the same subject. A cast
shadow that only the border's color takes for a part of it is often a twentieth of its area."""
_WHOLE = (
    "The subject could not be separated from the background, so the whole image was used. "
    "For a single object, use an image with a plain or transparent background."
)
_WHOLE_BOX = "The subject could not be separated from its surroundings, so the whole box was used."


@dataclass(frozen=True)
class Foreground:
    """The subject's coverage `matte` (h, w) of `picture` (h, w, 4), and how it was determined.

    `picture` is the input, downscaled if larger than the outline needs. `notes` are for the user.
    `fallback`: the whole image was used because no background could be recognized.
    """

    matte: Singles
    picture: Singles
    notes: tuple[str, ...]
    fallback: bool = False


def find_foreground(
    pixels: Numbers,
    mode: str,
    tolerance: float,
    box: Box | None = None,
    kept: AnswerFile | None = None,
) -> Foreground:
    """Detect the subject of an image (h, w, 4); raise Refusal if there is no subject.

    `mode` is "auto", "alpha", "border", or "none" for the whole image. A lower `tolerance`, from 0
    to 1, keeps more. Nothing outside of `box` is part of the subject. `kept` is the file in which
    the network's answer about the image is cached.
    """
    return SubjectFinder(pixels, kept).find(mode, tolerance, box)


class SubjectFinder:
    """Detects the subject of one image (h, w, 4) repeatedly, with different settings."""

    def __init__(self, pixels: Numbers, kept: AnswerFile | None = None) -> None:
        self._picture = downscale_visible(pixels, _LONGEST)
        self._kept = kept
        self._whole = _PartFinder(self._picture, kept)
        self._part: tuple[Box, _PartFinder] | None = None

    def find(self, mode: str, tolerance: float, box: Box | None = None) -> Foreground:
        """Detect the subject as `find_foreground` does; raise Refusal if there is no subject."""
        if box is None:
            return self._whole.find(mode, tolerance)
        if mode in ("alpha", "none") or (mode == "auto" and self._whole.is_cutout):
            found = self._whole.find(mode, tolerance)
        else:
            found = self._find_in_part(mode, tolerance, box)
        matte = clear_outside(found.matte, box)
        if not (matte > 0.5).any():
            raise _nothing_in_box()
        return replace(found, matte=matte)

    def _find_in_part(self, mode: str, tolerance: float, box: Box) -> Foreground:
        """Detect the subject in the box and its surroundings.

        If it cannot be separated, everything there counts as the subject, and a note says so.
        """
        seen = box.surroundings(self._picture.shape)
        if self._part is None or self._part[0] != box:
            # A smaller copy of the image shows less of a part than the network can see.
            detail = min(self._kept.side, *self._picture[seen].shape[:2]) if self._kept else 0
            kept = self._kept.of_part(*box, detail) if self._kept else None
            self._part = box, _PartFinder(self._picture[seen], kept, _shift(box, self._picture))
        found = self._part[1].find(mode, tolerance)
        matte = np.zeros(self._picture.shape[:2], np.float32)
        matte[seen] = found.matte
        notes = (_WHOLE_BOX,) if found.fallback else found.notes
        return Foreground(matte, self._picture, notes)


def _shift(box: Box, picture: Singles) -> tuple[slice, slice]:
    """Return the rows and columns of the box within its surroundings."""
    inner, outer = box.pixels(picture.shape), box.surroundings(picture.shape)
    rows, columns = (
        slice(own.start - seen.start, own.stop - seen.start)
        for own, seen in zip(inner, outer, strict=True)
    )
    return rows, columns


class _PartFinder:
    """Detects the subject of an image, or of a part of an image.

    If `box` (rows, columns) is given, the subject lies within it.
    """

    def __init__(
        self,
        picture: Singles,
        kept: AnswerFile | None = None,
        box: tuple[slice, slice] | None = None,
    ) -> None:
        self._picture, self._kept, self._box = picture, kept, box

    @functools.cached_property
    def is_cutout(self) -> bool:
        """Whether the image is partly transparent, which shows where the subject is."""
        return bool((self._picture[:, :, 3] <= 0.5).mean() > _TRANSPARENT)

    def find(self, mode: str, tolerance: float) -> Foreground:
        match mode:
            case "alpha":
                return _by_alpha(self._picture)
            case "border":
                return Foreground(_by_border(self._seen, tolerance), self._picture, ())
            case "none":
                return Foreground(_whole(self._picture), self._picture, ())
            case _:
                return self._automatic(tolerance)

    @functools.cached_property
    def _seen(self) -> Observation:
        return Observation(self._picture, self._kept, self._box)

    def _automatic(self, tolerance: float) -> Foreground:
        """Detect the subject by the first method that applies.

        The methods are, in this order: transparency, the network, the border's color, the whole
        image. Raise Refusal if the image is fully transparent or nothing stands out.
        """
        picture = self._picture
        if not (picture[:, :, 3] > 0.5).any():
            raise _nothing_opaque()
        if self.is_cutout:
            return _by_alpha(picture)
        if self._seen.salient is not None:
            return Foreground(_with_network(self._seen, self._seen.salient, tolerance), picture, ())
        neutral = self._seen.neutral
        if neutral.strangest < _PLAIN or neutral.share < _LEAST_SUBJECT:
            raise _nothing_found()
        # The user's tolerance is applied whenever there is something to separate.
        if _is_doubtful(neutral):
            return Foreground(_whole(picture), picture, (_WHOLE,), fallback=True)
        return Foreground(_by_border(self._seen, tolerance), picture, ())


def _with_network(seen: Observation, salient: Salient, tolerance: float) -> Singles:
    """Return the matte (h, w) of the subject that the network finds.

    A closed line drawing is filled. For other images, the separation by the border's color has
    better edges. It is used instead if it does not look random, and the network is unsure or both
    find the same subject.
    """
    drawing = seen.filled_drawing(salient)
    if drawing is not None:
        return drawing
    matte, border = seen.refine(salient, tolerance), seen.neutral
    if _is_doubtful(border):
        return matte
    if salient.is_sure and _overlap(border.matte > 0.5, matte > 0.5) < _ALIKE:
        return matte
    return _by_border(seen, tolerance)


def _overlap(first: Bools, second: Bools) -> float:
    """Return the intersection over union of two masks."""
    return np.count_nonzero(first & second) / max(1, np.count_nonzero(first | second))


def _is_doubtful(separation: Separation) -> bool:
    """Return whether a separation looks random rather than like an object."""
    return (
        (separation.share < 0.005 and separation.contrast < _STRIKING)
        or separation.border > 0.6
        or separation.scatter > 0.3
        or separation.contrast < 1.5
        or (separation.contrast < 2.2 and separation.undecided > _UNDECIDED)
    )


def _whole(picture: Singles) -> Singles:
    return np.ones(picture.shape[:2], np.float32)


def downscale_visible(pixels: Numbers, longest: int) -> Singles:
    """Return an image (h, w, 4), reduced so that no side exceeds `longest` pixels.

    Transparent pixels contribute no color.
    """
    size = fit_size(pixels.shape, longest)
    if pixels.shape[:2] == size or pixels[:, :, 3].min() == 1.0:
        return downscale(pixels, *size)
    weighted = np.array(pixels, np.float32)
    weighted[:, :, :3] *= weighted[:, :, 3:]
    picture = downscale(weighted, *size)
    picture[:, :, :3] /= np.maximum(picture[:, :, 3:], np.float32(1e-6))
    return picture


def _by_alpha(picture: Singles) -> Foreground:
    alpha = picture[:, :, 3]
    if not (alpha > 0.5).any():
        raise _nothing_opaque()
    if (alpha > 0.5).all():
        raise Refusal(
            "bad_image",
            "The image has no transparent background.",
            "Set Foreground to Automatic or Border Color, or use an image with transparency.",
        )
    cut = drop_specks(alpha, 0.002)
    least = (_SPECK + 0.5) / max(1, int(np.count_nonzero(cut > 0.5)))
    matte = fill_pinholes(cut, least)
    _, number = label_parts((matte > 0.5) & (cut <= 0.5), diagonal=True)
    note = Message(
        "{count} transparent specks of up to {size} pixels were filled.",
        count=f"{number:,}",
        size=_SPECK,
    )
    return Foreground(matte, picture, (note,) if number >= _MANY else ())


def _nothing_opaque() -> Refusal:
    return Refusal(
        "bad_image",
        "The image is fully transparent.",
        "Use an image with an opaque subject.",
    )


def _nothing_in_box() -> Refusal:
    return Refusal(
        "bad_image",
        "There is no subject in the box.",
        "Draw the box around the subject, or clear it.",
    )


def _by_border(seen: Observation, tolerance: float) -> Singles:
    separation = seen.neutral if tolerance == NEUTRAL else seen.separate(tolerance)
    plain = separation.strangest < _PLAIN and _is_doubtful(separation)
    if not plain and (separation.matte > 0.5).any():
        return separation.matte
    if tolerance > NEUTRAL and separation.strangest >= _PLAIN:
        raise Refusal(
            "bad_image",
            "Nothing in the image differs enough from its border color for this Tolerance.",
            "Lower Tolerance, or set Foreground to Whole Image.",
        )
    raise _nothing_found()


def _nothing_found() -> Refusal:
    return Refusal(
        "bad_image",
        "Nothing in the image stands out from its border color.",
        "Use an image whose background differs in color from the object, lower Tolerance, or set "
        "Foreground to Whole Image.",
    )
