# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the subject that was found in an image, for warnings. No bpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..local.subject.components import label_parts
from ..local.subject.foreground import Foreground
from ..refusal import Refusal
from .pixels import Pixels

COPY_SIDE = 320
"""Longest side in pixels of the copy from which previews are made: detection needs no more."""
CUT_OFF = 0.02
"""Share of an image's side that the subject must touch to count as cut off there."""
SECOND_SUBJECT = 0.15
"""Size, relative to the largest part, from which another part counts as a second subject."""
# Antialiasing may leave the outermost pixel half covered.
EDGE = 2
"""Pixels from the border within which the subject counts as touching it."""


def describe_subject(detection: Foreground, *, whole: bool = False) -> dict[str, Any]:
    """Return facts about the subject that may be worth a warning.

    - `clear`: whether a subject was found; True if the user asked for the whole image (`whole`)
    - `box`: left, top, right, and bottom as shares of the image's sides
    - `cut`: the image's edges that cut the subject off, such as "left"
    - `parts`: the number of subjects
    - `brightness`: the subject's mean, from 0 to 1

    With `whole`, or if no subject was found, `cut` is empty and `parts` is 1.
    """
    subject = detection.matte > 0.5
    visible = subject & (detection.picture[..., 3] > 0.5)
    everything = whole or detection.fallback
    return {
        "clear": whole or not detection.fallback,
        "box": subject_box(subject),
        "cut": [] if everything else _touched_edges(subject),
        "parts": 1 if everything else _count_subjects(subject),
        "brightness": round(_brightness(detection.picture, visible), 4),
    }


def describe_refusal(refusal: Refusal) -> dict[str, Any]:
    """Return `clear` as False, and the refusal's message and hint as `why` and `hint`."""
    return {"clear": False, "why": refusal.message, "hint": refusal.hint}


def subject_box(subject: NDArray[np.bool_]) -> list[float]:
    """Return left, top, right, and bottom of the subject as shares of the image's sides.

    An empty mask has the box of the whole image.
    """
    height, width = subject.shape
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if not len(rows):
        return [0.0, 0.0, 1.0, 1.0]
    sides = (columns[0] / width, rows[0] / height)
    ends = ((columns[-1] + 1) / width, (rows[-1] + 1) / height)
    return [round(float(side), 5) for side in (*sides, *ends)]


def _touched_edges(subject: NDArray[np.bool_]) -> list[str]:
    edges = {
        "left": subject[:, :EDGE].any(axis=1),
        "top": subject[:EDGE].any(axis=0),
        "right": subject[:, -EDGE:].any(axis=1),
        "bottom": subject[-EDGE:].any(axis=0),
    }
    return [name for name, edge in edges.items() if edge.mean() > CUT_OFF]


def _count_subjects(subject: NDArray[np.bool_]) -> int:
    labels, number = label_parts(subject, diagonal=True)
    if number < 2:
        return int(number)
    sizes = np.bincount(labels[subject].ravel())
    return int((sizes > SECOND_SUBJECT * sizes.max()).sum())


def _brightness(picture: Pixels, subject: NDArray[np.bool_]) -> float:
    """Return the mean luma (Rec. 709) of the subject, or of the image if the mask is empty."""
    seen = picture[subject] if subject.any() else picture.reshape(-1, 4)
    return float((seen[:, :3] @ np.array([0.2126, 0.7152, 0.0722], np.float32)).mean())
