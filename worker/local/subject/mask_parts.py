# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean up a mask: keep main parts and real holes, remove specks and pinholes."""

from __future__ import annotations

import numpy as np

from ..array_types import Bools, Floats, Ints, Singles
from .components import label_parts


def drop_specks(matte: Singles, least: float) -> Singles:
    """Return a matte (h, w) without small parts.

    A part is small if its area is less than `least`, a share of the largest part's area.
    """
    labels, count = label_parts(matte > 0.5, diagonal=False)
    if count < 2:
        return matte
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    doomed = (areas < least * areas.max()) & (areas > 0)
    return np.where(doomed[labels], np.float32(0.0), matte) if doomed.any() else matte


def fill_pinholes(matte: Singles, least: float, foreign: Floats | None = None) -> Singles:
    """Return a matte (h, w) without holes smaller than `least`, a share of the subject's area.

    `foreign` (h, w) is the distance from the background, where 1 is the threshold. If given, larger
    holes whose mean distance exceeds 0.5 are filled, too: a real hole shows the background, at
    about 0.25. Gaps that touch the image's border are not holes.
    """
    labels, count = label_parts(matte <= 0.5, diagonal=True)
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
