# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are short enough for Blender and for people."""

from __future__ import annotations

import unicodedata

NO_LETTERS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates, and line and paragraph ends."""

# Blender before 5.0 cuts names at 63 bytes, and there is still a use and ".001" to come.
BYTES = 40


def clear_name(name: str) -> str:
    """Return the name without outer spaces and dots, cut to at most BYTES bytes of UTF-8.

    What stands for no letter, such as tabs and escape codes, is left out.
    """
    plain = "".join(letter for letter in name if unicodedata.category(letter) not in NO_LETTERS)
    return plain.strip(" .").encode()[:BYTES].decode(errors="ignore").strip(" .")
