# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are short enough for Blender and for people."""

from __future__ import annotations

import unicodedata

NO_LETTERS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates, and line and paragraph ends."""

INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff") | frozenset(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""Marks that turn the writing around, and spaces without width; those that join emoji stay."""

# Blender before 5.0 cuts names at 63 bytes, and there is still a use and ".001" to come.
BYTES = 40


def only_letters(name: str) -> str:
    """Return a name without what stands for no letter: tabs, escape codes, marks of direction."""
    return "".join(
        letter
        for letter in name
        if letter not in INVISIBLE and unicodedata.category(letter) not in NO_LETTERS
    ).strip()


def clear_name(name: str) -> str:
    """Return the name without outer spaces and dots, cut to at most BYTES bytes of UTF-8.

    What stands for no letter, such as tabs and escape codes, is left out.
    """
    plain = only_letters(name)
    return plain.strip(" .").encode()[:BYTES].decode(errors="ignore").strip(" .")
