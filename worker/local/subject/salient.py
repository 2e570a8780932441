# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the subject of an image with a small network, and fill line drawings."""

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
"""Limits for an object's share of the image: beyond them, the network found nothing or everything.
"""
_UNDECIDED = 0.75
"""Ratio of undecided pixels to the subject's from which the network has found nothing."""
_SURE = 0.45
"""Ratio of undecided pixels to the subject's up to which the network is sure. The ratio is 0.03 to
0.3 on clear subjects, 0.6 to 0.7 on doubtful ones, and more than 2 on textures."""
_STROKE = 0.02
"""Maximum mean width of a drawing's strokes, as a share of the image's longer side."""
_ENCLOSED = 1.5
"""Minimum area that the strokes of a drawing enclose, relative to their own area."""
_GAP = 3.0
"""Maximum width of gaps between strokes that are closed, in pixels of the reduced image."""
_CLOSED = 0.75
"""Share of the area enclosed with closed gaps. If at least this much is enclosed without closing
them, the gaps stay open."""
_AGREED = 0.5
"""Minimum mean probability of the area that the strokes enclose; between a wheel's spokes, it is
low."""
_REMEMBERED = 4
"""Number of images whose answers are cached: dragging a setting asks about the same image again."""

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
    """Return the cache file of the network's answer about `request["picture"]`.

    Return None if the request names no cache, or if the image cannot be read.
    """
    if not request.get("cache"):
        return None
    orientation = request.get("orientation", 1)
    return answer_file(
        request["cache"], request["picture"], orientation, version=VERSION, side=SIDE
    )


def answers_named(request: Mapping[str, Any]) -> AnswerFile | None:
    """Return the cache file of the network's answer that `request["answer"]` names.

    Return None if the request has no cache, or no valid name.
    """
    folder, name = request.get("cache"), request.get("answer")
    # The name becomes part of a file's path.
    if not folder or not re.fullmatch("[0-9a-f]{64}", str(name)):
        return None
    return AnswerFile(Path(folder), str(name), SIDE)


def find_subject(rgb: Singles, kept: AnswerFile | None = None) -> Salient | None:
    """Find the subject of an image (h, w, 3).

    Return None if nothing or almost everything stands out, or if too many pixels are undecided.

    `kept` is the file for the network's answer about this image.
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
    """Return the network's answer (SIDE, SIDE); for a new image, this takes a second or more."""
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
    """Return a mask (h, w) of a drawing's strokes and the area that they enclose, or None.

    `strokes` is the mask of what differs from the paper. Return None if the strokes are not thin or
    enclose little, or if the network does not see an object within them.
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
    """Return the strokes and the area that they enclose; gaps of about `gap` pixels are closed."""
    near = blur(strokes.astype(np.float32), gap) > 0.1
    closed = fill_pinholes(near.astype(np.float32), np.inf) > 0.5
    # Eroded by as much as the strokes were widened, but never into the strokes.
    return np.asarray((blur(closed.astype(np.float32), gap) > 0.9) | strokes)


def _mean_width(mask: Bools) -> float:
    """Return the mean width of lines in pixels: twice the area divided by the outline's length."""
    padded = np.pad(mask, 1)
    steps = np.count_nonzero(padded[1:] != padded[:-1]) + np.count_nonzero(
        padded[:, 1:] != padded[:, :-1]
    )
    return 2.0 * float(np.count_nonzero(mask)) / max(1, steps)
