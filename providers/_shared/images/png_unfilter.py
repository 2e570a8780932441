# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing the row filters of PNG (W3C PNG, section 9)."""

from __future__ import annotations


def average(left: int, above: int) -> int:
    """Return the prediction of filter type 3 (Average)."""
    return (left + above) // 2


def paeth(left: int, above: int, corner: int) -> int:
    """Return the prediction of filter type 4 (Paeth): the neighbor nearest to left+above-corner.

    Ties go to the left one, then to the one above.
    """
    guess = left + above - corner
    ways = abs(guess - left), abs(guess - above), abs(guess - corner)
    return (left, above, corner)[ways.index(min(ways))]


def unfiltered(stored: bytes, above: bytes, step: int) -> bytes:
    """Return a row's bytes; `stored` begins with the number of its filter."""
    kind, row = stored[0], bytearray(stored[1:])
    if kind == 0:
        return bytes(row)
    if kind > 4:
        raise ValueError("no such filter")
    for at, value in enumerate(row):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        guess = (
            left, above[at], average(left, above[at]), paeth(left, above[at], corner)
        )[kind - 1]  # fmt: skip
        row[at] = (value + guess) & 255
    return bytes(row)
