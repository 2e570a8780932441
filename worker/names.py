# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that fit into Blender's fields and contain only visible characters."""

from __future__ import annotations

import unicodedata

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, lone surrogates, and line and paragraph separators."""

INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff") | frozenset(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
"""Direction marks and zero-width spaces. Zero-width joiners stay: emoji are composed with them."""

# Blender before 5.0 truncates names to 63 bytes; this leaves room for a texture's use and ".001".
MAX_BYTES = 40


def visible_text(name: str) -> str:
    """Return the name without control characters, direction marks, and zero-width spaces."""
    return "".join(
        letter
        for letter in name
        if letter not in INVISIBLE and unicodedata.category(letter) not in INVISIBLE_CATEGORIES
    ).strip()


def short_name(name: str) -> str:
    """Return a visible name of at most MAX_BYTES bytes in UTF-8, without dots at either end.

    The result may be empty.
    """
    plain = visible_text(name)
    return plain.strip(" .").encode()[:MAX_BYTES].decode(errors="ignore").strip(" .")
