# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoes the row filters of PNG (W3C PNG, section 9)."""

from __future__ import annotations


def average(previous: int, above: int) -> int:
    """Return the value that filter type 3 (Average) predicts for a byte."""
    return (previous + above) // 2


def paeth(previous: int, above: int, corner: int) -> int:
    """Return the value that filter type 4 (Paeth) predicts for a byte.

    That is the neighbor nearest to previous + above - corner; ties go to the previous pixel, then
    to the pixel above.
    """
    guess = previous + above - corner
    ways = abs(guess - previous), abs(guess - above), abs(guess - corner)
    return (previous, above, corner)[ways.index(min(ways))]


def unfilter_row(stored: bytes, above: bytes, step: int) -> bytes:
    """Return a row's bytes without its filter. The first byte of `stored` is the filter type.

    `above` is the previous row, unfiltered; `step` is the number of bytes from one pixel to the
    next. Raises ValueError for an unknown filter.
    """
    kind, row = stored[0], bytearray(stored[1:])
    if kind == 0:
        return bytes(row)
    if kind > 4:
        raise ValueError("unknown filter type")
    for at, value in enumerate(row):
        previous = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        guess = (
            previous, above[at], average(previous, above[at]), paeth(previous, above[at], corner)
        )[kind - 1]  # fmt: skip
        row[at] = (value + guess) & 255
    return bytes(row)
