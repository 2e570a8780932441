# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys in texts that came from anywhere, blanked in whichever way they are spelled.

A service that refuses a key may quote it: as it is, in JSON's or HTML's escapes, in an address,
in base64 as a header carries it, in hexadecimal digits.
"""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .untrusted_text import clean, map_texts

REDACTED = "…"
SHORT = 8
"""What has fewer letters is blanked where it stands as a word: it may be a part of others."""
BULK = 1024 * 1024
"""Longer texts are files, and not sentences: only the plainest spellings are looked for."""

_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([^u\\]))")
_VANISHES = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
"""What is taken out of a text before it is shown: a key may have it between its letters."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Redactor:
    """Takes a set of keys out of texts."""

    def __init__(self, values: Iterable[str]) -> None:
        known = sorted({value for value in values if value}, key=len, reverse=True)
        self._long = [_Spellings(value) for value in known if len(value) >= SHORT]
        self._words = [_word(value) for value in known if len(value) < SHORT]

    def __repr__(self) -> str:
        return "Redactor(…)"

    @property
    def spelled(self) -> tuple[str, ...]:
        """What to look for in a body that comes in pieces: the keys, in base64 as well."""
        return tuple(one for spellings in self._long for one in spellings.needles)

    def redact(self, text: str) -> str:
        """Return a text without any of the keys, also once it is cleaned."""
        blanked = self._blanked(text)
        if len(text) > BULK or not _VANISHES.search(blanked):
            return blanked
        plain = clean(blanked, len(blanked))
        without = self._blanked(plain)
        return blanked if without == plain else without  # guard: keys-that-cleaning-mends

    def _blanked(self, text: str) -> str:
        for spellings in self._long:
            text = spellings.redact(text)
        if len(text) <= BULK:
            for word in self._words:
                text = word.sub(REDACTED, text)
        return text

    def redact_json(self, value: Any) -> Any:
        """Return JSON with all its texts, also the names in its objects, without the keys."""
        return map_texts(value, self.redact)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Return a text, or JSON with all its texts, without any of the keys in any spelling."""
    return Redactor(secrets).redact_json(value)


def redactor_for(keys: Iterable[str], headers: Mapping[str, str]) -> Redactor:
    """Return what must not be seen of a connection: its keys, and what its headers carry."""
    carried = [part for value in headers.values() for part in (value, value.rpartition(" ")[2])]
    return Redactor((*keys, *(part for part in carried if len(part) >= SHORT)))


class _Spellings:
    """One key, and how it may be written."""

    def __init__(self, value: str) -> None:
        self._value = value
        # Whatever stands behind a backslash: how many there are is up to who wrote it.
        self._plain = (value.lower().replace("\\", ""), value.encode().hex())
        self._cores = tuple(_cores(value.encode()))
        self._spelled = [
            re.compile(_spelled(one), re.IGNORECASE) for one in (value, value.encode().hex())
        ]
        self._spelled_cores = [re.compile(_spelled(one)) for one in self._cores]

    @property
    def needles(self) -> tuple[str, ...]:
        """What none of its spellings is without, but for escapes."""
        return (self._value, self._plain[1], *self._cores)

    def redact(self, text: str) -> str:
        if len(text) > BULK:
            text = text.replace(self._value, REDACTED)
            return _without_runs(text, self._cores)
        for flat in _flattened(text):
            lower = flat.lower().replace("\\", "")
            if any(one in lower for one in self._plain):
                for pattern in self._spelled:
                    text = pattern.sub(REDACTED, text)
            if any(core in flat for core in self._cores):
                found = [match[0] for one in self._spelled_cores for match in one.finditer(text)]
                text = _without_runs(text, found)
        return text


NO_REDACTION = Redactor(())


def _flattened(text: str) -> Iterator[str]:
    """Yield a text with its escapes undone, one layer after the other."""
    for _ in range(4):
        yield text
        plain = html.unescape(_ESCAPE.sub(_undone, urllib.parse.unquote(text)))
        if plain == text:
            return
        text = plain


def _undone(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else escape[2]


def _spelled(value: str) -> str:
    """Return a pattern for a text of which every letter may be escaped, also several times."""
    return "".join(map(_letter, value))


def _letter(letter: str) -> str:
    in_json = json.dumps(letter)[1:-1] if ord(letter) > 126 else f"\\u{ord(letter):04x}"
    in_url = "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "replace"))
    ways = (
        rf"\\*{re.escape(letter)}",
        re.escape(in_json).replace(r"\\", r"\\+"),
        in_url.replace("%", "%(?:25)*"),
        rf"&(?:amp;)*\#(?:0*{ord(letter)}|[xX]0*{ord(letter):x});",
    )
    return f"(?:{'|'.join(ways)})"


def _cores(value: bytes) -> Iterator[str]:
    """Yield what base64 of any text with the value in it contains, wherever it begins there."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value).decode()
        whole = (before + len(value)) * 8 // 6
        core = text[-(-before * 8 // 6) : whole]
        yield core
        if set(core) & set("+/"):
            yield core.translate(str.maketrans("+/", "-_"))


def _without_runs(text: str, found: Iterable[str]) -> str:
    """Blank the whole words of base64 that these parts are in."""
    for part in found:
        pieces, done, at = [], 0, text.find(part)
        while at >= 0:
            start, end = at, at + len(part)
            while start > done and text[start - 1] in _BASE64:
                start -= 1
            while end < len(text) and text[end] in _BASE64:
                end += 1
            pieces += [text[done:start], REDACTED]
            done, at = end, text.find(part, end)
        text = "".join((*pieces, text[done:])) if pieces else text
    return text


def _word(value: str) -> re.Pattern[str]:
    """Return a pattern for a short key on its own, and not within an address or another word."""
    return re.compile(rf"(?<![\w/.%-]){re.escape(value)}(?![\w/%-]|\.\w)")
