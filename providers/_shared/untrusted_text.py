# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles untrusted text: responses of services, file names, records, tables.

`clean` makes text safe to show, store and print; `json_bytes` encodes a value with any text in it;
`decode_answer` reads a response. API keys are redacted in `redaction`. Ids and URLs are never
cleaned, because they must not change: `exact_ids` refuses invalid ones instead.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

MOST = 2000
"""Maximum length of text that is shown to the user, in characters."""
LARGEST = 2**64
"""Bound of whole numbers, such as seeds; a float could not hold any number."""
LOST = "\N{REPLACEMENT CHARACTER}"
"""The character that replaces lone surrogates, undecodable bytes and unassigned code points."""

# Patterns as strings: `re` compiles each at its first use, which few sessions reach, and caches it.
# A space is \x20 in them, because `tools/texts.py` takes literals with a space for sentences.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[\x20-/]*[@-~]?"  # CSI: colors and cursor movement
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4000}(?:\x07|\x1b\\|\x9c)?"  # OSC
    r"|\x1b[\x20-/]*[0-~]?"
)
_SPACES = r"[\x20\t\n\v\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
_VISIBLE = "[^\0-\xad\u2000-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
_JOINER = f"(?<={_VISIBLE})([\u200c\u200d])(?={_VISIBLE})"
"""Joiners between two visible characters: part of emoji, and of Persian and Hindi words."""
_SURROGATE = "[\ud800-\udfff]"
_GONE = frozenset({"Cc", "Cf"})

_CHARSET = r"(?i)charset=[\"']?([\w-]+)"
_CHARSETS = frozenset({
    "iso-8859-1", "iso-8859-15", "latin1", "latin-1", "windows-1252", "cp1252", "windows-1251",
    "koi8-r", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
})  # fmt: skip
"""Charsets that are accepted from a header; some of Python's other codecs take quadratic time."""


def clean(text: str, most: int = MOST) -> str:
    """Return text as one line that is safe to show, print and store.

    Removes terminal sequences, control characters, bidirectional marks and zero-width spaces
    (except for joiners within words and emoji). Line breaks become spaces; lone surrogates and
    unassigned characters become U+FFFD. Text of more than `most` characters is truncated. Text that
    needs no change is returned as the same object, which may be of a subclass, such as `Message`.
    """
    if text.isprintable() and len(text) <= most:
        return text
    # Truncated before the slower steps, with a reserve for the characters that they remove.
    text = text[: 4 * most]
    if not text.isprintable():
        text = re.sub(_SPACES, " ", re.sub(_SEQUENCE, "", text))
        # `split` with a group returns text and joiners alternately.
        pieces = enumerate(re.split(_JOINER, text))
        text = "".join(
            piece if index % 2 else "".join(map(_printable, piece)) for index, piece in pieces
        )
    return text if len(text) <= most else f"{text[: most - 1]}…"


def readable_name(datablock: Any, otherwise: str = "picture") -> str:
    """Return the cleaned name of a Blender data-block, or `otherwise` if it cannot be read.

    Blender stores names as bytes, and raises UnicodeDecodeError for those from an imported file
    that are not valid UTF-8.
    """
    try:
        return clean(str(datablock.name), 255)
    except UnicodeDecodeError:
        return otherwise  # guard: names-in-blender


def replace_surrogates(text: str) -> str:
    """Return text with U+FFFD for lone surrogates, so that it can be encoded as UTF-8."""
    return text if text.isascii() else re.sub(_SURROGATE, LOST, text)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with `change` applied to every string, including the names in objects.

    Raises RecursionError if the value is nested too deeply.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_key(key, change): map_texts(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_texts(item, change) for item in value]
    return value


def _key(key: Any, change: Callable[[str], str]) -> Any:
    return change(key) if isinstance(key, str) else key


def clean_json(value: Any) -> Any:
    """Return a JSON value with every string in it cleaned; see `clean`."""
    return map_texts(value, clean)


def finite_number(value: object) -> float | None:
    """Return a number unchanged; None for anything else, and for whole ones beyond 64 bits.

    JSON has integers that no float can hold, and Python reads “1e999” as infinity.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    is_usable = abs(value) < LARGEST if isinstance(value, int) else isfinite(value)
    return value if is_usable else None


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return a value as JSON in UTF-8; if lone surrogates prevent that, escape all non-ASCII."""
    try:
        return _dump(value, indent, ascii_only=False).encode()
    except UnicodeEncodeError:
        return _dump(value, indent, ascii_only=True).encode()


def json_line(value: Any, encoding: str | None) -> str:
    """Return a value as one line of JSON that a stream with this encoding can print.

    All non-ASCII is escaped if the encoding is unknown or lacks a character, or if a character is
    not printable.
    """
    line = _dump(value, None, ascii_only=False)
    try:
        line.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _dump(value, None, ascii_only=True)
    return line if line.isprintable() else _dump(value, None, ascii_only=True)


def _dump(value: Any, indent: int | None, *, ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent, default=str, skipkeys=True)


def read_json(data: bytes) -> Any:
    """Parse a small JSON file from an untrusted source, and return its value with strings cleaned.

    Bytes that are not UTF-8 become U+FFFD. Raises ValueError if the file is not valid JSON, or
    nested too deeply.
    """
    try:
        text = data.decode("utf-8-sig", "replace")
        value = json.loads(text)
        return value if text.isprintable() and "\\" not in text else clean_json(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def decode_text(body: bytes | bytearray, content_type: str) -> str:
    """Return a response decoded as UTF-8, UTF-16 or UTF-32, whichever its first bytes indicate.

    If that fails, use the charset in `content_type` if it is among `_CHARSETS`; bytes that still
    cannot be decoded become U+FFFD.
    """
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        named = re.search(_CHARSET, content_type)
        known = named is not None and named[1].lower() in _CHARSETS
        return body.decode(named[1] if named and known else encoding, "replace")


def decode_answer(text: str, redact: Callable[[str], str]) -> tuple[str, Any]:
    """Return a response as text and as decoded JSON, which is None if invalid or nested too deeply.

    `redact` removes the API keys from the text, and from the decoded strings, so that JSON escapes
    cannot hide a key. Lone surrogates in the decoded strings become U+FFFD.
    """
    redacted = redact(text)
    try:
        value = json.loads(text)
        if "\\" not in text and redacted == text:
            return text, value
        safe = map_texts(value, lambda item: replace_surrogates(redact(item)))
        return (redacted if safe == value else json.dumps(safe, ensure_ascii=False)), safe
    except (ValueError, RecursionError):
        return redacted, None


def _printable(letter: str) -> str:
    """Return a character, or its replacement if it is not printable.

    The replacement is "" for control and format characters, and U+FFFD for all others.
    """
    if letter.isprintable():
        return letter
    return "" if unicodedata.category(letter) in _GONE else LOST
