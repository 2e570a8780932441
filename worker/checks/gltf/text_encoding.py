# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair text in glTF files: lone surrogates in names, bytes that are not UTF-8.

A single such fault makes Blender's importer reject the whole file. Therefore, the importer gets a
repaired copy. The copy of a .gltf lies beside the original, so that referenced files are still
found. No bpy.
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
"""Maximum bytes of JSON that are examined; a GLB with more is refused by the check."""
COPY_PREFIX = ".whole-"
"""Prefix of the copy's name; the parent process removes copies that a killed worker left."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@contextmanager
def repair_text(path: str) -> Iterator[str]:
    """Yield the file to import: a repaired copy, or the file itself if it needs no repair.

    The copy exists while the block runs. A file whose JSON is invalid is not repaired either.
    """
    source = Path(path)
    size = source.stat().st_size
    with source.open("rb") as file:
        text, is_binary = _head(file, size)
        repaired = _repair(text) if text else None
        if repaired is None:
            yield path
            return
        # A random name: other programs may write to the folder, too.
        folder = None if is_binary else source.parent
        descriptor, copy = tempfile.mkstemp(source.suffix, COPY_PREFIX, folder)
        with os.fdopen(descriptor, "wb") as out:
            _write(out, repaired, file if is_binary else None, size - file.tell())
    try:
        yield copy
    finally:
        Path(copy).unlink(missing_ok=True)


def _write(out: BinaryIO, text: bytes, rest: BinaryIO | None, length: int) -> None:
    """Write a .gltf whose JSON is `text` or, if `rest` is given, a GLB.

    The GLB's other chunks are read from the current position of `rest`; they have `length` bytes.
    """
    if rest is None:
        out.write(text)
        return
    # GLB chunks are multiples of four bytes; JSON is padded with spaces.
    text += b" " * (-len(text) % 4)
    out.write(b"glTF" + struct.pack("<II", 2, 20 + len(text) + length))
    out.write(struct.pack("<I", len(text)) + b"JSON" + text)
    shutil.copyfileobj(rest, out, 1024 * 1024)


def _head(file: BinaryIO, size: int) -> tuple[bytes, bool]:
    """Return a file's JSON, and whether it is from a GLB.

    The JSON is empty for other formats, and for damaged or too large files, which the check
    handles.
    """
    begin = file.read(20)
    if begin.startswith(b"glTF") and len(begin) == 20:
        version, total, length, kind = struct.unpack_from("<III4s", begin, 4)
        sound = (version, total, kind) == (2, size, b"JSON") and length <= min(size - 20, MAX_HEAD)
        return (file.read(length) if sound else b""), True
    if not begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return b"", False
    text = begin + file.read(MAX_HEAD)
    return (text if len(text) <= MAX_HEAD else b""), False


def _repair(text: bytes) -> bytes | None:
    """Return the JSON with repaired text; None if it needs no repair or is invalid."""
    try:
        text.decode("utf-8")
        if not _ESCAPED.search(text):
            return None
        is_unicode = True
    except UnicodeDecodeError:
        is_unicode = False
    try:
        value = json.loads(text.decode("utf-8-sig", "replace"))
        repaired = _replace_surrogates(value)
    except (ValueError, RecursionError):
        return None
    return None if is_unicode and repaired == value else json.dumps(repaired).encode()


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {
            _SURROGATE.sub(REPLACEMENT, name): _replace_surrogates(item)
            for name, item in value.items()
        }
    return [_replace_surrogates(item) for item in value] if isinstance(value, list) else value
