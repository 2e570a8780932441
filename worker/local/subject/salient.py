# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the subject of an image by a small network, and fill line drawings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...nets.u2netp import SIDE, VERSION, find_salient
from ...nets.weights import Weights, open_weights
from ..array_types import Bools, Singles
from ..shape.raster import blur, upscale
from .answers import AnswerFile, answer_file, as_kept
from .mask_parts import fill_pinholes

WEIGHTS = Path(__file__).parents[2] / "nets" / "u2netp.safetensors"
_SEEN = 0.5
"""Probability from which a pixel counts as part of what stands out."""
_LEAST_SUBJECT = 0.001
_MOST_SUBJECT = 0.97
"""Shares of the image between which the network's answer is an object, and not all or nothing."""
_UNDECIDED = 0.75
"""Undecided pixels, relative to the subject, from which the network has found nothing."""
_SURE = 0.45
"""Undecided pixels, relative to the subject, up to which the network is sure. On clear subjects
they are 0.03 to 0.3, where it wavers 0.6 to 0.7, on textures more than 2."""
_STROKE = 0.02
"""Mean width of a drawing's strokes, as a share of the image's longer side, at most."""
_ENCLOSED = 1.5
"""Area that the strokes of a drawing enclose at least, relative to their own."""
_GAP = 3.0
"""Gaps between strokes, in pixels of the reduced image, that are closed before filling."""
_CLOSED = 0.75
"""Share of the area enclosed so from which a drawing counts as closed without that."""
_AGREED = 0.5
"""Mean probability of what the strokes enclose, at least. Between a wheel's spokes it is low."""
_REMEMBERED = 4
"""Images whose answers are kept: a setting that is dragged asks again about the same image."""

_answers: dict[str, Singles] = {}


@cache
def _weights() -> Weights:
    return open_weights(WEIGHTS)


@dataclass(frozen=True)
class Salient:
    """The subject: each pixel's probability (h, w), and whether the network is sure of it."""

    probability: Singles
    is_sure: bool


def kept_answers(request: Mapping[str, Any]) -> AnswerFile | None:
    """Return where the answer about `request["picture"]` is kept; None if nothing is to be kept."""
    if not request.get("cache"):
        return None
    orientation = request.get("orientation", 1)
    return answer_file(
        request["cache"], request["picture"], orientation, version=VERSION, side=SIDE
    )


def answers_named(request: Mapping[str, Any]) -> AnswerFile | None:
    """Return where the answer with the name `request["answer"]` is kept; None if it has none."""
    folder, name = request.get("cache"), request.get("answer")
    # The name becomes a file's.
    if not folder or not re.fullmatch("[0-9a-f]{64}", str(name)):
        return None
    return AnswerFile(Path(folder), str(name), SIDE)


def find_subject(rgb: Singles, kept: AnswerFile | None = None) -> Salient | None:
    """Find the subject of an image (h, w, 3); None if nothing stands out, or everything.

    `kept`: where the network's answer about this image is kept.
    """
    square = _ask(rgb, kept)
    inside = int(np.count_nonzero(square > _SEEN))
    if not _LEAST_SUBJECT < inside / square.size < _MOST_SUBJECT:
        return None
    undecided = np.count_nonzero((square > 0.15) & (square < 0.85)) / inside
    if undecided > _UNDECIDED:
        return None
    height, width = rgb.shape[:2]
    probability = upscale(square.astype(np.float64), height, width)
    return Salient(np.asarray(probability, np.float32), undecided < _SURE)


def _ask(rgb: Singles, kept: AnswerFile | None) -> Singles:
    """Return the network's answer, which takes a second or more for an image that is new."""
    key = kept.name if kept else hashlib.sha256(rgb.tobytes()).hexdigest()
    if key not in _answers:
        for old in list(_answers)[: 1 - _REMEMBERED]:
            del _answers[old]
        _answers[key] = _read_or_ask(rgb, kept)
    return _answers[key]


def _read_or_ask(rgb: Singles, kept: AnswerFile | None) -> Singles:
    answer = kept.read() if kept else None
    if answer is None:
        answer = as_kept(find_salient(rgb, _weights()))
        if kept:
            kept.write(answer)
    return answer


def fill_drawing(strokes: Bools, probability: Singles) -> Bools | None:
    """Return the area (h, w) that the strokes of a drawing enclose, with them; else None.

    `strokes` are what differs from the paper. None if they are not thin, enclose little, or if the
    network does not see an object within them.
    """
    area = int(np.count_nonzero(strokes))
    if not area or _mean_width(strokes) > _STROKE * max(strokes.shape):
        return None
    tight, loose = _fill(strokes, 0.0), _fill(strokes, _GAP)
    # Legs that stand close together are not a gap in the outline.
    closed = np.count_nonzero(tight & ~strokes) >= _CLOSED * np.count_nonzero(loose & ~strokes)
    filled = tight if closed else loose
    enclosed = filled & ~strokes
    if np.count_nonzero(enclosed) < _ENCLOSED * area or probability[enclosed].mean() < _AGREED:
        return None
    return np.asarray(filled)


def _fill(strokes: Bools, gap: float) -> Bools:
    """Return the strokes and what they enclose where gaps of that many pixels count as closed."""
    near = blur(strokes.astype(np.float32), gap) > 0.1
    closed = fill_pinholes(near.astype(np.float32), np.inf) > 0.5
    # Erased by as much as the strokes were widened, but never beyond the strokes.
    return np.asarray((blur(closed.astype(np.float32), gap) > 0.9) | strokes)


def _mean_width(mask: Bools) -> float:
    """Return twice the area by the length of the outline: the mean width of lines."""
    padded = np.pad(mask, 1)
    steps = np.count_nonzero(padded[1:] != padded[:-1]) + np.count_nonzero(
        padded[:, 1:] != padded[:, :-1]
    )
    return 2.0 * float(np.count_nonzero(mask)) / max(1, steps)
