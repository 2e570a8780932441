# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mask is kept: the main parts and the real holes, no specks and no pinholes."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Ints, Singles
from .components import labeled


def without_specks(matte: Singles, least: float) -> Singles:
    """Clear parts of a matte (h, w) smaller than `least` of the largest one's area."""
    labels, count = labeled(matte > 0.5, diagonal=False)
    if count < 2:
        return matte
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    doomed = (areas < least * areas.max()) & (areas > 0)
    return np.where(doomed[labels], np.float32(0.0), matte) if doomed.any() else matte


def without_pinholes(matte: Singles, least: float, foreign: Floats | None = None) -> Singles:
    """Fill holes of a matte (h, w) smaller than `least` of the subject's area.

    Where `foreign` (h, w) is given, fill also those that differ from the background: a true hole
    shows it, at about a quarter of the dividing line's 1, not something that resembles it.
    """
    labels, count = labeled(matte <= 0.5, diagonal=True)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    closed = np.ones(count + 1, np.bool_)
    closed[_on_border(labels)] = False
    closed[0] = False
    small = areas < least * areas[0]
    if foreign is not None:
        mean = np.bincount(labels.ravel(), foreign.ravel(), count + 1) / np.maximum(areas, 1)
        small |= mean > 0.5
    filled: Bools = closed & small
    return np.where(filled[labels], np.float32(1.0), matte) if filled.any() else matte


def _on_border(labels: Ints) -> Ints:
    return np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
