# SPDX-License-Identifier: GPL-3.0-or-later
"""Portable file names: valid on every system, and distinct on every file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ...providers._shared.untrusted_text import clean

LONGEST = 200
"""Maximum bytes of a name without suffix: file systems allow 255, and a number may be appended."""
FALLBACK = "picture"
PHOTO_SUFFIXES = (".heic", ".heif", ".avif")
"""Suffixes of photos that the system can read but Blender cannot; see `system_decoders`."""

_NOT_EVERYWHERE = re.compile(r'[<>:"/\\|?*]')
_JOINERS = {0x200C: None, 0x200D: None}
"""Zero-width joiners, which HFS+ ignores when it compares names."""
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE
)


def is_reserved(name: str) -> bool:
    """Return whether Windows treats a file of this name as a device, such as `con.png`."""
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ")) is not None


def safe_name(name: str) -> str:
    """Return `name`, given without a suffix, changed to be a valid file name on every system.

    The result has at most `LONGEST` bytes, plus a "_" if it would be a reserved name. It is
    `FALLBACK` if nothing but spaces and dots remains.
    """
    plain = _NOT_EVERYWHERE.sub("_", clean(unicodedata.normalize("NFC", name), 1000))
    # Windows drops dots and spaces at the end of a name, so that two names would be one file.
    plain = plain.encode()[:LONGEST].decode(errors="ignore").strip(" .") or FALLBACK
    if is_reserved(plain):
        first, dot, rest = plain.partition(".")
        plain = f"{first.rstrip()}_{dot}{rest}"  # guard: reserved-names
    return plain


def is_portable(name: str) -> bool:
    """Return whether a file name, including its suffix, is valid on every system."""
    return bool(name) and safe_name(name) == name


def distinct_names(names: Iterable[str]) -> list[str]:
    """Return safe names that stay distinct even where file systems ignore case or accents.

    Of names that such a file system treats as the same, all but the first get a number. The result
    depends only on the names and their order.
    """
    wanted = [safe_name(name) for name in names]
    wanted_keys = {_comparison_key(name) for name in wanted}
    used: set[str] = set()
    names_so_far: list[str] = []
    for name in wanted:
        chosen, number = name, 1
        # A numbered name must not be the wanted name of another file.
        while _comparison_key(chosen) in used or (
            number > 1 and _comparison_key(chosen) in wanted_keys
        ):
            number += 1
            chosen = f"{name}-{number}"
        used.add(_comparison_key(chosen))  # guard: distinct-names
        names_so_far.append(chosen)
    return names_so_far


def _comparison_key(name: str) -> str:
    """Return a key that is equal for names that any file system treats as the same."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_JOINERS)
    return unicodedata.normalize("NFKC", plain)


def expand_user(text: str) -> Path:
    """Return a path with a leading ~ expanded, or unchanged if the home folder is unknown."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
