# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that every system takes, and that differ on every system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ...providers._shared.untrusted_text import clean

LONGEST = 200
"""Bytes of a name without its ending: file systems take 255, and a number may come behind."""
FALLBACK = "picture"

_NOT_EVERYWHERE = re.compile(r'[<>:"/\\|?*]')
_JOINERS = {0x200C: None, 0x200D: None}
"""What file systems of old Macs pass over."""
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE
)


def is_reserved(name: str) -> bool:
    """Say whether Windows takes a file's name for a device, whatever ending it has."""
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ")) is not None


def safe_name(name: str) -> str:
    """Return a name, without an ending, as one that every system takes for a plain file."""
    plain = _NOT_EVERYWHERE.sub("_", clean(unicodedata.normalize("NFC", name), 1000))
    plain = plain.encode()[:LONGEST].decode(errors="ignore").strip(" .") or FALLBACK
    if is_reserved(plain):
        first, dot, rest = plain.partition(".")
        plain = f"{first.rstrip()}_{dot}{rest}"  # guard: reserved-names
    return plain


def is_portable(name: str) -> bool:
    """Say whether a file's name, with its ending, is a plain file's on every system."""
    return bool(name) and safe_name(name) == name


def distinct_names(names: Iterable[str]) -> list[str]:
    """Return a safe name for each, no two of which any file system takes for the same.

    The same names in the same order always become the same: what is not taken by another stays,
    of those that are alike the later ones get numbers.
    """
    wanted = [safe_name(name) for name in names]
    asked_for = {_folded(name) for name in wanted}
    used: set[str] = set()
    found: list[str] = []
    for name in wanted:
        chosen, number = name, 1
        while _folded(chosen) in used or (number > 1 and _folded(chosen) in asked_for):
            number += 1
            chosen = f"{name}-{number}"
        used.add(_folded(chosen))  # guard: distinct-names
        found.append(chosen)
    return found


def _folded(name: str) -> str:
    """Return what is the same for names that some file system cannot tell apart."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_JOINERS)
    return unicodedata.normalize("NFKC", plain)


def expand_user(text: str) -> Path:
    """Return a path with its ~ replaced; where no home is known it stays as it is."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
