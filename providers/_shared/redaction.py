# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of API keys in texts, in every notation that a response may quote them in.

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

from .untrusted_text import clean, map_texts

REDACTED = "…"
SHORT = 8
"""Keys with fewer characters are redacted as whole words only, since they may be part of others."""
BULK = 1024 * 1024
"""Characters of a text above which only plain and base64 keys are searched for, in linear time."""

_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([^u\\]))")
_VANISHES = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
"""Invisible characters, which `clean` removes: they could hide a key until then."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Redactor:
    """Removes a set of keys from texts."""

    def __init__(self, values: Iterable[str]) -> None:
        known = sorted({value for value in values if value}, key=len, reverse=True)
        # Longest first: a key may contain another one.
        self._long = [_Spellings(value) for value in known if len(value) >= SHORT]
        self._words = [_word(value) for value in known if len(value) < SHORT]

    def __repr__(self) -> str:
        return "Redactor(…)"

    @property
    def spelled(self) -> tuple[str, ...]:
        """The plain and base64 forms of the keys, to find in a body that arrives in chunks."""
        return tuple(needle for spellings in self._long for needle in spellings.needles)

    def redact(self, text: str) -> str:
        """Return a text without the keys, including keys that only appear once `clean` has run."""
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
        """Return JSON with the keys removed from all strings, including the keys of objects."""
        return map_texts(value, self.redact)


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Return a text or JSON with the secrets removed, in every notation."""
    return Redactor(secrets).redact_json(value)


def redactor_for(keys: Iterable[str], headers: Mapping[str, str]) -> Redactor:
    """Return the redactor of a connection: for its keys, and for the values of its headers."""
    # Also without the scheme before it: a service may quote the key alone.
    carried = [part for value in headers.values() for part in (value, value.rpartition(" ")[2])]
    return Redactor((*keys, *(part for part in carried if len(part) >= SHORT)))


class _Spellings:
    """A key in all notations."""

    def __init__(self, value: str) -> None:
        self._value = value
        # Nested JSON doubles backslashes: compare without any.
        self._plain = (value.lower().replace("\\", ""), value.encode().hex())
        self._cores = tuple(_cores(value.encode()))
        self._spelled = [
            re.compile(_pattern(form), re.IGNORECASE) for form in (value, value.encode().hex())
        ]
        self._spelled_cores = [re.compile(_pattern(core)) for core in self._cores]

    @property
    def needles(self) -> tuple[str, ...]:
        """Strings; each unescaped notation contains at least one of them."""
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
    """Yield a text, and the text with escapes undone once, twice and three times."""
    import html  # its table of entities would be read with every start of Blender

    for _ in range(4):
        yield text
        plain = html.unescape(_ESCAPE.sub(_unescape, urllib.parse.unquote(text)))
        if plain == text:
            return
        text = plain


def _unescape(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else escape[2]


def _pattern(value: str) -> str:
    """Return a pattern for a text whose characters may be escaped, also repeatedly."""
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
    """Yield the base64 of a value without its ends, for the three ways it can be aligned.

    Base64 turns three bytes into four characters: the value is encoded in one of three ways, by its
    offset in the text around it, which also decides its first and last character.
    """
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value).decode()
        whole = (before + len(value)) * 8 // 6
        core = text[-(-before * 8 // 6) : whole]
        yield core
        if set(core) & set("+/"):
            yield core.translate(str.maketrans("+/", "-_"))


def _without_runs(text: str, found: Iterable[str]) -> str:
    """Redact the whole base64 words that contain these strings."""
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
    """Return a pattern for a short key as a word, and not within a URL or another word."""
    return re.compile(rf"(?<![\w/.%-]){re.escape(value)}(?![\w/%-]|\.\w)")
