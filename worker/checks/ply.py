# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a PLY file's counts against its size before an importer trusts them. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..refusal import Message
from .gltf.buffers import damaged_file

MAX_HEAD = 1024 * 1024
"""Bytes that are searched for the end of the header."""
FORMATS = ("ascii", "binary_little_endian", "binary_big_endian")
SIZES = {
    **dict.fromkeys(("char", "uchar", "int8", "uint8"), 1),
    **dict.fromkeys(("short", "ushort", "int16", "uint16"), 2),
    **dict.fromkeys(("int", "uint", "float", "int32", "uint32", "float32"), 4),
    **dict.fromkeys(("double", "float64", "int64", "uint64"), 8),
}


@dataclass
class _Element:
    count: int
    least: int = 0
    """Smallest size of an item in bytes; a list may be empty."""


def check_ply(path: str) -> None:
    """Raise Refusal if the header is invalid, or states more data than the file has."""
    with Path(path).open("rb") as file:
        head = file.read(MAX_HEAD)
    text, found, _ = head.partition(b"end_header")
    if not found:
        raise damaged_file("its header does not end with “end_header”", "PLY")
    # The header's end marker counts as data here, which errs on the lenient side by a few bytes.
    size = Path(path).stat().st_size - len(text)
    needed = sum(
        element.count * element.least for element in _elements(text.decode("ascii", "replace"))
    )
    if needed > size:
        raise damaged_file(
            Message(
                "its header specifies at least {needed} bytes of data, but there are only {size}",
                needed=f"{needed:,}",
                size=f"{size:,}",
            ),
            "PLY",
        )


def _elements(text: str) -> list[_Element]:
    elements: list[_Element] = []
    is_text = False
    for words in (line.split() for line in text.splitlines()[1:]):
        try:
            match words:
                case ["format", kind, "1.0"] if kind in FORMATS:
                    is_text = kind == "ascii"
                case ["format", *_]:
                    raise damaged_file("its “format” line is not supported", "PLY")
                case ["element", _, count]:
                    elements.append(_Element(_count(count)))
                case ["property", "list", length, value, _]:
                    # At least one character of text and a separator. In binary a list may be empty;
                    # its value type is looked up only to refuse unknown ones.
                    elements[-1].least += 2 if is_text else min(SIZES[length], SIZES[value] * 64)
                case ["property", kind, _]:
                    elements[-1].least += 2 if is_text else SIZES[kind]
                case ["element" | "property", *_]:
                    raise ValueError(words)
                case _:
                    continue
        except (ValueError, LookupError) as error:
            raise damaged_file("its header cannot be read", "PLY") from error
    return elements


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() and len(text) < 15 else -1
    if count < 0:
        raise ValueError(text[:20])
    return count
