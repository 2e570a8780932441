# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for images, which providers declare."""

from __future__ import annotations

from typing import NamedTuple


class PictureLimits(NamedTuple):
    """The limits of a provider, all inclusive: sides in pixels, file size in bytes."""

    min_side: int = 1
    max_side: int = 65_535
    max_bytes: int = 256 * 1024 * 1024
