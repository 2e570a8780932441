# SPDX-License-Identifier: GPL-3.0-or-later
"""Perceptual color: sRGB to OKLab."""

from __future__ import annotations

import numpy as np

from ..array_types import Numbers, Singles

# Björn Ottosson, "A perceptual color space for image processing", 2020.
_LMS_FROM_LINEAR = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_LAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def _decoding_table() -> Singles:
    """Return the linear values of sRGB (IEC 61966-2-1) at 4097 even steps from 0 to 1."""
    encoded = np.linspace(0.0, 1.0, 4097)
    low = encoded / 12.92
    high = ((encoded + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, low, high).astype(np.float32)


_DECODED = _decoding_table()
"""A lookup is much faster than powers and more precise than 8-bit images need."""


def oklab(rgb: Numbers) -> Singles:
    """Return OKLab (…, 3) of sRGB colors (…, 3) from 0 to 1.

    L is from 0 to 1; a difference of about 0.02 is just noticeable.
    """
    linear = _DECODED[np.clip(rgb * 4096.0 + 0.5, 0, 4096).astype(np.int32)]
    lms = np.cbrt(linear @ _LMS_FROM_LINEAR.T)
    return np.asarray(lms @ _LAB_FROM_LMS.T, np.float32)
