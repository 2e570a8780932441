# SPDX-License-Identifier: GPL-3.0-or-later
"""The way in for texts from strangers: services' answers, names of files, records, tables.

`clean` makes a text one that can be shown, stored and printed anywhere; `json_bytes` writes
whatever it is given; `understood` reads a service's answer. Keys are blanked in `_secrets`. What
has to go back exactly as it came is never cleaned: `_exact` refuses it instead.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

MOST = 2000
"""Letters of a text that is shown to people, at most."""
LOST = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is no letter: half an emoji, a byte that is no text, what Unicode lacks."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colors and the cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4000}(?:\x07|\x1b\\|\x9c)?"  # titles
    r"|\x1b[ -/]*[0-~]?"
)
_SPACES = re.compile(r"[ \t\n\v\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_VISIBLE = "[^\0-\xad\u2000-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
_JOINER = re.compile(f"(?<={_VISIBLE})([\u200c\u200d])(?={_VISIBLE})")
"""What joins emoji, or letters of Persian and Hindi, or keeps them apart: part of how they look."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_GONE = frozenset({"Cc", "Cf"})

_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)
_CHARSETS = frozenset({
    "iso-8859-1", "iso-8859-15", "latin1", "latin-1", "windows-1252", "cp1252", "windows-1251",
    "koi8-r", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
})  # fmt: skip
"""What is believed of a header: Python knows codecs that take the square of a text's length."""


def clean(text: str, most: int = MOST) -> str:
    """Return a text as a line that can be shown, printed and stored anywhere.

    Terminal sequences, control characters, marks that turn the writing around and spaces without
    width go, but for what joins letters or emoji; line ends become spaces, half characters become
    U+FFFD. What is longer than `most` is cut. A text that needs none of it comes back itself, also
    where it is a subclass of str.
    """
    if text.isprintable() and len(text) <= most:
        return text
    text = text[: 4 * most]
    if not text.isprintable():
        text = _SPACES.sub(" ", _SEQUENCE.sub("", text))
        # Every other piece is a joiner.
        pieces = enumerate(_JOINER.split(text))
        text = "".join(one if odd % 2 else "".join(map(_shown, one)) for odd, one in pieces)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def readable_name(thing: Any, otherwise: str = "picture") -> str:
    """Return the clean name of something of Blender's.

    A name that came out of a file may be no UTF-8: then looking at it raises UnicodeDecodeError.
    """
    try:
        return clean(str(thing.name), 255)
    except UnicodeDecodeError:
        return otherwise  # guard: names-in-blender


def replace_surrogates(text: str) -> str:
    """Return a text that every encoding of Unicode can write: halves of characters are replaced."""
    return text if text.isascii() else _SURROGATE.sub(LOST, text)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return JSON with each of its texts changed, also the names in its objects.

    May raise RecursionError for what is nested too deeply.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_name(name, change): map_texts(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [map_texts(one, change) for one in value]
    return value


def _name(name: Any, change: Callable[[str], str]) -> Any:
    return change(name) if isinstance(name, str) else name


def clean_json(value: Any) -> Any:
    """Return JSON for people with every text in it clean; see `clean`."""
    return map_texts(value, clean)


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Write JSON in UTF-8, whatever the texts in it are: what UTF-8 cannot carry is escaped."""
    try:
        return _dumped(value, indent, ascii_only=False).encode()
    except UnicodeEncodeError:
        return _dumped(value, indent, ascii_only=True).encode()


def json_line(value: Any, encoding: str | None) -> str:
    """Write JSON as a line that a stream of this encoding takes, and a terminal as well."""
    line = _dumped(value, None, ascii_only=False)
    try:
        line.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _dumped(value, None, ascii_only=True)
    return line if line.isprintable() else _dumped(value, None, ascii_only=True)


def _dumped(value: Any, indent: int | None, *, ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent, default=str, skipkeys=True)


def read_json(data: bytes) -> Any:
    """Read a small JSON file that others may have written; its texts are clean.

    Raises ValueError for what is no JSON, also where it is nested too deeply.
    """
    try:
        text = data.decode("utf-8-sig", "replace")
        value = json.loads(text)
        return value if text.isprintable() and "\\" not in text else clean_json(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def decode_text(body: bytes | bytearray, content_type: str) -> str:
    """Decode a service's answer: any UTF that JSON may have, else what its header says it is."""
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        named = _CHARSET.search(content_type)
        known = named is not None and named[1].lower() in _CHARSETS
        return body.decode(named[1] if named and known else encoding, "replace")


def decode_answer(text: str, blank: Callable[[str], str]) -> tuple[str, Any]:
    """Return a service's answer as text and, where it is JSON, decoded; None where it is not.

    `blank` takes the keys out of a text. It sees every text after it was decoded, so that no
    spelling of JSON hides one; a half character becomes U+FFFD.
    """
    shown = blank(text)
    try:
        value = json.loads(text)
        if "\\" not in text and shown == text:
            return text, value
        safe = map_texts(value, lambda one: replace_surrogates(blank(one)))
        return (shown if safe == value else json.dumps(safe, ensure_ascii=False)), safe
    except (ValueError, RecursionError):
        return shown, None


def _shown(letter: str) -> str:
    """Return what stands for a letter that is not printable."""
    if letter.isprintable():
        return letter
    return "" if unicodedata.category(letter) in _GONE else LOST
