# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the JSON and the buffers of a glTF or GLB file without trusting them.

The layout follows the glTF 2.0 specification, sections 3.6 and 4.4. No bpy.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from ...refusal import OTHER_FORMAT, Message, Refusal, as_message
from ..companion_files import OwnFiles

MAX_HEAD = 64 * 1024 * 1024
"""Maximum bytes of JSON in a GLB."""
MAX_TEXT = 1024 * 1024 * 1024
"""Maximum bytes of a .gltf, which may contain its buffers as base64."""
MAX_DEPTH = 64
"""Deepest accepted nesting of JSON."""

Bytes = NDArray[np.uint8]
_NOTHING: Bytes = np.zeros(0, np.uint8)


def damaged_file(problem: str, format_: str = "glTF") -> Refusal:
    """Return the Refusal for a damaged file; `problem` is a clause, such as “it is truncated”."""
    return Refusal(
        "bad_mesh",
        Message(
            "The {format} file is invalid: {problem}.", format=format_, problem=as_message(problem)
        ),
        OTHER_FORMAT,
    )


def shorten(text: str) -> str:
    """Return a string from the file in a form that fits into a message.

    Unprintable characters become spaces. A long string is cut to 80 characters.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"


@dataclass
class GltfFile:
    """A glTF or GLB file.

    `head` is its JSON. `chunk` is the offset and length of a GLB's binary chunk; without one, both
    are 0. `files` finds the files that the JSON refers to.
    """

    path: Path
    is_binary: bool
    head: dict[str, Any]
    chunk: tuple[int, int]
    files: OwnFiles
    _bytes: dict[int, Bytes] = field(default_factory=dict)

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return the list of objects under the key `name` of the JSON; empty without that key.

        Raise Refusal if the value is not a list of objects.
        """
        items = self.head.get(name)
        if items is None:
            return []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise damaged_file(Message("“{name}” is not a list of objects", name=name))
        return items

    def buffer(self, index: int) -> Bytes:
        """Return a buffer's bytes; files are memory-mapped rather than read.

        The first buffer, if it has no URI, is the binary chunk. Any other without a URI is empty.
        Raise Refusal if its file is missing or its data URI is damaged.
        """
        if index not in self._bytes:
            self._bytes[index] = self._open(self.all("buffers")[index], index)
        return self._bytes[index]

    def _open(self, buffer: dict[str, Any], index: int) -> Bytes:
        address = buffer.get("uri")
        if address is None:
            offset, length = self.chunk if index == 0 else (0, 0)
            return _memory_map(self.path, offset, length) if length else _NOTHING
        if address.startswith("data:"):
            return np.frombuffer(decode_data_uri(address), np.uint8)
        path = self.files.find(unquote(address))
        if path is None:
            raise damaged_file(Message("the file “{address}” is missing", address=shorten(address)))
        return _memory_map(path, 0, path.stat().st_size)


def is_data_uri(address: str) -> bool:
    """Return whether a URI contains the data itself, as base64."""
    # Blender's importer takes data URIs in other encodings for file names.
    return address.startswith("data:") and ";base64," in address


def read_gltf(path: str, home: Path | None = None) -> GltfFile:
    """Read a glTF or GLB file's JSON; raise Refusal if the file cannot be valid.

    `home` is the folder that referenced files may lie in, by default the file's own folder.
    """
    place = Path(path)
    with place.open("rb") as file:
        is_binary = file.read(4) == b"glTF"
    text, chunk = _chunks(place) if is_binary else (_text(place), (0, 0))
    try:
        head = json.loads(str(text, "utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise damaged_file("its JSON cannot be read") from error
    if not isinstance(head, dict):
        raise damaged_file("its JSON is not an object")
    # Importers walk the JSON recursively.
    _check_depth(head)
    files = OwnFiles(place.parent, home or place.parent)
    return GltfFile(place, is_binary, head, chunk, files)


def decode_data_uri(address: str) -> bytes:
    """Return the bytes of a base64 data URI; raise Refusal if it is damaged."""
    try:
        return base64.b64decode(address.partition(";base64,")[2])
    except binascii.Error as error:
        raise damaged_file("its embedded data is not valid base64") from error


def _chunks(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Return a GLB's JSON, and the offset and length of its binary chunk.

    Without a binary chunk, both are 0. Raise Refusal if the version or a length is invalid.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20:
            raise damaged_file("it is truncated")
        version, length, text_length, kind = struct.unpack_from("<III4s", head, 4)
        if version != 2:
            raise damaged_file(Message("GLB version {version} is not supported", version=version))
        if kind != b"JSON":
            raise damaged_file("its first chunk is not JSON")
        if length != size or text_length > min(size - 20, MAX_HEAD):
            raise damaged_file(
                Message(
                    "its header specifies {length} bytes, but the file has {size}",
                    size=size,
                    length=length,
                )
            )
        text, next_header = file.read(text_length), file.read(8)
    begin = 28 + text_length
    if len(next_header) < 8:
        return text, (0, 0)
    chunk_length, kind = struct.unpack("<I4s", next_header)
    if chunk_length > size - begin:
        raise damaged_file("its binary chunk is truncated")
    return text, (begin, chunk_length) if kind == b"BIN\0" else (0, 0)


def _text(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_TEXT:
        message = Message(
            "The mesh file is too large: {size} GB of text.", size=f"{size / 1e9:.1f}"
        )
        raise Refusal("bad_mesh", message, OTHER_FORMAT)
    return path.read_bytes()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    # Infinity minus itself is NaN, which counts as true; a finite number gives zero.
    if value - value:
        raise ValueError(f"{text} is too large")
    return value


def _check_depth(head: dict[str, Any]) -> None:
    level: list[Any] = [head]
    for _ in range(MAX_DEPTH):
        level = [
            child for item in level for child in _children(item) if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise damaged_file("its JSON is nested too deeply")


def _children(item: dict[str, Any] | list[Any]) -> Iterator[Any]:
    return iter(item.values() if isinstance(item, dict) else item)


def _memory_map(path: Path, offset: int, length: int) -> Bytes:
    # An empty range cannot be mapped.
    return np.memmap(path, np.uint8, "r", offset, (length,)) if length else _NOTHING
