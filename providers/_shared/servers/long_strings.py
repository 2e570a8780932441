# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that contains files in base64: read as it arrives, so that memory does not grow with it.

`shorten_strings` leaves JSON that says how long its long strings were; `decode_field` yields the
file in one of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

LONG = 8192
"""Characters above which a string is shortened."""
START, END = 64, 4
"""Characters of a shortened string that are kept at its start and its end."""
MARK = "\u2026"
_SHORT = re.compile(rf"(.{{{START}}}){MARK}([0-9]+){MARK}(.{{{END}}})", re.DOTALL)
DATA_URL = re.compile(r"data:[^,]{0,100},")
MAX_GAP = 1024
"""Maximum bytes between a field's name and its value."""


def shorten_strings(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield JSON, in which every string of more than `LONG` bytes is shortened.

    Of such a string, the first `START` and the last `END` bytes remain, and between them its length
    in bytes, as it is spelled in the JSON.
    """
    inside, escaped, held, length, tail = False, False, bytearray(), 0, b""
    for piece in pieces:
        at, out = 0, bytearray()
        while at < len(piece):
            if not inside:
                quote = piece.find(b'"', at)
                stop = len(piece) if quote < 0 else quote + 1
                out += piece[at:stop]
                inside, at = quote >= 0, stop
                continue
            stop, escaped, closed = _end_of_string(piece, at, escaped)
            part = piece[at:stop]
            length += len(part)
            held += part[: max(LONG + 1 - len(held), 0)]
            tail = (tail + part[-END:])[-END:]
            at = stop
            if closed:
                out += _shorten(held, length, tail) + b'"'
                inside, length, tail, at = False, 0, b"", stop + 1
                held.clear()
        yield bytes(out)
    yield bytes(held)


def _end_of_string(piece: bytes, at: int, escaped: bool) -> tuple[int, bool, bool]:
    """Find the quote that ends a string. Return where the string's part ends, and two flags.

    The first: the next piece begins after a backslash. The second: the quote was found.
    """
    if escaped:
        at += 1
    while True:
        quote, slash = piece.find(b'"', at), piece.find(b"\\", at)
        if slash < 0 or 0 <= quote < slash:
            return (quote, False, True) if quote >= 0 else (len(piece), False, False)
        if slash + 1 >= len(piece):
            return len(piece), True, False
        at = slash + 2


def _shorten(held: bytearray, length: int, tail: bytes) -> bytes:
    if length <= LONG:
        return bytes(held)
    return bytes(held[:START]) + f"{MARK}{length}{MARK}".encode() + tail


def file_start(text: str) -> tuple[bytes, int]:
    """Return the first bytes of a file in base64, which may be shortened, and its size in bytes.

    The text may be a data URL. Raises ValueError if it is not base64.
    """
    found = _SHORT.fullmatch(text)
    head = DATA_URL.match(text[: START if found else 128])
    skipped = head.end() if head else 0
    if found is None:
        data = base64.b64decode(text[skipped:], validate=True)
        return data, len(data)
    kept = found[1][skipped:]
    start = base64.b64decode(kept[: len(kept) - len(kept) % 4], validate=True)
    return start, (int(found[2]) - skipped) * 3 // 4 - found[3].count("=")


def decode_field(pieces: Iterable[bytes], field: str) -> Iterator[bytes]:
    """Yield the bytes of the file that the string `field` of a JSON answer contains in base64.

    Yields empty ones until the field is found, so that the reader can stop an answer without end.
    The string may be a data URL. Raises ValueError if there is no such field, if it is not base64,
    or if the answer ends in it.
    """
    rest = slash = b""
    for piece in _without_head(_value_of(iter(pieces), field)):
        spelled = slash + piece
        slash = b"\\" if spelled.endswith(b"\\") else b""
        # A slash may be escaped. Other escapes, such as for line breaks, are no base64.
        text = rest + spelled.removesuffix(slash).replace(b"\\/", b"/")
        whole = len(text) - len(text) % 4
        yield _decode(text[:whole])
        rest = text[whole:]
    if rest or slash:
        raise ValueError("it is truncated")


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error


def _without_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a string without the beginning of a data URL."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= MAX_GAP:
            break
        if not start:
            yield b""
    yield re.sub(rb"^data:[^,]{0,100},", b"", start)
    yield from pieces


def _value_of(pieces: Iterator[bytes], field: str) -> Iterator[bytes]:
    """Yield the characters of the string `field`, in pieces; empty ones until it is found."""
    name = re.compile(rb'(?<!\\)"%s"\s*:\s*"' % re.escape(field).encode())
    seen = b""
    for piece in pieces:
        seen += piece
        found = name.search(seen)
        if found:
            seen = seen[found.end() :]
            break
        seen = seen[-MAX_GAP:]
        yield b""
    else:
        raise ValueError("the file is missing")
    while (quote := seen.find(b'"')) < 0:
        yield seen
        more = next(pieces, None)
        if more is None:
            raise ValueError("it is truncated")
        seen = more
    yield seen[:quote]
