# SPDX-License-Identifier: GPL-3.0-or-later
"""Redacts API keys in text, in every notation in which a response may quote them.

A service that refuses a key may quote it in the error: as it is, with JSON or HTML escapes,
percent-encoded in a URL, in base64 as in an Authorization header, or in hexadecimal.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .credentials import header_parts
from .untrusted_text import clean, map_texts

REDACTED = "…"
SHORT = 8
"""Keys with fewer characters are redacted as whole words only: other words may contain them."""
BULK = 1024 * 1024
"""Length of text in characters above which only plain and base64 keys are searched for."""

_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([^u\\]))")
_VANISHES = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
"""Invisible characters: until `clean` removes them, they could hide a key."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Redactor:
    """Replaces a set of keys in text and JSON with `REDACTED`."""

    def __init__(self, values: Iterable[str]) -> None:
        known = sorted({value for value in values if value}, key=len, reverse=True)
        # Longest first, because a key may contain another one.
        self._long = [_Spellings(value) for value in known if len(value) >= SHORT]
        self._words = [_word(value) for value in known if len(value) < SHORT]

    def __repr__(self) -> str:
        return "Redactor(…)"

    @property
    def spelled(self) -> tuple[str, ...]:
        """The plain, hexadecimal and base64 forms of the keys of at least `SHORT` characters.

        They are what to look for in a body that arrives in chunks.
        """
        return tuple(needle for spellings in self._long for needle in spellings.needles)

    def redact(self, text: str) -> str:
        """Return text with the keys redacted.

        If invisible characters hide a key in it, return the cleaned text with that key redacted. In
        text of more than `BULK` characters, only plain and base64 keys are found.
        """
        redacted = self._redact_once(text)
        if len(text) > BULK or not _VANISHES.search(redacted):
            return redacted
        plain = clean(redacted, len(redacted))
        without = self._redact_once(plain)
        return redacted if without == plain else without  # guard: keys-that-cleaning-restores

    def _redact_once(self, text: str) -> str:
        for spellings in self._long:
            text = spellings.redact(text)
        if len(text) <= BULK:
            for word in self._words:
                text = word.sub(REDACTED, text)
        return text

    def redact_json(self, value: Any) -> Any:
        """Return JSON with the keys redacted in all strings, including the names in objects."""
        return map_texts(value, self.redact)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Return text or JSON with the secrets redacted in every notation."""
    return Redactor(secrets).redact_json(value)


def redactor_for(keys: Iterable[str], headers: Mapping[str, str]) -> Redactor:
    """Return the redactor for a connection's keys, and the values of its headers and their parts.

    Values of fewer than `SHORT` characters are left out, as they may occur in any text.
    """
    # Also the parts of them, since a service may quote the key alone.
    carried = [part for value in headers.values() for part in header_parts(value)]
    return Redactor((*keys, *(part for part in carried if len(part) >= SHORT)))


class _Spellings:
    """The patterns that find one key in every notation."""

    def __init__(self, value: str) -> None:
        self._value = value
        # Compared without backslashes, because nested JSON doubles them.
        self._plain = (value.lower().replace("\\", ""), value.encode().hex())
        self._cores = tuple(_cores(value.encode()))
        self._spelled = [
            re.compile(_pattern(form), re.IGNORECASE) for form in (value, value.encode().hex())
        ]
        self._spelled_cores = [re.compile(_pattern(core)) for core in self._cores]

    @property
    def needles(self) -> tuple[str, ...]:
        """The forms in which a key appears unless it is escaped: plain, hexadecimal and base64."""
        return (self._value, self._plain[1], *self._cores)

    def redact(self, text: str) -> str:
        if len(text) > BULK:
            text = text.replace(self._value, REDACTED)
            return _without_runs(text, self._cores)
        for flat in _unescape_layers(text):
            lower = flat.lower().replace("\\", "")
            if any(form in lower for form in self._plain):
                for pattern in self._spelled:
                    text = pattern.sub(REDACTED, text)
            if any(core in flat for core in self._cores):
                found = [match[0] for core in self._spelled_cores for match in core.finditer(text)]
                text = _without_runs(text, found)
        return text


NO_REDACTION = Redactor(())


def _unescape_layers(text: str) -> Iterator[str]:
    """Yield text, then the text with its escapes undone once, twice and three times.

    Stop as soon as there are no more escapes.
    """
    import html  # not above: its table of entities would be read at every start of Blender

    for _ in range(4):
        yield text
        plain = html.unescape(_ESCAPE.sub(_unescape, urllib.parse.unquote(text)))
        if plain == text:
            return
        text = plain


def _unescape(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else escape[2]


def _pattern(value: str) -> str:
    """Return a regular expression that matches `value`, plain or with escapes.

    Each character of the matched text may be plain, or escaped once or repeatedly.
    """
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
    """Yield the base64 of a value without its ends, for each of its three possible alignments.

    Base64 turns three bytes into four characters, so the encoding of a value depends on its offset
    in the encoded data, and its first and last characters also depend on the bytes around it. If
    the URL-safe alphabet gives different text, yield that as well.
    """
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value).decode()
        whole = (before + len(value)) * 8 // 6
        core = text[-(-before * 8 // 6) : whole]
        yield core
        if set(core) & set("+/"):
            yield core.translate(str.maketrans("+/", "-_"))


def _without_runs(text: str, found: Iterable[str]) -> str:
    """Return text with every run of base64 characters that contains one of `found` redacted."""
    for core in found:
        pieces, done, at = [], 0, text.find(core)
        while at >= 0:
            start, end = at, at + len(core)
            while start > done and text[start - 1] in _BASE64:
                start -= 1
            while end < len(text) and text[end] in _BASE64:
                end += 1
            pieces += [text[done:start], REDACTED]
            done, at = end, text.find(core, end)
        text = "".join((*pieces, text[done:])) if pieces else text
    return text


def _word(value: str) -> re.Pattern[str]:
    """Return a pattern for a short key as a whole word, not within a URL or another word."""
    return re.compile(rf"(?<![\w/.%-]){re.escape(value)}(?![\w/%-]|\.\w)")
