# SPDX-License-Identifier: GPL-3.0-or-later
"""A glTF or GLB file's head, and the bytes of its buffers, read without believing them.

The layout is that of the glTF 2.0 specification, sections 3.6 and 4.4. Nothing here imports bpy.
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
MAX_TEXT = 1024 * 1024 * 1024
MAX_DEPTH = 64

Bytes = NDArray[np.uint8]
_NOTHING: Bytes = np.zeros(0, np.uint8)


def damaged(what: str) -> Refusal:
    """Say what is wrong with the file."""
    return Refusal(
        "bad_mesh",
        Message("The mesh file is damaged: {problem}.", problem=as_message(what)),
        OTHER_FORMAT,
    )


def shortened(text: str) -> str:
    """Return a stranger's text so that it can stand in a sentence."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"


@dataclass
class GltfFile:
    """The head as it stands in the file, and where the rest lies."""

    path: Path
    is_binary: bool
    head: dict[str, Any]
    chunk: tuple[int, int]
    files: OwnFiles
    _bytes: dict[int, Bytes] = field(default_factory=dict)

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return one of the head's lists of objects, empty where it has none."""
        found = self.head.get(name)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise damaged(Message("“{name}” is no list", name=name))
        return found

    def buffer(self, index: int) -> Bytes:
        """Return a buffer's bytes; a file of many megabytes is mapped and not read."""
        if index not in self._bytes:
            self._bytes[index] = self._open(self.all("buffers")[index], index)
        return self._bytes[index]

    def _open(self, buffer: dict[str, Any], index: int) -> Bytes:
        address = buffer.get("uri")
        if address is None:
            offset, length = self.chunk if index == 0 else (0, 0)
            return _mapped(self.path, offset, length) if length else _NOTHING
        if address.startswith("data:"):
            return np.frombuffer(decoded(address), np.uint8)
        path = self.files.found(unquote(address))
        if path is None:
            raise damaged(
                Message("a file that it names is missing: “{address}”", address=shortened(address))
            )
        return _mapped(path, 0, path.stat().st_size)


def is_data(address: str) -> bool:
    """Say whether an address holds a file's bytes itself."""
    # Blender's importer takes data in another encoding than this for the name of a file.
    return address.startswith("data:") and ";base64," in address


def read_gltf(path: str, home: Path | None = None) -> GltfFile:
    """Read the head of a glTF or GLB file; raise Refusal if it cannot be one.

    `home` is the folder that the files which it names may lie in, its own by default.
    """
    place = Path(path)
    with place.open("rb") as file:
        is_binary = file.read(4) == b"glTF"
    text, chunk = _chunks(place) if is_binary else (_text(place), (0, 0))
    try:
        head = json.loads(str(text, "utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise damaged("its head is no JSON") from error
    if not isinstance(head, dict):
        raise damaged("its head is no glTF")
    _check_depth(head)
    files = OwnFiles(place.parent, home or place.parent)
    return GltfFile(place, is_binary, head, chunk, files)


def decoded(address: str) -> bytes:
    """Return what a `data:` address holds."""
    try:
        return base64.b64decode(address.partition(";base64,")[2])
    except binascii.Error as error:
        raise damaged("data in it is no base64") from error


def _chunks(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Return a GLB's JSON, and where its binary chunk begins and how long it is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20:
            raise damaged("it is cut short")
        version, length, text_length, kind = struct.unpack_from("<III4s", head, 4)
        if version != 2 or kind != b"JSON":
            raise damaged(
                Message("it is GLB of version {version}, which no Blender reads", version=version)
            )
        if length != size or text_length > min(size - 20, MAX_HEAD):
            raise damaged(
                Message("it has {size} bytes where it says {length}", size=size, length=length)
            )
        text, behind = file.read(text_length), file.read(8)
    begin = 28 + text_length
    if len(behind) < 8:
        return text, (0, 0)
    chunk_length, kind = struct.unpack("<I4s", behind)
    if chunk_length > size - begin:
        raise damaged("its data is cut short")
    return text, (begin, chunk_length) if kind == b"BIN\0" else (0, 0)


def _text(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_TEXT:
        what = Message(
            "The mesh file is a text of {size} GB, which is not read.", size=f"{size / 1e9:.1f}"
        )
        raise Refusal("bad_mesh", what, OTHER_FORMAT)
    return path.read_bytes()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value:
        raise ValueError(f"{text} is too large")
    return value


def _check_depth(head: dict[str, Any]) -> None:
    level: list[Any] = [head]
    for _ in range(MAX_DEPTH):
        level = [part for one in level for part in _parts(one) if isinstance(part, dict | list)]
        if not level:
            return
    raise damaged("its head is nested too deeply")


def _parts(one: dict[str, Any] | list[Any]) -> Iterator[Any]:
    return iter(one.values() if isinstance(one, dict) else one)


def _mapped(path: Path, offset: int, length: int) -> Bytes:
    return np.memmap(path, np.uint8, "r", offset, (length,)) if length else _NOTHING
