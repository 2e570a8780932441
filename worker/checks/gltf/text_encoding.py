# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF files whose texts are not whole: half an emoji in a name, bytes that are no UTF-8.

Blender's importer gives up on the whole file over one of them. It is given a copy with the texts
mended; that of a .gltf is beside it, so that what it names is still found. Nothing here imports
bpy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MAX_HEAD = 64 * 1024 * 1024
"""Bytes of JSON that are looked through; the check refuses a GLB with more."""
WHOLE = ".whole-"
"""How a copy's name begins; the near end takes one away that a killed process left."""
LOST = "\N{REPLACEMENT CHARACTER}"
_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


@contextmanager
def with_whole_texts(path: str) -> Iterator[str]:
    """Give the file to import: itself, or a copy of it whose texts are whole."""
    place = Path(path)
    size = place.stat().st_size
    with place.open("rb") as file:
        text, is_binary = _head(file, size)
        whole = _whole(text) if text else None
        if whole is None:
            yield path
            return
        # A name of its own: the folder may be one that others write to.
        folder = None if is_binary else place.parent
        side, copy = tempfile.mkstemp(place.suffix, WHOLE, folder)
        with os.fdopen(side, "wb") as out:
            _write(out, whole, file if is_binary else None, size - file.tell())
    try:
        yield copy
    finally:
        Path(copy).unlink(missing_ok=True)


def _write(out: BinaryIO, text: bytes, rest: BinaryIO | None, length: int) -> None:
    """Write the JSON, and a GLB's other chunks behind it."""
    if rest is None:
        out.write(text)
        return
    text += b" " * (-len(text) % 4)
    out.write(b"glTF" + struct.pack("<II", 2, 20 + len(text) + length))
    out.write(struct.pack("<I", len(text)) + b"JSON" + text)
    shutil.copyfileobj(rest, out, 1024 * 1024)


def _head(file: BinaryIO, size: int) -> tuple[bytes, bool]:
    """Return a file's JSON, and whether it is a GLB's; nothing for what is for the check to judge.

    That is any other file, and one that is damaged.
    """
    begin = file.read(20)
    if begin.startswith(b"glTF") and len(begin) == 20:
        version, whole, length, kind = struct.unpack_from("<III4s", begin, 4)
        sound = (version, whole, kind) == (2, size, b"JSON") and length <= min(size - 20, MAX_HEAD)
        return (file.read(length) if sound else b""), True
    if not begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return b"", False
    text = begin + file.read(MAX_HEAD)
    return (text if len(text) <= MAX_HEAD else b""), False


def _whole(text: bytes) -> bytes | None:
    """Return JSON with its texts whole; None where they are, or where it is none."""
    try:
        text.decode("utf-8")
        if not _ESCAPED.search(text):
            return None
        is_unicode = True
    except UnicodeDecodeError:
        is_unicode = False
    try:
        value = json.loads(text.decode("utf-8-sig", "replace"))
        whole = _replaced(value)
    except (ValueError, RecursionError):
        return None
    return None if is_unicode and whole == value else json.dumps(whole).encode()


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF.sub(LOST, value)
    if isinstance(value, dict):
        return {_HALF.sub(LOST, name): _replaced(one) for name, one in value.items()}
    return [_replaced(one) for one in value] if isinstance(value, list) else value
